// Certificates from files: key and certificate of a listener, authorities of backends; read and checked at the start.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { TlsBind } from '../config/config.js';
import { StartError } from '../errors/start-error.js';

function read(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StartError(`cannot read the ${what}: ${path} (${reason})`);
  }
}

/**
 * The PEM text of an authority that backends may be signed by.
 * @throws StartError when it cannot be read or holds no certificate
 */
export function readAuthority(path: string): string {
  const text = read(path, 'certificate authority of server.backendCa').toString('latin1');
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new StartError(`server.backendCa: ${path} holds no certificate in PEM form`);
  return text;
}

/**
 * TLS options of a bind.
 * @throws StartError that names the file which is missing, unreadable or does not fit the others
 */
export function staticCertificate(bind: TlsBind): tls.SecureContextOptions {
  const where = `https ${bind.address}:${bind.port}`;
  const options: tls.SecureContextOptions = {
    ...keyPair(bind, where),
    minVersion: bind.minVersion,
    honorCipherOrder: bind.honorCipherOrder,
    ...(bind.ca.length > 0 ? { ca: bind.ca.map((path) => read(path, `certificate authority of ${where}`)) } : {}),
    ...(bind.passphrase !== '' ? { passphrase: bind.passphrase } : {}),
    ...(bind.ciphers !== '' ? { ciphers: bind.ciphers } : {}),
  };
  return checked(options, bind, where);
}

/**
 * TLS options of a stream, which asks for nothing beyond key and certificate.
 * @param where named in messages, e.g. `stream db`
 * @throws StartError as `staticCertificate`
 */
export function streamCertificate(
  files: Pick<TlsBind, 'key' | 'cert' | 'minVersion'>,
  where: string,
): tls.SecureContextOptions {
  return checked({ ...keyPair(files, where), minVersion: files.minVersion }, files, where);
}

function keyPair(files: Pick<TlsBind, 'key' | 'cert'>, where: string): tls.SecureContextOptions {
  return { key: read(files.key, `key of ${where}`), cert: read(files.cert, `certificate of ${where}`) };
}

function checked(options: tls.SecureContextOptions, { key, cert }: Pick<TlsBind, 'key' | 'cert'>, where: string) {
  try {
    tls.createSecureContext(options);
  } catch (error) {
    throw new StartError(`cannot use ${cert} with ${key} for ${where}: ${(error as Error).message}`);
  }
  return options;
}
