// Hashes of passwords: scrypt (RFC 7914) in the PHC string format, `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, base64 without padding.
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** A hash that was read. */
export interface PasswordHash {
  /** Binary logarithm of the cost N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Costs of a new hash: 16 MiB and about a tenth of a second, one of the recommendations of OWASP. */
export interface HashCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

export const standardCost: HashCost = { ln: 14, r: 8, p: 5 };

/** More than this a single request must not be able to ask for. */
const mostBytes = 256 * 1024 * 1024;
const mostWork = 16;

const pattern = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})={0,2}\$([A-Za-z0-9+/]{22,172})={0,2}$/;

/** Reads a hash. Null: it is none, or one that costs too much or too little to be checked. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const parts = pattern.exec(text.trim());
  if (parts === null) return null;
  const [ln = 0, r = 0, p = 0] = parts.slice(1, 4).map(Number);
  if (ln < 10 || ln > 20 || r < 1 || p < 1 || p > mostWork || 128 * 2 ** ln * r > mostBytes) return null;
  return { ln, r, p, salt: Buffer.from(parts[4] as string, 'base64'), hash: Buffer.from(parts[5] as string, 'base64') };
}

/** Makes the hash of a password, to be written into `user:<name>` of an `auth:` record. */
export async function hashPassword(password: string, cost: HashCost = standardCost): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, 32, cost);
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${text(salt)}$${text(hash)}`;
}

/** Whether a password is the one that was hashed. Takes the same time wherever they differ. */
export async function verifyPassword(password: string, known: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, known.salt, known.hash.length, known), known.hash);
}

/** RFC 8265 in short: the same letters in another composition are the same password. */
function derive(password: string, salt: Buffer, length: number, { ln, r, p }: HashCost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: mostBytes + 1024 * 1024 * mostWork };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
