import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSameText } from '../../../src/base/same-text.js';

describe('isSameText', () => {
  it('says what === says, for texts and for parts of texts', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (one, other) => {
        expect(isSameText(one, other)).toBe(one === other);
        expect(isSameText(`${one}${other}`.slice(0, one.length), one)).toBe(true);
        expect(isSameText(`${one}x`, `${one}y`)).toBe(false);
      }),
    );
  });
});
