import { describe, expect, test } from 'vitest';
import { parseDuration, parseSize } from '../../../src/config/units.js';

describe('a duration', () => {
  test.each([
    ['30', 30_000],
    ['0.5', 500],
    ['500ms', 500],
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('%s is read', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', 'soon', '-1s', '30 s', '1e3', '30S', 's', '1s2'])('"%s" is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});

describe('a size', () => {
  test.each([
    ['65536', 65_536],
    ['64KiB', 65_536],
    ['64k', 65_536],
    ['64kB', 64_000],
    ['1.5M', 1_572_864],
    ['2 GiB', 2_147_483_648],
  ])('%s is read', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'big', '-1', '64 furlongs', '0.3', '99999999999G'])('"%s" is none', (text) => {
    expect(parseSize(text)).toBeNull();
  });
});
