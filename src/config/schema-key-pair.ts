// The settings of a private key and its certificate, wherever an address may have them.
import { filePath, noted } from './fields.js';

const keyAllowed = 'the path of a PEM file with a private key';
const certAllowed = 'the path of a PEM file with a certificate and its chain';

/** Paths that nobody has to give. @param whatFor explanation of `cert` */
export function keyPair(whatFor: string) {
  return {
    key: noted(filePath(keyAllowed).optional(), {
      kind: 'text',
      explanation: 'Private key that belongs to `cert`.',
      allowed: keyAllowed,
      standard: '',
    }),
    cert: noted(filePath(certAllowed).optional(), { kind: 'text', explanation: whatFor, allowed: certAllowed, standard: '' }),
  };
}
