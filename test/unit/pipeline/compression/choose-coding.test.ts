import { describe, expect, it } from 'vitest';
import { chooseCoding } from '../../../../src/pipeline/compression/choose-coding.js';

const both = ['br', 'gzip'] as const;

describe('Accept-Encoding', () => {
  it.each([
    ['', null],
    [',', null],
    ['identity', null],
    ['deflate', null],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate, br', 'br'],
    ['gzip,deflate,br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    [' \t gzip \t ;\t q=0.5 , , br;q=0.4', 'gzip'],
    ['br;q=1.0, gzip;q=1.000', 'br'],
    ['br;q=0.999, gzip', 'gzip'],
    ['gzip;q=0', null],
    ['gzip;q=0.000, br;q=0', null],
    ['gzip;q=0.001', 'gzip'],
    ['*', 'br'],
    ['*;q=0', null],
    ['gzip, *;q=0', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['*;q=0.5, gzip;q=0.4', 'br'],
    ['identity;q=1, gzip;q=0.5', null],
    ['identity, gzip', 'gzip'],
    ['identity;q=0, br;q=0.1', 'br'],
    ['identity;q=0', null],
    ['gzip;q=abc', null],
    ['gzip;q=1.5', null],
    ['gzip;q=-1', null],
    ['gzip;q=0.1234', null],
    ['gzip;q=', null],
    ['gzip;level=9', 'gzip'],
    ['gzip;q=0, gzip', null],
    ['"gzip"', null],
    ['gzip\u00a0', null],
  ] as const)('%j gives %j', (accept, expected) => {
    expect(chooseCoding(accept, both)).toBe(expected);
  });

  it('takes the first that is offered among equals', () => {
    expect(chooseCoding('gzip, br', ['gzip', 'br'])).toBe('gzip');
    expect(chooseCoding('*', ['gzip', 'br'])).toBe('gzip');
  });

  it('gives nothing that is not offered', () => {
    expect(chooseCoding('br, zstd, *', ['gzip'])).toBe('gzip');
    expect(chooseCoding('br', ['gzip'])).toBeNull();
    expect(chooseCoding('br', [])).toBeNull();
  });
});
