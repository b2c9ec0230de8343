// A record `tls:<name>`: pairs of certificate and key, read and checked once. A pair that cannot be used is told with its reason.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { fieldsOf, type StoredRecord } from './record-kind.js';

/** A certificate with its chain, and the key that fits it. */
export interface CertificatePair {
  /** PEM: the certificate of the key first, then those of its issuers. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** `rsa`, `rsa-pss`, `ec`, `ed25519` … */
  readonly keyType: string;
  /** As it stands in the certificate: `DNS:a.example, DNS:*.a.example`. */
  readonly names: string;
  /** SHA-256 of the certificate, hexadecimal with colons. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What a record is, with one line for each thing that is wrong with it. */
export interface ParsedCertificate {
  /** Usable pairs, at most one of each type of key; none: the name is served as if there were no such record. */
  readonly pairs: readonly CertificatePair[];
  /** Why pairs cannot be used. */
  readonly faults: readonly string[];
  /** What clients will object to, though the pair is served: dates, names. */
  readonly warnings: readonly string[];
}

/** Turns the text of the field `key` into PEM, where it is encrypted. @throws Error with a reason in one line */
export type OpenKey = (name: string, text: string) => string;

/** Fields of the pairs, in turn: PlanB's, and a second pair for clients that take another type of key. */
const pairFields = [
  ['certificate', 'key'],
  ['certificate2', 'key2'],
] as const;

const absent: ParsedCertificate = Object.freeze({ pairs: [], faults: [], warnings: [] });

/** The most certificates of a chain; nobody has that many. */
const longestChain = 10;

/**
 * Reads a record. Fields besides those of the pairs are left alone.
 * @param name the name that the record is kept under: a host, `*.suffix`, or `*`
 * @param now milliseconds since the epoch
 */
export function parseCertificate(name: string, record: StoredRecord, openKey: OpenKey, now: number): ParsedCertificate {
  if (record.fault !== '') return { ...absent, faults: [record.fault] };
  if (record.values.length === 0) return absent;
  const fields = fieldsOf(record);
  const pairs: CertificatePair[] = [];
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const [certificateField, keyField] of pairFields) {
    const certificate = fields.get(certificateField) ?? '';
    const key = fields.get(keyField) ?? '';
    if (certificate === '' && key === '') continue;
    const pair = readPair(name, { certificateField, keyField, certificate, key }, openKey);
    if (typeof pair === 'string') faults.push(pair);
    else if (pairs.some(({ keyType }) => keyType === pair.keyType))
      faults.push(`${certificateField} has a key of type ${pair.keyType} like certificate; a second pair needs another type`);
    else {
      pairs.push(pair);
      warnings.push(...objections(name, certificateField, pair, now));
    }
  }
  if (pairs.length === 0 && faults.length === 0) faults.push('it has neither certificate nor key');
  return { pairs, faults, warnings };
}

/** Whether clients take a pair at a moment, as far as its dates go. */
export function isInDate({ notBefore, notAfter }: CertificatePair, now: number): boolean {
  return notBefore <= now && now <= notAfter;
}

interface WrittenPair {
  readonly certificateField: string;
  readonly keyField: string;
  readonly certificate: string;
  readonly key: string;
}

/** @returns why the pair cannot be used where it cannot; never a part of a key */
function readPair(name: string, written: WrittenPair, openKey: OpenKey): CertificatePair | string {
  const { certificateField, keyField, certificate } = written;
  if (certificate === '') return `${certificateField} is missing, ${keyField} is there`;
  if (written.key === '') return `${keyField} is missing, ${certificateField} is there`;
  const chain = readChain(certificate);
  if (typeof chain === 'string') return `${certificateField} ${chain}`;
  let pem: string;
  try {
    pem = openKey(name, written.key);
  } catch (error) {
    return `${keyField} ${error instanceof Error ? error.message : 'cannot be decrypted'}`;
  }
  const key = readKey(pem);
  if (typeof key === 'string') return `${keyField} ${key}`;
  const leaf = chain[0] as X509Certificate;
  if (!leaf.checkPrivateKey(key)) {
    const later = chain.some((one) => one.checkPrivateKey(key));
    return later
      ? `${certificateField} must begin with the certificate of ${keyField}; those of its issuers come after it`
      : `${keyField} does not fit ${certificateField}`;
  }
  return {
    certificate,
    key: pem,
    keyType: key.asymmetricKeyType ?? 'unknown',
    names: leaf.subjectAltName ?? '',
    fingerprint: leaf.fingerprint256,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

function readChain(text: string): readonly X509Certificate[] | string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks === null) return 'holds no certificate in PEM form';
  if (blocks.length > longestChain) return `holds more than ${longestChain} certificates`;
  const chain: X509Certificate[] = [];
  for (const [at, block] of blocks.entries()) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      return `cannot be read: certificate ${at + 1} of ${blocks.length} is damaged`;
    }
  }
  return chain;
}

function readKey(pem: string): KeyObject | string {
  if (!pem.includes('-----BEGIN ')) return 'holds no private key in PEM form';
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(pem)) return 'is locked by a passphrase; store it without one';
  try {
    return createPrivateKey(pem);
  } catch {
    return 'cannot be read: the private key is damaged, or no private key';
  }
}

function objections(name: string, field: string, pair: CertificatePair, now: number): string[] {
  const found: string[] = [];
  if (now > pair.notAfter) found.push(`${field} expired on ${day(pair.notAfter)}`);
  if (now < pair.notBefore) found.push(`${field} is not valid before ${day(pair.notBefore)}`);
  if (name !== '*' && !covers(pair, name))
    found.push(`${field} is not made for ${name}, only for ${pair.names || 'no host at all'}`);
  return found;
}

/** Whether a certificate is made for a host, or for all hosts of `*.suffix`. */
function covers({ certificate }: CertificatePair, name: string): boolean {
  const host = name.startsWith('*.') ? `label${name.slice(1)}` : name;
  return new X509Certificate(certificate).checkHost(host) !== undefined;
}

function day(milliseconds: number): string {
  return Number.isNaN(milliseconds) ? 'an unreadable date' : new Date(milliseconds).toISOString();
}
