import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/base/varints.js';

describe('numbers and texts as bytes', () => {
  it('are read as they were written, up to the largest number and beyond the first buffer', () => {
    const numbers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];
    const texts = ['', 'example.com', 'bücher.example', 'x'.repeat(10_000)];
    const out = new ByteWriter();
    for (const number of numbers) out.number(number);
    for (const text of texts) out.text(text);
    const from = new ByteReader(out.take());
    expect(numbers.map(() => from.number())).toEqual(numbers);
    expect(texts.map(() => from.text())).toEqual(texts);
    expect(from.done).toBe(true);
    expect(out.length).toBe(0);
  });

  it('takes one byte for a small number', () => {
    const out = new ByteWriter();
    out.number(100);
    expect(out.length).toBe(1);
  });

  it.each([
    ['a number without an end', [0x80], 'number'],
    ['a number beyond all', Array.from({ length: 9 }, () => 0xff), 'number'],
    ['a text that is longer than what is there', [5, 97], 'text'],
    ['more things than bytes', [100], 'count'],
  ] as const)('refuses %s', (_, bytes, method) => {
    const from = new ByteReader(Buffer.from(bytes));
    expect(() => from[method]()).toThrow(/cut short|too large|more is announced/);
  });
});
