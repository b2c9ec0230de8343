// Certificates from files: key and certificate of a listener, authorities of backends; read and checked at the start.
import { X509Certificate } from 'node:crypto';
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
 * The PEM text of an authority that others may be signed by.
 * @param setting that names the file
 * @throws StartError when it cannot be read or holds no certificate
 */
export function readAuthority(path: string, setting: 'server.backendCa' | 'acme.ca'): string {
  return authorityText(path, `certificate authority of ${setting}`, setting);
}

function authorityText(path: string, what: string, setting: string): string {
  const text = read(path, what).toString('latin1');
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new StartError(`${setting}: ${path} holds no certificate in PEM form`);
  return text;
}

/** Whether a certificate in PEM is made for a host. */
export function isMadeFor(certificate: string | Buffer, host: string): boolean {
  return new X509Certificate(certificate).checkHost(host) !== undefined;
}

/** Key and certificate of the configuration. */
export interface StandardPair {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly passphrase?: string;
}

/** The files of a bind. */
export interface BindFiles {
  /** Null: the bind has no certificate of its own. */
  readonly standard: StandardPair | null;
  /** PEM: authorities of client certificates; empty: there are none. */
  readonly clientCa: string;
  /** What clients will object to, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the files of a bind.
 * @param now milliseconds since the epoch
 * @throws StartError that names the file which is missing, unreadable or does not fit the others
 */
export function staticCertificate(bind: TlsBind, now: number): BindFiles {
  const where = `https ${bind.address}:${bind.port}`;
  const clientCa = bind.ca.map((path) => authorityText(path, `certificate authority of ${where}`, 'https.ca')).join('\n');
  if (bind.cert === '') return { standard: null, clientCa, warnings: [] };
  const pair = { ...keyPair(bind, where), ...(bind.passphrase !== '' ? { passphrase: bind.passphrase } : {}) };
  const { ciphers } = bind;
  checked({ ...pair, ...(ciphers !== '' ? { ciphers } : {}) }, bind, where);
  const { validFrom, validTo } = new X509Certificate(pair.cert);
  const warnings: string[] = [];
  if (now > Date.parse(validTo))
    warnings.push(`the certificate of ${where}, ${bind.cert}, expired on ${validTo}; it is served all the same`);
  if (now < Date.parse(validFrom))
    warnings.push(`the certificate of ${where}, ${bind.cert}, is not valid before ${validFrom}; it is served all the same`);
  return { standard: pair, clientCa, warnings };
}

/**
 * TLS options of a stream, which asks for nothing beyond key and certificate.
 * @param where named in messages, e.g. `stream db`
 * @throws StartError as `staticCertificate`
 */
export function streamCertificate(files: Pick<TlsBind, 'key' | 'cert' | 'minVersion'>, where: string): tls.SecureContextOptions {
  return checked({ ...keyPair(files, where), minVersion: files.minVersion }, files, where);
}

function keyPair(files: Pick<TlsBind, 'key' | 'cert'>, where: string): { readonly key: Buffer; readonly cert: Buffer } {
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
