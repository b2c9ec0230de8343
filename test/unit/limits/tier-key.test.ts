import { describe, expect, it, test } from 'vitest';
import { addressKey, KeyDigests, nameKey } from '../../../src/limits/tier-key.js';

describe('addressKey', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['unix', 'unix'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['2001:db8:0:0:1::', '2001:db8::/64'],
    ['2001:db8:0:5::1', '2001:db8:0:5::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['::1', '::/64'],
    ['::', '::/64'],
    ['::5:0:0:0:0', '0:0:0:5::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b::/64'],
    ['1:2:3:4:5:6:192.0.2.33', '1:2:3:4::/64'],
    ['not an address: at all', 'not an address: at all'],
  ])('%s is counted as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it('gives all addresses of a client with a /64 one key', () => {
    const keys = Array.from({ length: 100 }, (_, at) => addressKey(`2001:db8:7:8:${at.toString(16)}::${at.toString(16)}`));
    expect(new Set(keys).size).toBe(1);
  });
});

describe('KeyDigests', () => {
  const digests = new KeyDigests();

  it('gives the SHA-256 that `sha256sum` prints, again and again', () => {
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect([digests.of('abc'), digests.of('abc')]).toEqual([digest, digest]);
  });

  it('takes neither an empty text nor a long one for a key', () => {
    expect(digests.of('')).toBe('');
    expect(digests.of('x'.repeat(1_025))).toBe('');
    expect(digests.of('x'.repeat(1_024))).toHaveLength(64);
  });
});

it('nameKey keeps short names and digests long ones', () => {
  expect(nameKey('alice')).toBe('alice');
  expect(nameKey('a'.repeat(129))).toMatch(/^[0-9a-f]{64}$/);
  expect(nameKey('a'.repeat(129))).not.toBe(nameKey('a'.repeat(130)));
});
