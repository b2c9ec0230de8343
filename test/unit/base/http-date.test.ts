import { expect, it } from 'vitest';
import { httpDate } from '../../../src/base/http-date.js';

it('a date has the form of RFC 9110 and changes with the second', () => {
  const wall = Date.UTC(1994, 10, 6, 8, 49, 37, 900);
  expect(httpDate(wall)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  expect(httpDate(wall + 99)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  expect(httpDate(wall + 100)).toBe('Sun, 06 Nov 1994 08:49:38 GMT');
});
