import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressSet } from '../../../src/base/ip.js';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();

describe('an address set', () => {
  it('says of IPv4 what the list of Node says', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })), { maxLength: 5 }), ipv4, (ranges, address) => {
        const list = new BlockList();
        for (const [start, prefix] of ranges) list.addSubnet(start, prefix, 'ipv4');
        const set = createAddressSet(ranges.map(([start, prefix]) => `${start}/${prefix}`));
        for (const one of [address, ...ranges.map(([start]) => start)]) expect(set.has(one)).toBe(list.check(one, 'ipv4'));
      }),
    );
  });

  it('says of IPv6 what the list of Node says', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })), { maxLength: 5 }), ipv6, (ranges, address) => {
        // Mapped addresses belong to IPv4 here, and to both in the list of Node.
        fc.pre([address, ...ranges.map(([start]) => start)].every((one) => !/^(?:0*:){0,5}:?0*:?ffff:/i.test(one)));
        const list = new BlockList();
        for (const [start, prefix] of ranges) list.addSubnet(start, prefix, 'ipv6');
        const set = createAddressSet(ranges.map(([start, prefix]) => `${start}/${prefix}`));
        for (const one of [address, ...ranges.map(([start]) => start)]) expect(set.has(one)).toBe(list.check(one, 'ipv6'));
      }),
    );
  });

  it('holds an address in whatever spelling', () => {
    const set = createAddressSet(['2001:db8::1', '::1.2.3.4']);
    for (const spelling of ['2001:DB8:0:0::1', '2001:0db8::0001', '::102:304', '0:0:0:0:0:0:1.2.3.4'])
      expect(set.has(spelling)).toBe(true);
    expect(set.has('2001:db8::2')).toBe(false);
  });

  it('answers as fast with a hundred thousand addresses as with one', () => {
    const many = createAddressSet(Array.from({ length: 100_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`));
    const begun = performance.now();
    for (let turn = 0; turn < 10_000; turn++) many.has('192.0.2.1');
    // One after another that would be a thousand million comparisons.
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(many.has('10.1.134.159')).toBe(true);
    expect(many.has('10.1.134.160')).toBe(false);
  });
});
