import { describe, expect, it } from 'vitest';
import { AddressCaps } from '../../../src/limits/address-caps.js';

describe('places of an address', () => {
  it('end at the cap, and come back one by one', () => {
    const caps = new AddressCaps(2);
    const first = caps.take('192.0.2.1') as string;
    expect(caps.take('192.0.2.1')).not.toBeNull();
    expect(caps.take('192.0.2.1')).toBeNull();
    expect(caps.take('192.0.2.2')).not.toBeNull();
    caps.give(first);
    expect(caps.take('192.0.2.1')).not.toBeNull();
    expect(caps.take('192.0.2.1')).toBeNull();
  });

  it('are shared by a /64 of IPv6, however it is written', () => {
    const caps = new AddressCaps(2);
    expect(caps.take('2001:db8:0:1::1')).toBe(caps.take('2001:0db8:0000:0001:ffff::2'));
    expect(caps.take('2001:db8:0:1:2:3:4:5')).toBeNull();
    expect(caps.take('2001:db8:0:2::1')).not.toBeNull();
  });

  it('are remembered only while they are taken', () => {
    const caps = new AddressCaps(10);
    const keys = Array.from({ length: 1000 }, (_, at) => caps.take(`10.0.${at >> 8}.${at & 255}`) as string);
    expect(caps.size).toBe(1000);
    for (const key of keys) caps.give(key);
    expect(caps.size).toBe(0);
  });
});
