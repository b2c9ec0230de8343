// HTTP/2 as RFC 9113 has it, section by section, frame by frame.
import { afterEach, describe, expect, it } from 'vitest';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import {
  connectFrames,
  errorCode,
  type FrameClient,
  flag,
  frame,
  frameType,
  get,
  post,
  setting,
  uint32,
} from '../helpers/h2-frames.js';
import { packFields } from '../helpers/hpack.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy({ clearHttp2: true, frontDoor: { http2Streams: 5 }, server: { maxHeadBytes: 8192, bodyTimeout: 1_500 } });
const clients: FrameClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(settings?: Buffer, start = true): Promise<FrameClient> {
  const client = await connectFrames(wire.world.proxy.port, settings, start);
  clients.push(client);
  return client;
}

const whole = flag.endHeaders | flag.endStream;
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const code = (answer: { status: string; fields: ReadonlyMap<string, string> }) =>
  `${answer.status} ${answer.fields.get('x-cjs-proxy-error') ?? ''}`.trim();

describe('3.3 prior knowledge', () => {
  it('serves HTTP/2 and HTTP/1.1 on one address, by the first bytes', async () => {
    const host = await wire.world.frontend(await wire.world.backend(ok('both')));
    const client = await connect();
    const answer = await client.ended(client.request(get(host)));
    expect([answer.status, answer.body.toString(), answer.ended]).toEqual(['200', 'both', true]);
    expect((await wire.world.get(host)).text).toBe('both');
  });

  it('waits for the rest of a first line that may be either', async () => {
    const host = await wire.world.frontend(await wire.world.backend(ok('posted')));
    const client = await wire.world.client();
    client.send('P');
    await new Promise((resolve) => setImmediate(resolve));
    client.send(`OST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    expect((await client.response()).text).toBe('posted');
  });

  it('reads a preface that comes byte by byte', async () => {
    const host = await wire.world.frontend(await wire.world.backend(ok('slow')));
    const client = await connect(undefined, false);
    for (const byte of Buffer.from(preface, 'latin1')) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.send(frame(frameType.settings, 0, 0));
    expect((await client.ended(client.request(get(host)))).body.toString()).toBe('slow');
  });
});

describe('3.4 the preface', () => {
  it('must be followed by SETTINGS', async () => {
    const client = await connect(undefined, false);
    client.send(Buffer.from(preface, 'latin1'), frame(frameType.ping, 0, 0, Buffer.alloc(8)));
    expect(await client.goaway()).toBe(errorCode.protocol);
  });
});

describe('4.2 frame sizes', () => {
  it('beyond 16,384 bytes end the connection', async () => {
    const host = await wire.world.frontend(await wire.world.backend(ok()));
    const client = await connect();
    const stream = client.request(post(host), false);
    client.data(stream, Buffer.alloc(16_385));
    expect(await client.goaway()).toBe(errorCode.frameSize);
  });
});

describe('4.3 field compression', () => {
  it('that cannot be undone ends the connection', async () => {
    const client = await connect();
    client.send(frame(frameType.headers, whole, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])));
    expect(await client.goaway()).toBe(errorCode.compression);
  });

  it('may be cut into CONTINUATION frames', async () => {
    const host = await wire.world.frontend(await wire.world.backend(ok('joined')));
    const client = await connect();
    const fields = packFields(get(host));
    client.send(
      frame(frameType.headers, flag.endStream, 1, fields.subarray(0, 5)),
      frame(frameType.continuation, 0, 1, fields.subarray(5, 9)),
      frame(frameType.continuation, flag.endHeaders, 1, fields.subarray(9)),
    );
    expect((await client.ended(1)).body.toString()).toBe('joined');
  });

  it('may not be interrupted by another frame', async () => {
    const client = await connect();
    client.send(frame(frameType.headers, flag.endStream, 1, packFields(get('a'))), frame(frameType.ping, 0, 0, Buffer.alloc(8)));
    expect(await client.goaway()).toBe(errorCode.protocol);
  });
});

describe('5.1 stream states', () => {
  it.each([
    ['DATA', () => frame(frameType.data, 0, 1, Buffer.from('x'))],
    ['RST_STREAM', () => frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel))],
    ['WINDOW_UPDATE', () => frame(frameType.windowUpdate, 0, 1, uint32(1))],
  ])('an idle stream takes no %s', async (_name, make) => {
    const client = await connect();
    client.send(make());
    expect(await client.goaway()).toBe(errorCode.protocol);
  });

  it('a stream that the client has ended takes no more DATA', async () => {
    const backend = await wire.world.backend(() => new Promise<void>(() => {}));
    const client = await connect();
    const stream = client.request(get(await wire.world.frontend(backend)));
    client.data(stream, 'x');
    expect(await client.goaway()).toBe(errorCode.streamClosed);
  });

  it('even stream numbers are for the server alone', async () => {
    const client = await connect();
    client.send(frame(frameType.headers, whole, 2, packFields(get('a'))));
    expect(await client.goaway()).toBe(errorCode.protocol);
  });
});

describe('5.1.2 concurrency', () => {
  it('is told, and who goes beyond it is sent away', async () => {
    const backend = await wire.world.backend(() => new Promise<void>(() => {}));
    const host = await wire.world.frontend(backend);
    const client = await connect();
    await eventually('the settings to be acknowledged', () =>
      client.frames.some(({ type, flags }) => type === frameType.settings && flags === flag.ack),
    );
    const settings = client.frames.find(({ type, flags }) => type === frameType.settings && flags === 0);
    expect(settings?.payload.includes(setting(3, 5))).toBe(true);
    for (let at = 0; at < 5; at++) client.request(get(host));
    await eventually('five requests', () => backend.requests.length === 5);
    client.request(get(host));
    expect(await client.goaway()).toBe(errorCode.protocol);
    await eventually('the end of all exchanges', () => wire.world.proxy.proxy.activeExchanges === 0);
    expect(backend.requests.length).toBe(5);
  });
});

describe('6 frames', () => {
  it('6.1 padding is no part of a body', async () => {
    const backend = await wire.world.backend(ok());
    const client = await connect();
    const stream = client.request(post(await wire.world.frontend(backend)), false);
    client.send(frame(frameType.data, flag.padded | flag.endStream, stream, Buffer.from([3, 97, 98, 0, 0, 0])));
    await client.ended(stream);
    expect(backend.only.text).toBe('ab');
  });

  it.each([
    ['6.1 DATA on no stream', () => frame(frameType.data, 0, 0, Buffer.from('x')), errorCode.protocol],
    ['6.1 more padding than there is', () => frame(frameType.data, flag.padded, 1, Buffer.from([9, 1])), errorCode.protocol],
    ['6.2 HEADERS on no stream', () => frame(frameType.headers, whole, 0, packFields(get('a'))), errorCode.protocol],
    ['6.4 RST_STREAM of three bytes', () => frame(frameType.rstStream, 0, 1, Buffer.alloc(3)), errorCode.frameSize],
    ['6.5 SETTINGS on a stream', () => frame(frameType.settings, 0, 1), errorCode.protocol],
    ['6.5 SETTINGS of five bytes', () => frame(frameType.settings, 0, 0, Buffer.alloc(5)), errorCode.frameSize],
    ['6.5.2 a window beyond 2^31-1', () => frame(frameType.settings, 0, 0, setting(4, 2 ** 31)), errorCode.flowControl],
    ['6.6 PUSH_PROMISE of a client', () => frame(frameType.pushPromise, flag.endHeaders, 1, uint32(2)), errorCode.protocol],
    ['6.7 PING of seven bytes', () => frame(frameType.ping, 0, 0, Buffer.alloc(7)), errorCode.frameSize],
    ['6.9 a window that grows by nothing', () => frame(frameType.windowUpdate, 0, 0, uint32(0)), errorCode.protocol],
    ['6.10 CONTINUATION of nothing', () => frame(frameType.continuation, flag.endHeaders, 1), errorCode.protocol],
  ])('%s ends the connection', async (_name, make, expected) => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    client.request(post(host), false);
    client.send(make());
    expect(await client.goaway()).toBe(expected);
  });

  it('6.5.3 SETTINGS and 6.7 PING are acknowledged, and frames of unknown kinds ignored (5.5)', async () => {
    const client = await connect();
    client.send(frame(77, 0, 0, Buffer.from('what')), frame(frameType.ping, 0, 0, Buffer.from('12345678')));
    const pong = await eventually('PING', () => client.frames.find(({ type }) => type === frameType.ping));
    expect([pong.flags, pong.payload.toString()]).toEqual([flag.ack, '12345678']);
    expect(client.frames.some(({ type, flags }) => type === frameType.settings && flags === flag.ack)).toBe(true);
  });

  it('6.9.1 a window that overflows resets its stream', async () => {
    const client = await connect();
    const backend = await wire.world.backend(() => new Promise<void>(() => {}));
    const stream = client.request(get(await wire.world.frontend(backend)));
    client.window(stream, 2 ** 31 - 1);
    expect((await client.ended(stream)).reset).toBe(errorCode.flowControl);
    await eventually('the end of all exchanges', () => wire.world.proxy.proxy.activeExchanges === 0);
  });
});

describe('8.1 malformed messages', () => {
  const other = (fields: [string, string][]) => fields;
  it.each<[string, (host: string) => [string, string][]]>([
    ['8.2.1 a name in upper case', (host) => other([...get(host), ['X-Upper', 'a']])],
    ['8.2.2 connection', (host) => other([...get(host), ['connection', 'keep-alive']])],
    ['8.2.2 proxy-connection', (host) => other([...get(host), ['proxy-connection', 'close']])],
    ['8.2.2 keep-alive', (host) => other([...get(host), ['keep-alive', 'timeout=5']])],
    ['8.2.2 transfer-encoding', (host) => other([...post(host), ['transfer-encoding', 'chunked']])],
    ['8.2.2 upgrade', (host) => other([...get(host), ['upgrade', 'websocket']])],
    ['8.2.2 te with more than trailers', (host) => other([...get(host), ['te', 'trailers, gzip']])],
    ['8.3 an unknown pseudo-header field', (host) => other([...get(host), [':unknown', 'a']])],
    ['8.3 a pseudo-header field behind others', (host) => other([...get(host).slice(1), ['a', 'b'], [':method', 'GET']])],
    ['8.3.1 no :method', (host) => other(get(host).slice(1))],
    ['8.3.1 no :path', (host) => other(get(host).slice(0, 3))],
    ['8.3.1 an empty :path', (host) => other(get(host, ''))],
    ['8.3.1 no :scheme', (host) => other(get(host).filter(([name]) => name !== ':scheme'))],
    ['8.3.1 two :path', (host) => other([...get(host), [':path', '/other']])],
    ['8.3.2 :status of a client', (host) => other([...get(host), [':status', '200']])],
    ['8.1.1 content-length without a body', (host) => other([...post(host), ['content-length', '3']])],
    ['8441 4 :protocol without CONNECT', (host) => other([...get(host), [':protocol', 'websocket']])],
  ])('%s is refused and reaches no backend', async (_name, fields) => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const answer = await client.ended(client.request(fields(host)));
    expect(answer.reset === errorCode.protocol || answer.status === '400').toBe(true);
    expect(backend.requests.length).toBe(0);
    // The connection goes on.
    expect((await client.ended(client.request(get(host)))).status).toBe('200');
  });

  it.each([
    ['longer', 'abcd'],
    ['shorter', 'ab'],
  ])('8.1.1 a body that is %s than content-length says is refused', async (_name, text) => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const stream = client.request([...post(host), ['content-length', '3']], false);
    client.data(stream, text, true);
    expect((await client.ended(stream)).reset).toBe(errorCode.protocol);
    expect(backend.requests.every(({ body }) => body === null)).toBe(true);
    await eventually('the end of all exchanges', () => wire.world.proxy.proxy.activeExchanges === 0);
  });

  it('8.2.1 fields with forbidden characters are not passed on', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const answer = await client.ended(client.request([...get(host), ['x-bad', 'a\r\nx-injected: b'], ['x y', 'c']]));
    if (answer.status === '200') expect(backend.only.head).not.toMatch(/injected|x y|x-bad/);
    else expect(answer.reset).toBe(errorCode.protocol);
  });

  it('what only this proxy refuses is answered with a page', async () => {
    const host = await wire.world.frontend(await wire.world.backend(ok()));
    const client = await connect();
    const ask = async (fields: [string, string][]) => code(await client.ended(client.request(fields)));
    const path = (value: string) => get(host, value);
    expect(await ask(path('/a b'))).toMatch(/^(400 bad-request-line|)$/);
    expect(await ask(path(`/${'a'.repeat(17_000)}`))).toMatch(/^(414 target-too-long|)$/);
    expect(await ask([...get(host), ['x-long', 'a'.repeat(9_000)]])).toBe('431 head-too-large');
    expect(await ask([...get(host), ...Array.from({ length: 120 }, (_, at): [string, string] => [`x-${at}`, 'a'])])).toBe(
      '431 head-too-large',
    );
    expect(await ask([...get(host), ['expect', 'more']])).toBe('417 bad-expectation');
  });

  it('8.1 an answer that comes before the end of the request ends it with NO_ERROR', async () => {
    const host = await wire.world.frontend(
      await wire.world.backend((_request, connection) => connection.send(ok('enough', 'Connection: close'))),
    );
    const client = await connect();
    const stream = client.request(post(host), false);
    client.data(stream, 'begun');
    const answer = await eventually('the reset', () => {
      const seen = client.answer(stream);
      return seen.reset >= 0 ? seen : undefined;
    });
    expect([answer.status, answer.body.toString(), answer.ended, answer.reset]).toEqual(['200', 'enough', true, errorCode.none]);
  });
});

describe('8.2.3 cookies', () => {
  it('are joined into one line', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    await client.ended(client.request([...get(host), ['cookie', 'a=1'], ['x-between', 'y'], ['cookie', 'b=2; c=3']]));
    expect(backend.only.fields.all('cookie')).toEqual(['a=1; b=2; c=3']);
  });
});

describe('8.3.1 :authority and Host', () => {
  it('name one place, which the backend gets as Host', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const ask = async (fields: [string, string][]) => code(await client.ended(client.request(fields)));
    const without = get(host).filter(([name]) => name !== ':authority');
    expect(await ask(get(host))).toBe('200');
    expect(await ask([...get(host), ['host', host.toUpperCase()]])).toBe('200');
    expect(await ask([...without, ['host', host]])).toBe('200');
    expect(backend.requests.map(({ fields }) => fields.all('host'))).toEqual([[host], [host], [host]]);
    expect(await ask([...get(host), ['host', 'other.example.com']])).toBe('400 bad-host');
    expect(await ask([...get(host), ['host', host], ['host', 'other.example.com']])).toMatch(/^(400 bad-host|)$/);
    expect(await ask(get(`user@${host}`))).toMatch(/^(400 bad-host|)$/);
    expect(await ask(without)).toMatch(/^(400 no-host|)$/);
    expect(backend.requests.length).toBe(3);
  });
});

describe('8.5 CONNECT', () => {
  it('is for forward proxies', async () => {
    const client = await connect();
    const stream = client.request([
      [':method', 'CONNECT'],
      [':authority', 'example.com:443'],
    ]);
    expect(code(await client.ended(stream))).toBe('501 method-not-supported');
  });
});

describe('10.5 a field section that is far too large', () => {
  it('is refused without a word, and reaches no backend', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const many = Array.from({ length: 900 }, (_, at): [string, string] => [`x${at}`, 'a']);
    const answer = await client.ended(client.request([...get(host), ...many]));
    expect(answer.reset).toBe(errorCode.enhanceYourCalm);
    expect(backend.requests.length).toBe(0);
  });
});
