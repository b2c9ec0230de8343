// The byte tables against the grammar they stand for.
import { describe, expect, it } from 'vitest';
import {
  fieldValueBytes,
  hexDigits,
  isWord,
  noDigit,
  regNameBytes,
  targetBytes,
  tokenBytes,
} from '../../../src/http1/characters.js';

const allowedIn = (table: Uint8Array): string =>
  [...table.keys()]
    .filter((byte) => table[byte] !== 0)
    .map((byte) => String.fromCharCode(byte))
    .join('');

const digits = '0123456789';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = upper.toLowerCase();
const sorted = (text: string): string => [...text].sort().join('');
const obsText = String.fromCharCode(...Array.from({ length: 128 }, (_, at) => 128 + at));
const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 0x21 + at));

describe('character tables', () => {
  it('allows exactly the token characters of RFC 9110 section 5.6.2', () => {
    expect(allowedIn(tokenBytes)).toBe(sorted(`!#$%&'*+-.^_\`|~${digits}${upper}${lower}`));
  });

  it('gives token letters in lower case', () => {
    for (const letter of upper) expect(tokenBytes[letter.charCodeAt(0)]).toBe(letter.toLowerCase().charCodeAt(0));
    expect(tokenBytes['-'.charCodeAt(0)]).toBe('-'.charCodeAt(0));
  });

  it('allows visible characters, blanks and obs-text in field values (RFC 9110 section 5.5)', () => {
    expect(allowedIn(fieldValueBytes)).toBe(sorted(`\t ${visible}${obsText}`));
  });

  it('allows no control, blank or fragment in a request target', () => {
    expect(allowedIn(targetBytes)).toBe(sorted(`${visible.replace('#', '')}${obsText}`));
  });

  it('allows unreserved characters and sub-delims but the comma in a reg-name (RFC 3986 section 3.2.2)', () => {
    expect(allowedIn(regNameBytes)).toBe(sorted(`-._~!$&'()*+;=${digits}${upper}${lower}`));
  });

  it('knows the value of hexadecimal digits in both cases', () => {
    expect([...'09afAF'].map((digit) => hexDigits[digit.charCodeAt(0)])).toEqual([0, 9, 10, 15, 10, 15]);
    expect([...hexDigits].filter((value) => value !== noDigit)).toHaveLength(22);
  });

  it('compares a word in any case, whole words only', () => {
    const bytes = Buffer.from('xChUnKeDx');
    expect(isWord(bytes, 1, 8, 'chunked')).toBe(true);
    expect(isWord(bytes, 1, 9, 'chunked')).toBe(false);
    expect(isWord(bytes, 1, 7, 'chunked')).toBe(false);
    expect(isWord(bytes, 0, 7, 'chunked')).toBe(false);
  });
});
