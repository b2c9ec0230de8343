// Greetings of TLS clients: what was put in is read, cut anywhere and in any records; what is wrong is told, and told once.
import fc from 'fast-check';
import { ClientHelloReader, type HelloReading } from '../../../src/listener/client-hello.js';
import { fuzzPart } from '../part.js';
import { anyBytes, bytesOf, damaged, holds, same } from '../texts.js';

const number = (value: number, size: number): string => {
  let text = '';
  for (let at = size - 1; at >= 0; at--) text += String.fromCharCode((value >>> (8 * at)) & 255);
  return text;
};
const counted = (text: string, size: number): string => number(text.length, size) + text;

const names = fc.constantFrom(
  'example.com',
  'EXAMPLE.com.',
  'a',
  'x_y.example',
  'a..b',
  'a b',
  '-',
  `${'a'.repeat(250)}.com`,
  '',
);
const protocols = fc.array(fc.constantFrom('h2', 'http/1.1', 'x', 'acme-tls/1'), { maxLength: 4 });
const otherExtensions = fc.array(fc.tuple(fc.constantFrom(1, 10, 13, 21, 43, 45, 51, 0x3a3a, 65_281), anyBytes(60)), {
  maxLength: 5,
});

interface GreetingCase {
  /** The records, one byte a character. */
  readonly text: string;
  /** What a right one says. */
  readonly said: { readonly name: string; readonly protocols: readonly string[] } | null;
}

const right: fc.Arbitrary<GreetingCase> = fc
  .record({
    name: names,
    protocols,
    others: otherExtensions,
    session: anyBytes(32),
    ciphers: fc.integer({ min: 1, max: 40 }),
    size: fc.integer({ min: 1, max: 700 }),
  })
  .map(({ name, protocols, others, session, ciphers, size }) => {
    const extension = (kind: number, data: string): string => number(kind, 2) + counted(data, 2);
    const extensions = others.map(([kind, data]) => extension(kind, data));
    if (name !== '') extensions.push(extension(0, counted(`\0${counted(name, 2)}`, 2)));
    if (protocols.length > 0) extensions.unshift(extension(16, counted(protocols.map((text) => counted(text, 1)).join(''), 2)));
    const body = `\x03\x03${'r'.repeat(32)}${counted(session, 1)}${counted('\x13\x01'.repeat(ciphers), 2)}${counted('\0', 1)}${counted(extensions.join(''), 2)}`;
    const message = `\x01${counted(body, 3)}`;
    let text = '';
    for (let at = 0; at < message.length; at += size) text += `\x16\x03\x01${counted(message.slice(at, at + size), 2)}`;
    const host = name.replace(/\.$/, '').toLowerCase();
    const isHost = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host) && host.length <= 253;
    return { text, said: { name: isHost ? host : '', protocols } };
  });

const wrong: fc.Arbitrary<GreetingCase> = fc.oneof(
  damaged(right.map(({ text }) => text)).map((text) => ({ text, said: null })),
  anyBytes(80).map((text) => ({ text: `\x16\x03\x01${text}`, said: null })),
);

export const greetings = fuzzPart<GreetingCase>({
  name: 'greetings',
  cases: fc.oneof(right, wrong),
  check: ({ text, said }) => {
    const bytes = bytesOf(text);
    let first: HelloReading = 'more';
    for (let length = 0; length <= bytes.length; length++) {
      const reading = new ClientHelloReader().push(bytes.subarray(0, length));
      if (first === 'more') first = reading;
      else same(`told once, and the same with ${length} bytes`, reading, first);
    }
    if (said !== null) same('what it says', first, { serverName: said.name, protocols: said.protocols });
    if (typeof first === 'object') holds(`a name: ${first.serverName}`, /^[a-z0-9._-]*$/.test(first.serverName));
  },
  perSecond: 300,
});
