import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FramingSetting } from '../../../../src/config/stream-config.js';
import { fullRead, MessageReader } from '../../../../src/stream/framing/message-reader.js';
import { eventually } from '../../../helpers/eventually.js';

/** A reader that keeps what it is told; `overwrite` shows whether bytes were kept that belong to the read buffer. */
function reading(framing: FramingSetting, limit = 1_000_000) {
  const messages: string[] = [];
  const faults: string[] = [];
  const reader = new MessageReader(framing, limit, {
    message: (bytes) => {
      messages.push(bytes.toString('latin1'));
      return true;
    },
    unreadable: (why) => void faults.push(why),
  });
  const push = (text: string): void => {
    const buffer = Buffer.from(text, 'latin1');
    reader.push(buffer);
    buffer.fill('#');
  };
  return { reader, push, messages, faults };
}

test('messages are whole wherever the bytes are cut, though the read buffer is used again', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1 }), fc.array(fc.nat()), (lines, places) => {
      const sent = lines.map((line) => `${line}\n`);
      const all = sent.join('');
      const cuts = [...new Set(places.map((place) => place % all.length))].sort((a, b) => a - b);
      const { push, messages } = reading({ kind: 'line' });
      [0, ...cuts].forEach((cut, index) => {
        const piece = all.slice(cut, cuts[index] ?? all.length);
        if (piece !== '') push(piece);
      });
      expect(messages).toEqual(sent);
    }),
  );
});

test.each([
  ['line', { kind: 'line' }],
  ['resp', { kind: 'resp' }],
  ['idle-gap', { kind: 'idle-gap', milliseconds: 1000 }],
] as const)('a message that grows beyond the limit is refused with %s framing, and nothing is kept of it', (_kind, framing) => {
  const { reader, push, faults } = reading(framing, 1000);
  for (let times = 0; times < 20; times++) push('x'.repeat(100));
  expect(faults).toEqual(['too-large']);
  expect(reader.held).toBe(0);
});

test('with chunk framing every read is a message at once', () => {
  const { push, messages } = reading({ kind: 'chunk' });
  push('one');
  push('two');
  expect(messages).toEqual(['one', 'two']);
});

test('with chunk framing reads that fill the buffer belong together', async () => {
  const { push, messages } = reading({ kind: 'chunk' });
  push('a'.repeat(fullRead));
  push('b');
  expect(messages).toEqual([`${'a'.repeat(fullRead)}b`]);
  push('c'.repeat(fullRead));
  await eventually('the end of the turn', () => messages.length === 2);
});

test('with chunk framing what is larger than a message may be is several', () => {
  const { push, messages, faults } = reading({ kind: 'chunk' }, 2 * fullRead);
  for (let times = 0; times < 5; times++) push('a'.repeat(fullRead));
  push('b');
  expect(messages.map(({ length }) => length)).toEqual([2 * fullRead, 2 * fullRead, fullRead + 1]);
  expect(faults).toEqual([]);
});

test('the end of the sender ends a message that silence would have ended', () => {
  const { reader, push, messages } = reading({ kind: 'idle-gap', milliseconds: 60_000 });
  push('one ');
  push('message');
  expect(messages).toEqual([]);
  reader.end();
  expect(messages).toEqual(['one message']);
  reader.stop();
});
