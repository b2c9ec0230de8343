// Files that the configuration names and that cannot be read, for `check`: a start would fail on them.
import { accessSync, constants, statSync } from 'node:fs';
import type { Config } from './config.js';
import type { Fault } from './config-error.js';

/** One fault for each key, certificate, authority or folder of pages that is not there or may not be read. Nothing is opened. */
export function findUnreadableFiles(config: Config): Fault[] {
  // By file, as several addresses often share one: it is told of once, where it is named first.
  const places = new Map<string, string>();
  const note = (file: string, place: string) => places.set(file, places.get(file) ?? place);
  if (config.https.storeKeyFile !== '') note(config.https.storeKeyFile, 'https.storeKeyFile');
  for (const file of config.acme.ca) note(file, 'acme.ca');
  if (config.acme.dnsHook !== '') note(config.acme.dnsHook, 'acme.dnsHook');
  config.https.bind.forEach(({ key, cert, ca }, index) => {
    if (key !== '') note(key, `https.bind[${index}].key`);
    if (cert !== '') note(cert, `https.bind[${index}].cert`);
    for (const file of ca) note(file, `https.bind[${index}].ca`);
  });
  config.streams.forEach(({ tls }, index) => {
    if (tls === null) return;
    note(tls.key, `streams[${index}].tls.key`);
    note(tls.cert, `streams[${index}].tls.cert`);
  });
  for (const file of config.server.backendCa) note(file, 'server.backendCa');
  for (const file of config.redis.ca) note(file, 'redis.ca');
  if (config.redis.cert !== '') note(config.redis.cert, 'redis.cert');
  if (config.redis.key !== '') note(config.redis.key, 'redis.key');
  if (config.frontDoor.blocklistFile !== null) note(config.frontDoor.blocklistFile, 'frontDoor.blocklistFile');
  const pages = config.server.staticDir;
  if (pages !== null) note(pages, 'server.staticDir');
  return [...places].flatMap(([file, path]): Fault[] => {
    const problem = unreadable(file, file === pages);
    const allowed = `${JSON.stringify(file)} cannot be read (${problem}); relative paths start from the current folder`;
    return problem === null ? [] : [{ kind: 'unreadable', path, value: file, allowed, source: config.source }];
  });
}

function unreadable(path: string, folder: boolean): string | null {
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isDirectory() === folder) return null;
    return folder ? 'it is no folder' : 'it is a folder';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
