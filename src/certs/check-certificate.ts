// Whether a record `tls:<name>` can be served, and everything that is wrong with it: what a node logs, the API shows and a check of the
// store lists is found here, in the same words.
import { createSecureContext } from 'node:tls';
import { type CertificatePair, type OpenKey, type ParsedCertificate, parseCertificate } from '../model/certificate.js';
import type { StoredRecord } from '../model/record-kind.js';

/**
 * Reads a record as `parseCertificate`, and has OpenSSL try each pair: those that it refuses are faults.
 * @param name the name that the record is kept under: a host, `*.suffix`, or `*`
 * @param now milliseconds since the epoch
 */
export function checkCertificate(name: string, record: StoredRecord, openKey: OpenKey, now: number): ParsedCertificate {
  const { pairs, faults, warnings } = parseCertificate(name, record, openKey, now);
  const refusals = pairs.map(refusalOfTls);
  const weak = refusals.flatMap((refusal, at) =>
    refusal === '' ? [] : [`the pair of type ${pairs[at]?.keyType} cannot be served: ${refusal}`],
  );
  return { pairs: pairs.filter((_pair, at) => refusals[at] === ''), faults: [...faults, ...weak], warnings };
}

/** OpenSSL refuses what is too weak, such as short keys and signatures by MD5. */
function refusalOfTls({ certificate, key }: CertificatePair): string {
  try {
    // An empty list of authorities: those of the system are not looked at to serve.
    createSecureContext({ cert: certificate, key, ca: [] });
    return '';
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\s+/g, ' ') : 'OpenSSL refuses it';
  }
}
