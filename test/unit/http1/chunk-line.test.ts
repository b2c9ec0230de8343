// The line that begins a chunk.
import { describe, expect, it } from 'vitest';
import { chunkHead } from '../../../src/http1/chunk-line.js';

describe('chunkHead', () => {
  it.each([
    [0, '0\r\n'],
    [10, 'a\r\n'],
    [31, '1f\r\n'],
    [65_536, '10000\r\n'],
    [2 ** 40, '10000000000\r\n'],
  ])('writes %d in hexadecimal', (size, line) => {
    expect(chunkHead(size)).toBe(line);
  });
});
