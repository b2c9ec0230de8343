// Addresses of 127.0.0.1 that end TLS, for the proxies of tests.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsBind } from '../../src/config/config.js';
import type { KeyAndCert } from './certs.js';

/** One on a free port, without files unless `more` names them: certificates are then those of the store. */
export function tlsBind(more: Partial<TlsBind> = {}): TlsBind {
  return {
    address: '127.0.0.1',
    port: 0,
    key: '',
    cert: '',
    ca: [],
    passphrase: '',
    ciphers: '',
    honorCipherOrder: true,
    minVersion: 'TLSv1.2',
    preset: 'intermediate',
    ...more,
  };
}

/** Writes a pair into a folder. @returns the paths, as an address takes them */
export function pairFiles(folder: string, { key, cert }: KeyAndCert, name = 'pair'): Pick<TlsBind, 'key' | 'cert'> {
  const files = { key: join(folder, `${name}.key`), cert: join(folder, `${name}.pem`) };
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
  return files;
}
