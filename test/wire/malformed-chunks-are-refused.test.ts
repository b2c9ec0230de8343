// Chunk sizes are where readers differ most: a size that one reads and another does not begins a request of its own.
import { describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { type Refusal, refuses, smuggled } from './refusals.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy({ server: { maxLineBytes: 1024, maxHeadBytes: 4096 } });

const body = (bytes: string): string => `POST /body HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n${bytes}`;
const row = (what: string, bytes: string): Refusal => ({ what, bytes: body(bytes), code: 'bad-chunk', inBody: true });

const sizes: readonly Refusal[] = [
  row('a size in front of which is a blank', ` 5\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size behind which is a blank', `5 \r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size behind which is a tab', `5\t\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size with a prefix', `0x5\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size with a sign', `+5\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a negative size', `-5\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size with an underscore', `1_0\r\n0123456789abcdef\r\n0\r\n\r\n${smuggled}`),
  row('an empty size', `\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size that is no number', `five\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size that overflows 64 bits', `10000000000000005\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size beyond what can be counted', `fffffffffffffff\r\nhello`),
  row('a size of a thousand zeros', `${'0'.repeat(1000)}5\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size line that ends with a bare LF', `5\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a size line that ends with a lone CR', `5\rhello\r\n0\r\n\r\n${smuggled}`),
  row('data that is longer than its size', `5\r\nhello!\r\n0\r\n\r\n${smuggled}`),
  row('data that is shorter than its size', `6\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('data that ends with a bare LF', `5\r\nhello\n0\r\n\r\n${smuggled}`),
  row('an extension that ends with a bare LF', `5;a\nhello\r\n0\r\n\r\n${smuggled}`),
  row('an extension without a name', `5;\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('an extension with a blank', `5; a=b\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('an extension whose quotes never close', `5;a="b\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('a CR in the quotes of an extension', `5;a="\r"\r\nhello\r\n0\r\n\r\n${smuggled}`),
  row('an extension that never ends', `5;${'a'.repeat(1100)}`),
  row('a flood of extensions', `1;${'a'.repeat(1000)}\r\nx\r\n`.repeat(5)),
  row('a last chunk that ends with bare LFs', `5\r\nhello\r\n0\n\n${smuggled}`),
  row('a trailer section that ends with a bare LF', `5\r\nhello\r\n0\r\nA: b\n\n${smuggled}`),
  row('a folded trailer', `5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n${smuggled}`),
  row('a trailer with a blank before the colon', `5\r\nhello\r\n0\r\nA : b\r\n\r\n${smuggled}`),
  row('trailers that never end', `5\r\nhello\r\n0\r\n${`A: ${'b'.repeat(900)}\r\n`.repeat(5)}`),
];

describe('a chunked request', () => refuses(wire, sizes));

it('forwards trailers, but none that decides about framing, routing or rights', async () => {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  const trailers = [
    'X-Checksum: 1',
    'Content-Length: 999',
    'Transfer-Encoding: chunked',
    'Host: evil.example.com',
    'X-Forwarded-For: 6.6.6.6',
    'X_Forwarded_For: 6.6.6.6',
    'X-Real-IP: 6.6.6.6',
    'Authorization: Basic ZXZpbDpldmls',
    'Cookie: admin=1',
    'Content-Type: text/html',
    'Connection: close',
    'Upgrade: websocket',
    'Trailer: X-Checksum',
    'X-More: 2',
  ];
  const request = `${head('POST', '/', host, 'Transfer-Encoding: chunked')}1\r\na\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`;
  expect((await world.exchange(request)).status).toBe(200);
  expect(backend.only.body?.trailers.lines).toEqual([
    ['X-Checksum', '1'],
    ['X-More', '2'],
  ]);
});

it('sends a chunked body on in its own framing, so that nothing of the client’s reaches the backend', async () => {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  const request = `${head('POST', '/', host, 'Transfer-Encoding: chunked')}000005;a="b;c\\"";d\r\nhello\r\n00;e\r\n\r\n`;
  expect((await world.exchange(request)).status).toBe(200);
  expect(backend.only.text).toBe('hello');
});

it('gives a backend up that has seen the beginning of a body that turns out malformed', async () => {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  const client = await world.client();
  client.send(`${head('POST', '/body', host, 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
  const [connection] = await eventually('the head to arrive', () => backend.requests.length === 1 && backend.connections);
  client.send('5 \r\nworld\r\n0\r\n\r\n');
  expect((await client.response()).fields.get('x-cjs-proxy-error')).toBe('bad-chunk');
  expect(await client.ended()).toBe('end');
  await eventually('the backend connection to close', () => connection?.closed);
  expect(backend.only.body).toBeNull();
});
