// Files that the configuration names and that cannot be read, for `check`: a start would fail on them.
import { accessSync, constants, statSync } from 'node:fs';
import type { Config } from './config.js';
import type { Fault } from './config-error.js';

/** One fault for each key, certificate, authority or folder of pages that is not there or may not be read. Nothing is opened. */
export function findUnreadableFiles(config: Config): Fault[] {
  const named: [string, string][] = config.https.bind.flatMap(({ key, cert, ca }, index): [string, string][] => {
    const place = `https.bind[${index}]`;
    return [[`${place}.key`, key], [`${place}.cert`, cert], ...ca.map((path): [string, string] => [`${place}.ca`, path])];
  });
  const faults = named.flatMap(([path, file]) => {
    const problem = unreadable(file, false);
    return problem === null ? [] : [{ path, file, problem }];
  });
  const pages = config.server.staticDir;
  const problem = pages === null ? null : unreadable(pages, true);
  if (pages !== null && problem !== null) faults.push({ path: 'server.staticDir', file: pages, problem });
  return faults.map(({ path, file, problem }) => ({
    kind: 'unreadable',
    path,
    value: file,
    allowed: `${JSON.stringify(file)} cannot be read (${problem}); relative paths start from the current folder`,
    source: config.source,
  }));
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
