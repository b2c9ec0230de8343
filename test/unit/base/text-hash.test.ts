import { describe, expect, it } from 'vitest';
import { hashText, mixBits } from '../../../src/base/text-hash.js';

describe('the hash of a text', () => {
  it('is a whole number of 32 bits, the same in every version: clients would move otherwise', () => {
    expect(['', 'a', '10.0.0.1', '한'].map((text) => hashText(text, 0))).toEqual([
      2_872_998_923, 444_641_715, 2_931_590_574, 1_663_473_878,
    ]);
  });

  it('is another one with another seed', () => {
    expect(hashText('10.0.0.1', 1)).not.toBe(hashText('10.0.0.1', 0));
  });

  it('differs for texts that differ in one letter, wherever it is', () => {
    const texts = Array.from({ length: 2_000 }, (_, at) => `http://10.0.${at >> 8}.${at & 255}:80`);
    expect(new Set(texts.map((text) => hashText(text, 0))).size).toBe(texts.length);
  });

  it('changes half of its bits with one bit of its input', () => {
    let changed = 0;
    for (let input = 0; input < 1_000; input++) {
      for (let bit = 0; bit < 32; bit++) {
        let differing = mixBits(input) ^ mixBits(input ^ (1 << bit));
        for (; differing !== 0; differing &= differing - 1) changed++;
      }
    }
    expect(changed / (1_000 * 32 * 32)).toBeCloseTo(0.5, 2);
  });
});
