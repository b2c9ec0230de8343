import { scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  hashPassword,
  type PasswordHash,
  parsePasswordHash,
  standardCost,
  verifyPassword,
} from '../../../src/auth/password-hash.js';

const cheap = { ln: 10, r: 8, p: 1 };

function parsed(text: string): PasswordHash {
  const hash = parsePasswordHash(text);
  if (hash === null) throw new Error(`${text} is no hash`);
  return hash;
}

describe('D.5 22: the hash of a password', () => {
  it('is verified with the password and with no other', async () => {
    const hash = parsed(await hashPassword('correct horse', cheap));
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    for (const wrong of ['', 'correct hors', 'correct horse ', 'Correct horse'])
      expect(await verifyPassword(wrong, hash)).toBe(false);
  });

  it('is another one each time, with the standard cost unless told otherwise', async () => {
    const [one, other] = await Promise.all([hashPassword('x'), hashPassword('x')]);
    expect(one).not.toBe(other);
    expect(one).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(parsed(one)).toMatchObject(standardCost);
  });

  it('agrees with scrypt as RFC 7914 has it', async () => {
    const salt = Buffer.from('SodiumChloride--');
    const hash = scryptSync('pleaseletmein', salt, 64, { N: 16384, r: 8, p: 1, maxmem: 1 << 26 });
    const text = `$scrypt$ln=14,r=8,p=1$${salt.toString('base64')}$${hash.toString('base64')}`;
    expect(await verifyPassword('pleaseletmein', parsed(text))).toBe(true);
  });

  it('takes composed and decomposed letters for the same', async () => {
    const hash = parsed(await hashPassword('caf\u00e9', cheap));
    expect(await verifyPassword('cafe\u0301', hash)).toBe(true);
  });

  it.each([
    ['plain text', 'correct horse'],
    ['another algorithm', '$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC'],
    ['too cheap', '$scrypt$ln=9,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE'],
    ['too much memory', '$scrypt$ln=20,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE'],
    ['too much work', '$scrypt$ln=14,r=8,p=99$c2FsdHNhbHRzYWx0c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE'],
    ['no hash', '$scrypt$ln=14,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$'],
    ['a hash that is too short to mean anything', '$scrypt$ln=14,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$MDEy'],
  ])('is refused when it is %s', (_what, text) => {
    expect(parsePasswordHash(text)).toBeNull();
  });
});
