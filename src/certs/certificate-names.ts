// Which hosts a certificate is made for, besides the one that its record is kept under.
import { X509Certificate } from 'node:crypto';
import type { Certificate } from './certificate-cache.js';

/** Whether a client that has accepted a certificate has by that verified a host too. */
export function servesAlso({ pairs }: Certificate, host: string): boolean {
  return pairs.length > 0 && pairs.every(({ certificate }) => new X509Certificate(certificate).checkHost(host) !== undefined);
}
