// The files of `rediss:`: authorities and the client certificate, read and checked at the start.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { RedisConfig } from '../config/config.js';
import { StartError } from '../errors/start-error.js';

/** What a TLS connection to Redis needs besides its address; what is absent is left to Node. */
export interface RedisTls {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/**
 * Reads the files that the settings name.
 * @throws StartError that names the setting whose file is missing, unreadable, or does not fit the others
 */
export function readRedisTls(settings: Pick<RedisConfig, 'ca' | 'cert' | 'key' | 'servername'>): RedisTls {
  const authorities = settings.ca.map((path) => readPem(path, 'redis.ca', 'CERTIFICATE'));
  const pair =
    settings.cert === ''
      ? {}
      : { cert: readPem(settings.cert, 'redis.cert', 'CERTIFICATE'), key: readPem(settings.key, 'redis.key', 'PRIVATE KEY') };
  try {
    tls.createSecureContext({ ...pair, ca: authorities });
  } catch (error) {
    const files = [...settings.ca, settings.cert, settings.key].filter((path) => path !== '').join(', ');
    throw new StartError(`redis: ${files} cannot be used for TLS: ${(error as Error).message}`);
  }
  return {
    // Authorities that are named replace those that Node brings, which may have signed another of the servers.
    ...(authorities.length === 0 ? {} : { ca: [...tls.rootCertificates, ...authorities] }),
    ...pair,
    ...(settings.servername === '' ? {} : { servername: settings.servername }),
  };
}

function readPem(path: string, setting: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    throw new StartError(
      `cannot read the file of ${setting}: ${path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
  if (!new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(text)) {
    throw new StartError(`${setting}: ${path} holds no ${kind.toLowerCase()} in PEM form`);
  }
  return text;
}
