// Key and certificate of a route: PEM texts as they are, files read, both checked to belong together.
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { RouteConfigError } from './route-config-error.js';
import type { RouteSsl } from './types.js';

/**
 * @param owner whose they are, for messages; never quotes a key
 * @throws RouteConfigError
 */
export function readSsl(ssl: RouteSsl, owner: string): RouteSsl {
  if (typeof ssl !== 'object' || ssl === null) throw new RouteConfigError(owner, 'ssl must be an object with key and cert');
  const key = pem(ssl.key, 'ssl.key', owner);
  const cert = pem(ssl.cert, 'ssl.cert', owner);
  try {
    createSecureContext({ key, cert });
  } catch (error) {
    throw new RouteConfigError(owner, `ssl.key and ssl.cert cannot be used together: ${(error as Error).message}`);
  }
  return { key, cert };
}

function pem(written: unknown, member: string, owner: string): string {
  if (typeof written !== 'string' || written === '') throw new RouteConfigError(owner, `${member} must be a PEM text or a path`);
  if (written.includes('-----BEGIN ')) return written;
  // What is no PEM text and no path either may be a broken key.
  if (written.length > 4096 || /[\r\n\0]/.test(written))
    throw new RouteConfigError(owner, `${member} must be a PEM text or a path`);
  try {
    return readFileSync(written, 'utf8');
  } catch (error) {
    throw new RouteConfigError(owner, `${member}: cannot read ${written} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}
