import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProxyHeader } from '../../../src/listener/proxy-protocol.js';
import { formatProxyHeader, type ProxiedEnds } from '../../../src/upstream/proxy-header.js';

const ends: ProxiedEnds = { source: { address: '192.0.2.7', port: 56324 }, destination: { address: '198.51.100.1', port: 443 } };
const ends6: ProxiedEnds = {
  source: { address: '2001:db8::7', port: 1 },
  destination: { address: '2001:db8:0:1::1', port: 65535 },
};
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** A header of version 2 with these bytes behind the signature. */
function version2(hex: string): Buffer {
  return Buffer.concat([signature, Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
}

function faultOf(bytes: Buffer | string): string {
  const found = parseProxyHeader(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return found.kind === 'fault' ? found.text : found.kind;
}

describe('PROXY headers', () => {
  it('are read in both versions, and what follows them is left alone', () => {
    const text = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n', 'latin1');
    expect(parseProxyHeader(text)).toEqual({ kind: 'header', size: 45, ends });
    const text6 = Buffer.from('PROXY TCP6 2001:db8::7 2001:db8:0:1::1 1 65535\r\n', 'latin1');
    expect(parseProxyHeader(text6)).toEqual({ kind: 'header', size: text6.length, ends: ends6 });
    const binary = version2('21 11 000c c0000207 c6336401 dc04 01bb 0a0b');
    expect(parseProxyHeader(binary)).toEqual({ kind: 'header', size: 28, ends });
  });

  it('of every length are read the same, however they are cut', () => {
    const texts = ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'];
    const whole = [
      ...texts.map((text) => Buffer.from(text, 'latin1')),
      formatProxyHeader('v1', ends),
      formatProxyHeader('v1', ends6),
      formatProxyHeader('v2', ends),
      formatProxyHeader('v2', ends6),
      formatProxyHeader('v2', null),
      // With a field that says something more, and one for unix sockets.
      version2('21 11 0011 c0000207 c6336401 dc04 01bb 04 0002 abcd'),
      version2(`21 31 00d8 ${'00'.repeat(216)}`),
    ];
    for (const header of whole) {
      for (let cut = 0; cut < header.length; cut++) expect(parseProxyHeader(header.subarray(0, cut)).kind).toBe('partial');
      const behind = parseProxyHeader(Buffer.concat([header, Buffer.from('PROXY')]));
      expect(behind).toMatchObject({ kind: 'header', size: header.length });
    }
  });

  it('come back as they were written', () => {
    const version = fc.constantFrom('v1' as const, 'v2' as const);
    const port = fc.integer({ min: 0, max: 65_535 });
    const ipv4 = fc.ipV4();
    // Plain spellings only: an address has several, and what is read is the usual one.
    const ipv6 = fc
      .array(fc.integer({ min: 1, max: 65_535 }), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.map((group) => group.toString(16)).join(':'));
    const pair = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
    fc.assert(
      fc.property(version, pair, port, port, (written, [from, to], fromPort, toPort) => {
        const sent = { source: { address: from, port: fromPort }, destination: { address: to, port: toPort } };
        const header = formatProxyHeader(written, sent);
        expect(parseProxyHeader(header)).toEqual({ kind: 'header', size: header.length, ends: sent });
      }),
    );
    const short = { source: { address: '::1', port: 1 }, destination: { address: '1:0:0:2::', port: 2 } };
    for (const one of ['v1', 'v2'] as const) {
      const found = parseProxyHeader(formatProxyHeader(one, short));
      expect(found.kind === 'header' && found.ends?.source.address).toBe('::1');
      expect(found.kind === 'header' && found.ends?.destination.address).toBe('1:0:0:2::');
    }
  });

  it('say nothing of a sender that speaks for itself, or of addresses of two families', () => {
    expect(parseProxyHeader(version2('20 11 000c c0000207 c6336401 dc04 01bb'))).toEqual({
      kind: 'header',
      size: 28,
      ends: null,
    });
    expect(parseProxyHeader(formatProxyHeader('v2', null))).toEqual({ kind: 'header', size: 16, ends: null });
    const mixed = { source: ends.source, destination: ends6.destination };
    expect(formatProxyHeader('v1', mixed).toString()).toBe('PROXY UNKNOWN\r\n');
    expect(parseProxyHeader(formatProxyHeader('v2', mixed))).toEqual({ kind: 'header', size: 16, ends: null });
  });

  it('that are none are told apart with the first byte that cannot be one', () => {
    expect(faultOf('G')).toBe('no PROXY header');
    expect(faultOf('PROXX')).toBe('no PROXY header');
    expect(faultOf('\r\n\r\nX')).toBe('no PROXY header');
    expect(faultOf(`PROXY TCP4 ${'1'.repeat(120)}`)).toBe('a PROXY line without an end');
    const wrong = ['TCP4 1.2.3.4 5.6.7.8 1', 'TCP4 1.2.3.4 ::1 1 2', 'TCP4 1.2.3.4 5.6.7.8 01 2', 'TCP4 1.2.3.4 5.6.7.8 1 65536'];
    for (const line of [...wrong, 'TCP5 1.2.3.4 5.6.7.8 1 2', 'TCP4  1.2.3.4 5.6.7.8 1 2', 'TCP6 fe80::1%eth0 ::1 1 2']) {
      expect(faultOf(`PROXY ${line}\r\n`)).toBe('a PROXY line that cannot be read');
    }
    expect(faultOf(version2('31'))).toBe('a PROXY header of an unknown version');
    expect(faultOf(version2('31 11 000c'))).toBe('a PROXY header of an unknown version');
    expect(faultOf(version2('22 11 000c'))).toBe('a PROXY header with an unknown command');
    expect(faultOf(version2('21 11 1001'))).toBe('a PROXY header of more than 4096 bytes');
    expect(faultOf(version2('21 11 0008 0000000000000000'))).toBe('a PROXY header that is too short for its addresses');
  });
});
