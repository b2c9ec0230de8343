import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FramingSetting } from '../../../../src/config/stream-config.js';
import { createScanner } from '../../../../src/stream/framing/create-scanner.js';
import type { FrameScanner, FrameSide } from '../../../../src/stream/framing/framing.js';
import { part } from './messages.js';

/** A value of RESP2 or RESP3 as Redis would write it. */
const value = fc.letrec<{ value: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(
      '+OK\r\n',
      '-ERR no\r\n',
      ':1000\r\n',
      '_\r\n',
      '#t\r\n',
      ',1.5\r\n',
      '(349\r\n',
      '$-1\r\n',
      '*-1\r\n',
      '+a\rb\r\n',
    ),
    fc.string({ unit: 'binary-ascii' }).map((text) => `$${text.length}\r\n${text}\r\n`),
    fc.string({ unit: 'binary-ascii' }).map((text) => `=${text.length + 4}\r\ntxt:${text}\r\n`),
    fc.array(fc.constantFrom('x', '\r\n', '$5\r\n', 'abc'), { minLength: 1, maxLength: 3 }).map((texts) => {
      return `$?\r\n${texts.map((text) => `;${text.length}\r\n${text}\r\n`).join('')};0\r\n`;
    }),
  ),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => `*${values.length}\r\n${values.join('')}`),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => `~${values.length}\r\n${values.join('')}`),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => `*?\r\n${values.join('')}.\r\n`),
    fc
      .array(fc.tuple(tie('leaf'), tie('value')), { maxLength: 3 })
      .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join('')}`),
    fc.tuple(tie('leaf'), tie('value')).map(([key, of]) => `|1\r\n${key}+x\r\n${of}`),
  ),
})).value;

const command = fc.oneof(
  fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1, maxLength: 5 }).map((texts) => {
    return `*${texts.length}\r\n${texts.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`;
  }),
  fc.constantFrom('PING\r\n', 'set a "b c"\n', '\r\n', '*0\r\n', '*-1\r\n', "get 'it\\'s'\r\n", '*1\r\n$4\r\nQUIT\r\n'),
);

function prefixed(setting: Extract<FramingSetting, { kind: 'length-prefix' }>): fc.Arbitrary<string> {
  const { size, offset, endianness, includesHeader } = setting;
  return fc.string({ unit: 'binary-ascii', maxLength: 200 }).map((body) => {
    const header = Buffer.alloc(offset + size, 7);
    const length = BigInt(body.length + (includesHeader ? offset + size : 0));
    for (let byte = 0; byte < size; byte++) {
      const place = endianness === 'big' ? size - 1 - byte : byte;
      header[offset + place] = Number((length >> BigInt(8 * byte)) & 255n);
    }
    return header.toString('latin1') + body;
  });
}

const lengthPrefixes = [1, 2, 3, 4, 6, 8].flatMap((size) =>
  (['big', 'little'] as const).map((endianness) => {
    return { kind: 'length-prefix', size, offset: size % 3, endianness, includesHeader: size % 2 === 0 } as const;
  }),
);

const kinds: readonly (readonly [string, FramingSetting, FrameSide, fc.Arbitrary<string>])[] = [
  ['answers of Redis', { kind: 'resp' }, 'response', value],
  [
    'pushes among answers of Redis',
    { kind: 'resp' },
    'response',
    fc.oneof(
      value,
      value.map((one) => `>1\r\n${one}`),
    ),
  ],
  ['requests of Redis', { kind: 'resp' }, 'request', command],
  ['lines', { kind: 'line' }, 'request', fc.string({ unit: 'binary-ascii' }).map((text) => `${text.replaceAll('\n', '')}\n`)],
  ...lengthPrefixes.map((setting) => {
    const title = `a length of ${setting.size} bytes, ${setting.endianness}-endian`;
    return [title, setting, 'response', prefixed(setting)] as const;
  }),
];

const scannerOf = (setting: FramingSetting, side: FrameSide) => createScanner(setting, side) as FrameScanner;

describe.each(kinds)('%s', (_title, setting, side, message) => {
  test('are the same messages wherever the bytes are cut once', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), (messages) => {
        const bytes = Buffer.from(messages.join(''), 'latin1');
        const whole = part(scannerOf(setting, side), bytes);
        expect(whole).toMatchObject({ messages, rest: '', broken: false });
        for (let cut = 1; cut < bytes.length; cut++) expect(part(scannerOf(setting, side), bytes, [cut])).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test('are the same messages when the bytes come one by one', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const bytes = Buffer.from(messages.join(''), 'latin1');
        const everywhere = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
        expect(part(scannerOf(setting, side), bytes, everywhere)).toEqual(part(scannerOf(setting, side), bytes));
      }),
      { numRuns: 60 },
    );
  });

  test('any bytes are parted or refused, without an end that lies elsewhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (any) => {
        const { messages, rest, broken } = part(scannerOf(setting, side), Buffer.from(any));
        const seen = messages.join('') + rest;
        expect(Buffer.from(any).toString('latin1').startsWith(seen)).toBe(true);
        if (!broken) expect(seen.length).toBe(any.length);
      }),
      { numRuns: 100 },
    );
  });
});
