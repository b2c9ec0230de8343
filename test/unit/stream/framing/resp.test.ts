import { expect, test } from 'vitest';
import { RespReplyScanner } from '../../../../src/stream/framing/resp-reply-scanner.js';
import { RespRequestScanner } from '../../../../src/stream/framing/resp-request-scanner.js';
import { part } from './messages.js';

const request = (text: string) => part(new RespRequestScanner(), Buffer.from(text, 'latin1'));
const reply = (text: string) => part(new RespReplyScanner(), Buffer.from(text, 'latin1'));
const array = (...texts: string[]) => `*${texts.length}\r\n${texts.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`;

test.each([
  ['a length with a sign', '*+1\r\n'],
  ['a length with a leading zero', '*1\r\n$03\r\nGET\r\n'],
  ['a length that is none', '*x\r\n'],
  ['a text that is not there', '*1\r\n$-1\r\n'],
  ['a text that is longer than it says', '*1\r\n$3\r\nGETS\r\n'],
  ['something else than a text in an array', '*1\r\n:1\r\n'],
  ['an array in an array', '*1\r\n*1\r\n'],
  ['an array of more texts than there can be', '*99999999999\r\n'],
  ['a text of more bytes than there can be', '*1\r\n$99999999999\r\n'],
  ['a line feed without a carriage return behind a length', '*1\n'],
  ['an unknown length', '*?\r\n'],
  ['a quotation that is not closed', 'set a "b\r\n'],
  ['text right behind a quotation', 'set a "b"c\r\n'],
  ['a zero byte in a line', 'get a\0b\r\n'],
  ['a line of more than 64 KiB', 'x'.repeat(70_000)],
])('a request with %s is refused, as Redis would close the shared connection because of it', (_what, text) => {
  expect(request(text).broken).toBe(true);
});

test.each([
  ['an unknown first byte', '?x\r\n'],
  ['a text that is longer than it says', '$2\r\nabc\r\n'],
  ['a line feed in a simple value', '+a\nb\r\n'],
  ['a length that is none', '$x\r\n'],
  ['a piece outside of a text', ';3\r\nabc\r\n'],
  ['an end of nothing', '.\r\n'],
  ['too many values of unknown length in one another', '*?\r\n'.repeat(100)],
])('an answer with %s is refused', (_what, text) => {
  expect(reply(text).broken).toBe(true);
});

test('arrays that lie in one another cost no memory, however deep', () => {
  const depth = 100_000;
  expect(reply(`${'*1\r\n'.repeat(depth)}+x\r\n`).messages).toHaveLength(1);
});

test('an empty command is a message that gets no answer', () => {
  expect(request('\r\n*0\r\n   \n*-1\r\n').notes).toEqual(['alone||', 'alone||', 'alone||', 'alone||']);
});

test('a push is no answer', () => {
  expect(reply('+OK\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n:1\r\n').notes).toEqual(['||', 'alone||', '||']);
});

test.each(['SUBSCRIBE', 'monitor', 'Multi', 'WATCH', 'AUTH', 'RESET', 'PSYNC', 'SUNSUBSCRIBE'])(
  '%s, which would change the shared connection, is answered without Redis',
  (name) => {
    const [note] = request(array(name, 'x')).notes;
    expect(note).toBe(`|-ERR ${name.toUpperCase()} cannot be used over a connection that many clients share\r\n|`);
  },
);

test('commands with two words are told by the second', () => {
  expect(request(array('CLIENT', 'REPLY', 'OFF')).notes[0]).toContain('CLIENT REPLY cannot be used');
  expect(request(array('CLIENT', 'ID')).notes[0]).toBe('||');
  expect(request(array('SELECT', '0')).notes[0]).toBe('|+OK\r\n|');
  expect(request(array('SELECT', '1')).notes[0]).toContain('stays with database 0');
  expect(request(array('HELLO', '3')).notes[0]).toContain('-NOPROTO');
});

test('QUIT ends the client, not the shared connection', () => {
  expect(request('quit\r\n').notes[0]).toBe('|+OK\r\n|last');
});

test('a refused command cannot hide behind quotation marks or escapes', () => {
  expect(request('"mul"\r\n').notes[0]).toBe('||');
  expect(request('"\\x6dulti"\r\n').notes[0]).toContain('MULTI cannot be used');
  expect(request("'multi'\r\n").notes[0]).toContain('MULTI cannot be used');
});

test('words that only begin like a refused command pass', () => {
  expect(request(array('SUBSCRIBERS-OF-THE-LIST', 'x')).notes[0]).toBe('||');
  expect(request(array('GET', 'MULTI')).notes[0]).toBe('||');
});
