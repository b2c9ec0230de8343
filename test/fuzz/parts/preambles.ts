// Headers of the PROXY protocol: what is written is read, cut anywhere; what is wrong is told, and told once.

import { isIP } from 'node:net';
import fc from 'fast-check';
import { type ProxyHeader, parseProxyHeader } from '../../../src/listener/proxy-protocol.js';
import { formatProxyHeader, type ProxiedEnds } from '../../../src/upstream/proxy-header.js';
import { fuzzPart } from '../part.js';
import { anyBytes, bytesOf, damaged, holds, same } from '../texts.js';

const port = fc.nat({ max: 65_535 });
/** In the form in which sockets write them. */
const addresses6 = fc.constantFrom('::1', '2001:db8::1', 'fe80::1:2:3:4', '::', '1:2:3:4:5:6:7:8', '2001:db8:0:1::');
const address4 = fc.tuple(...[0, 1, 2, 3].map(() => fc.nat({ max: 255 }))).map((parts) => parts.join('.'));
const ends: fc.Arbitrary<ProxiedEnds> = fc
  .oneof(fc.tuple(address4, address4), fc.tuple(addresses6, addresses6))
  .chain(([from, to]) =>
    fc.record({
      source: fc.record({ address: fc.constant(from), port }),
      destination: fc.record({ address: fc.constant(to), port }),
    }),
  );

interface PreambleCase {
  readonly text: string;
  /** What a right one says; undefined: it may be wrong. */
  readonly said?: ProxiedEnds | null;
}

const right: fc.Arbitrary<PreambleCase> = fc
  .tuple(fc.constantFrom('v1' as const, 'v2' as const), fc.option(ends))
  .map(([version, said]) => ({ text: formatProxyHeader(version, said).toString('latin1'), said }));

const lines = fc.constantFrom(
  ...[
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP6 ::1 ::2 1 2\r\n',
    'PROXY UNKNOWN x y z\r\n',
    'PROXY UNKNOWN\r\n',
    'PROXY TCP4 1.2.3.4 ::1 1 2\r\n',
  ],
  ...[
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n',
    'PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP6 fe80::1%lo ::2 1 2\r\n',
    'GET / HTTP/1.1\r\n',
  ],
  ...[
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c1234567812ab',
    '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0',
    '\r\n\r\n\0\r\nQUIT\n\x21\x31\0\x02ab',
    '\r\n\r\n\0\r\nQUIT\n\x21\x21\xff\xff',
  ],
);
const any: fc.Arbitrary<PreambleCase> = damaged(
  fc.oneof(
    lines,
    right.map(({ text }) => text),
  ),
  'PROXY ',
  '\r\n',
).map((text) => ({ text }));
const junk: fc.Arbitrary<PreambleCase> = anyBytes(60).map((text) => ({ text }));

export const preambles = fuzzPart<PreambleCase>({
  name: 'preambles',
  cases: fc.oneof(right, any, junk),
  check: ({ text, said }) => {
    const bytes = bytesOf(`${text}GET /`);
    let first: ProxyHeader = { kind: 'partial' };
    for (let length = 0; length <= bytes.length; length++) {
      const header = parseProxyHeader(bytes.subarray(0, length));
      if (first.kind !== 'partial') same(`told once, and the same with ${length} bytes`, header, first);
      else first = header;
      if (header.kind === 'header') holds('no more than there is', header.size <= length);
    }
    if (said !== undefined) same('what was written', first, { kind: 'header', size: text.length, ends: said });
    if (first.kind !== 'header' || first.ends === null) return;
    for (const end of [first.ends.source, first.ends.destination]) {
      holds(`an address and a port: ${JSON.stringify(end)}`, isIP(end.address) !== 0 && end.port >= 0 && end.port <= 65_535);
    }
  },
  perSecond: 1500,
});
