// Which certificates of the store are ours to replace: those that were ordered here, and that nobody has touched since.
import { type CertificatePair, parseCertificate } from '../../model/certificate.js';
import { fieldsOf, type StoredRecord } from '../../model/record-kind.js';
import type { KeyVault } from '../key-vault.js';

/** The field that marks one: the fingerprint of the certificate that was put there. */
export const ownMark = 'acme';

/** The pair of a record that was ordered here; null: a person has put it there, or broken it. */
export function ownPair(name: string, record: StoredRecord, vault: KeyVault): CertificatePair | null {
  const mark = fieldsOf(record).get(ownMark) ?? '';
  if (mark === '') return null;
  const { pairs } = parseCertificate(name, record, (of, text) => vault.open(`tls:${of}`, text), Date.now());
  return pairs.find(({ fingerprint }) => fingerprint === mark) ?? null;
}
