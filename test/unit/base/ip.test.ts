import { describe, expect, it } from 'vitest';
import { createAddressSet, parseRange, plainAddress } from '../../../src/base/ip.js';

describe('a plain address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:1.2.3.4', '1.2.3.4'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
    ['::ffff:102:304', '1.2.3.4'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:0:1.2.3.4', '::ffff:0:1.2.3.4'],
    ['unix', 'unix'],
    ['', ''],
  ])('of %j is %j', (text, plain) => {
    expect(plainAddress(text)).toBe(plain);
  });
});

describe('a range', () => {
  it('may be a single address', () => {
    expect(parseRange('10.0.0.1')).toEqual({ family: 'ipv4', address: '10.0.0.1', prefix: 32 });
    expect(parseRange('::1')).toEqual({ family: 'ipv6', address: '::1', prefix: 128 });
  });

  it('of mapped addresses is a range of IPv4', () => {
    expect(parseRange('::ffff:10.0.0.0/104')).toEqual({ family: 'ipv4', address: '10.0.0.0', prefix: 8 });
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8x', '10.0.0', 'localhost', '', '/8', '010.0.0.1'])(
    'is not %j',
    (text) => {
      expect(parseRange(text)).toBeNull();
    },
  );
});

describe('an address set', () => {
  const set = createAddressSet(['10.0.0.7/8', '192.0.2.1', ' 2001:db8::/32 ', '::1']);

  it.each(['10.255.0.1', '192.0.2.1', '2001:db8:1::5', '::1', '::ffff:10.1.1.1', '::ffff:a01:101', '2001:db8::1%eth0'])(
    'holds %s',
    (address) => {
      expect(set.has(address)).toBe(true);
    },
  );

  it.each(['11.0.0.1', '192.0.2.2', '2001:db9::1', '::2', 'unix', '', 'junk', '10.0.0.1.evil', '::ffff:11.0.0.1'])(
    'does not hold %j',
    (address) => {
      expect(set.has(address)).toBe(false);
    },
  );

  it('of all IPv6 addresses holds no IPv4 address, and the other way round', () => {
    expect(createAddressSet(['::/0']).has('1.2.3.4')).toBe(false);
    expect(createAddressSet(['0.0.0.0/0']).has('::1')).toBe(false);
    expect(createAddressSet(['0.0.0.0/0']).has('::ffff:1.2.3.4')).toBe(true);
  });

  it('without entries holds nothing', () => {
    expect(createAddressSet([]).has('127.0.0.1')).toBe(false);
  });

  it('names the entry that it cannot read', () => {
    expect(() => createAddressSet(['10.0.0.1', '10.0.0.0/64'])).toThrow('"10.0.0.0/64" is neither an IP address nor a range');
  });
});
