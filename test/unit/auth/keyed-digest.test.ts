import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyedDigest } from '../../../src/auth/keyed-digest.js';

describe('D.5 23: a keyed digest', () => {
  it('is SHA-256 of a secret block and the text, of the same length for every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const key = randomBytes(32).toString('hex');
        const expected = createHash('sha256').update(key, 'latin1').update(text, 'utf8').digest('binary');
        expect(createKeyedDigest(key)(text)).toBe(expected);
      }),
    );
  });

  it('is another one with another key', () => {
    expect(createKeyedDigest('a'.repeat(64))('text')).not.toBe(createKeyedDigest('b'.repeat(64))('text'));
  });

  it('takes no key of another length, with which key and text could be confused', () => {
    for (const key of ['', 'a'.repeat(63), 'a'.repeat(65), 'ü'.repeat(64), 'ü'.repeat(32)])
      expect(() => createKeyedDigest(key)).toThrow('64 ASCII characters');
  });
});
