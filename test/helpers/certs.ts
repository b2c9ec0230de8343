// Certificates for tests, made on the spot: node:crypto has keys and signatures, the few lines of DER around them are here.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A key and its certificate, PEM. */
export interface KeyAndCert {
  readonly key: string;
  readonly cert: string;
}

/** An authority: its certificate is what a client is told to trust. */
export interface Authority extends KeyAndCert {
  /** Makes a certificate for host names and addresses. */
  issue(...names: readonly string[]): KeyAndCert;
}

/** A certificate for some names that nobody vouches for. */
export function selfSigned(...names: readonly string[]): KeyAndCert {
  const { publicKey, privateKey } = newKey();
  const subject = names[0] ?? 'localhost';
  return toPem(privateKey, certificate({ subject, issuer: subject, publicKey, signer: privateKey, names, authority: false }));
}

/** An authority of its own. */
export function createAuthority(subject = 'test authority'): Authority {
  const { publicKey, privateKey } = newKey();
  const own = toPem(
    privateKey,
    certificate({ subject, issuer: subject, publicKey, signer: privateKey, names: [], authority: true }),
  );
  return {
    ...own,
    issue(...names) {
      const keys = newKey();
      const body = {
        subject: names[0] ?? 'localhost',
        issuer: subject,
        publicKey: keys.publicKey,
        signer: privateKey,
        names,
        authority: false,
      };
      return toPem(keys.privateKey, certificate(body));
    },
  };
}

interface CertificateParts {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly names: readonly string[];
  readonly authority: boolean;
}

function newKey(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

/** RFC 5280 section 4.1. */
function certificate(parts: CertificateParts): Buffer {
  const ecdsaWithSha256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
  const now = Date.now();
  const day = 86_400_000;
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(parts.issuer),
    sequence(utcTime(now - day), utcTime(now + 30 * day)),
    commonName(parts.subject),
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(parts))),
  );
  const signature = sign('sha256', body, parts.signer);
  return sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.from([0]), signature));
}

function extensions({ names, authority }: CertificateParts): Buffer[] {
  const critical = Buffer.from([0x01, 0x01, 0xff]);
  const list: Buffer[] = [];
  const basic = authority ? sequence(critical) : sequence();
  list.push(sequence(oid(2, 5, 29, 19), critical, tagged(0x04, basic)));
  if (names.length > 0) list.push(sequence(oid(2, 5, 29, 17), tagged(0x04, sequence(...names.map(alternativeName)))));
  return list;
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 0) return tagged(0x82, Buffer.from(name, 'ascii'));
  if (isIP(name) === 4) return tagged(0x87, Buffer.from(name.split('.').map(Number)));
  if (name === '::1') return tagged(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]));
  throw new Error(`no certificate for ${name}: of IPv6 only ::1 is supported here`);
}

function commonName(text: string): Buffer {
  return sequence(tagged(0x31, sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from(text, 'utf8')))));
}

function utcTime(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`, 'ascii'));
}

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const septets = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

/** A tag, the length of what follows, and what follows. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function toPem(key: KeyObject, der: Buffer): KeyAndCert {
  const lines = der
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
