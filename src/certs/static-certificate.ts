// Key and certificate of a listener from files, read and checked when it opens.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { TlsBind } from '../config/config.js';
import { StartError } from '../errors/start-error.js';

function read(path: string, what: string, where: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StartError(`cannot read the ${what} of https ${where}: ${path} (${reason})`);
  }
}

/**
 * TLS options of a bind.
 * @throws StartError that names the file which is missing, unreadable or does not fit the others
 */
export function staticCertificate(bind: TlsBind): tls.SecureContextOptions {
  const where = `${bind.address}:${bind.port}`;
  const options: tls.SecureContextOptions = {
    key: read(bind.key, 'key', where),
    cert: read(bind.cert, 'certificate', where),
    minVersion: bind.minVersion,
    honorCipherOrder: bind.honorCipherOrder,
    ...(bind.ca.length > 0 ? { ca: bind.ca.map((path) => read(path, 'certificate authority', where)) } : {}),
    ...(bind.passphrase !== '' ? { passphrase: bind.passphrase } : {}),
    ...(bind.ciphers !== '' ? { ciphers: bind.ciphers } : {}),
  };
  try {
    tls.createSecureContext(options);
  } catch (error) {
    throw new StartError(`cannot use ${bind.cert} with ${bind.key} for https ${where}: ${(error as Error).message}`);
  }
  return options;
}
