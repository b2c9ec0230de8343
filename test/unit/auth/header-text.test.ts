import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { headerText } from '../../../src/auth/header-text.js';

it('leaves visible ASCII as it is', () => {
  expect(headerText('alice@example.com')).toBe('alice@example.com');
  expect(headerText('Alice B. Smith')).toBe('Alice B. Smith');
  expect(headerText('')).toBe('');
});

it('encodes whatever could end a line, or be lost at its ends', () => {
  expect(headerText('a\r\nX-Admin: 1')).toBe('a%0D%0AX-Admin:%201');
  expect(headerText(' a ')).toBe('%20a%20');
  expect(headerText('100%')).toBe('100%25');
});

it('makes a header value of any text, and never the same one of two', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(headerText(one)).toMatch(/^([!-~]([ -~]*[!-~])?)?$/);
      if (one !== other) expect(decodeURIComponent(headerText(one))).not.toBe(decodeURIComponent(headerText(other)));
    }),
  );
});
