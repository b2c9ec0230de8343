import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkCertificate } from '../../../src/certs/check-certificate.js';
import { selfSigned } from '../../helpers/certs.js';
import { opensslPair } from '../../helpers/openssl.js';

const now = Date.now();
const check = (name: string, fields: Readonly<Record<string, string>>) =>
  checkCertificate(name, { values: Object.entries(fields).flat(), fault: '' }, (_name, text) => text, now);

describe('the check of a certificate', () => {
  const { key, cert } = selfSigned('a.example.com');

  it('finds nothing wrong with a good pair', () => {
    expect(check('a.example.com', { certificate: cert, key })).toMatchObject({
      pairs: [{ keyType: 'ec' }],
      faults: [],
      warnings: [],
    });
  });

  it('accepts one that is out of date or made for another name, with the reason', () => {
    const old = opensslPair(['a.example.com'], { from: -9, until: -2 });
    const young = opensslPair(['a.example.com'], { from: 2, until: 9 });
    const reasons = [
      check('a.example.com', { certificate: old.cert, key: old.key }),
      check('a.example.com', { certificate: young.cert, key: young.key }),
      check('b.example.com', { certificate: cert, key }),
    ];
    for (const { pairs, faults } of reasons) expect([pairs.length, faults]).toEqual([1, []]);
    expect(reasons.map(({ warnings }) => warnings)).toEqual([
      [expect.stringMatching(/^certificate expired on /)],
      [expect.stringMatching(/^certificate is not valid before /)],
      [expect.stringMatching(/^certificate is not made for b\.example\.com/)],
    ]);
  });

  it('refuses what cannot be served, with the reason and without a part of a key', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    for (const [fields, reason] of [
      [{ certificate: 'text', key }, 'certificate holds no certificate in PEM form'],
      [{ certificate: cert, key: other }, 'key does not fit certificate'],
      [{ certificate: cert }, 'key is missing, certificate is there'],
      [{ note: 'x' }, 'it has neither certificate nor key'],
    ] as const)
      expect(check('a.example.com', fields)).toMatchObject({ pairs: [], faults: [reason] });
  });

  it('refuses a pair that is too weak for OpenSSL', () => {
    const weak = opensslPair(['a.example.com'], { type: 'rsa', bits: 512 });
    const { pairs, faults } = check('a.example.com', { certificate: weak.cert, key: weak.key });
    expect([pairs.length, faults]).toEqual([0, [expect.stringMatching(/^the pair of type rsa cannot be served: .*too small/)]]);
  });
});
