import { expect, it } from 'vitest';
import { duration, latency, quantity } from '../../../src/cli/output/quantities.js';

it('writes numbers with three digits at most, and a letter', () => {
  const numbers = [0, 7, 0.25, 999, 999.6, 1_000, 1_234, 12_345, 999_499, 1_000_000, 34_000_000_000];
  expect(numbers.map(quantity)).toEqual(['0', '7', '0.3', '999', '1.0k', '1.0k', '1.2k', '12k', '999k', '1.0M', '34G']);
});

it('writes times in the two largest units', () => {
  const seconds = [0.25, 42, 190, 3_600, 18_120, 1_049_000];
  expect(seconds.map((one) => duration(one * 1_000))).toEqual(['250ms', '42s', '3m10s', '1h', '5h2m', '12d3h']);
  expect([0.424, 3.14, 250.4].map(latency)).toEqual(['0.42', '3.1', '250']);
});
