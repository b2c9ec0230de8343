// Answers that are compressed on their way, through a running proxy and real connections.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { head, pattern, World } from '../contract/engine/world.js';
import { type BackendConnection, ok, type RawBackend, response, type Script } from '../helpers/backend.js';
import { EndedEarly } from '../helpers/byte-queue.js';
import { eventually, pause, settled } from '../helpers/eventually.js';
import { inChunks } from '../helpers/http-reader.js';
import type { RawClient, RawResponse } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { isLetGo } from '../wire/use-proxy.js';

const run = promisify(execFile);
const text = 'All work and no play makes a dull line of text.\n'.repeat(200);
const type = 'Content-Type: text/plain';
const gzip = 'Accept-Encoding: gzip';

describe.each(['wire', 'http-proxy'] as const)('with the engine %s', (engine) => {
  let proxy: StartedProxy;
  let world: World;

  beforeAll(async () => {
    proxy = await startProxy({ server: { engine, backendTimeout: 3000, bodyTimeout: 3000 } });
  });
  beforeEach(() => {
    world = new World(proxy, engine);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await world.close();
    await eventually('all exchanges to be over', () => proxy.proxy.activeExchanges === 0);
  });
  afterAll(() => proxy.close());

  /** A frontend whose answers are compressed. */
  async function site(script: Script | string, compress = 'true'): Promise<{ host: string; backend: RawBackend }> {
    const backend = await world.backend(script);
    const host = await world.frontend(backend);
    await proxy.proxy.store.writeRecord('route', host, ['compress', compress]);
    return { host, backend };
  }

  async function ask(script: Script | string, ...lines: readonly string[]): Promise<RawResponse> {
    const { host } = await site(script);
    return world.get(host, '/', ...lines);
  }

  const coding = ({ fields }: RawResponse) => fields.get('content-encoding');

  it('compresses an answer by what the client reads best', async () => {
    const decoders = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync };
    for (const [name, decode] of Object.entries(decoders)) {
      const answer = await ask(
        ok(text, type, 'ETag: "a"', 'Vary: Origin', 'Accept-Ranges: bytes'),
        `Accept-Encoding: deflate, ${name}`,
      );
      expect(answer.status).toBe(200);
      expect(coding(answer)).toBe(name);
      expect(answer.fields.all('vary')).toEqual(['Origin', 'Accept-Encoding']);
      expect(answer.fields.get('etag')).toBe('W/"a"');
      expect(answer.fields.get('accept-ranges')).toBeNull();
      expect(answer.fields.get('content-length')).toBe(String(answer.body.length));
      expect(answer.fields.get('transfer-encoding')).toBeNull();
      expect(decode(answer.body).toString()).toBe(text);
      expect(answer.body.length).toBeLessThan(text.length / 10);
    }
  });

  it('leaves an answer alone for a client that reads nothing else, and says that others get another one', async () => {
    for (const lines of [[], ['Accept-Encoding: identity'], ['Accept-Encoding: gzip;q=0, *;q=0']]) {
      const answer = await ask(ok(text, type, 'ETag: "a"'), ...lines);
      expect(answer.text).toBe(text);
      expect(coding(answer)).toBeNull();
      expect(answer.fields.get('vary')).toBe('Accept-Encoding');
      expect(answer.fields.get('etag')).toBe('"a"');
      expect(answer.fields.get('content-length')).toBe(String(text.length));
    }
  });

  it('compresses nothing where the frontend does not ask for it', async () => {
    const backend = await world.backend(ok(text, type));
    const answer = await world.get(await world.frontend(backend), '/', gzip);
    expect(answer.text).toBe(text);
    expect(answer.fields.get('vary')).toBeNull();
  });

  it.each([
    ['is no text', ok(text, 'Content-Type: image/png')],
    ['is small', ok('small', type)],
    ['is compressed already', ok(text, type, 'Content-Encoding: br')],
    ['must not be transformed', ok(text, type, 'Cache-Control: no-transform')],
    ['is a part', response('206 Partial Content', text, type, `Content-Range: bytes 0-${text.length - 1}/99999`)],
  ])('passes on as it is what %s', async (_what, sent) => {
    const answer = await ask(sent, gzip);
    expect(answer.body.toString('latin1')).toBe(sent.slice(sent.indexOf('\r\n\r\n') + 4));
    expect(coding(answer)).toBe(sent.includes('Encoding: br') ? 'br' : null);
    expect(answer.fields.get('vary')).toBeNull();
  });

  it('passes on as it is a small answer whose size was not told, and says that it varies', async () => {
    const answer = await ask(`HTTP/1.1 200 OK\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsmall\r\n0\r\n\r\n`, gzip);
    expect(answer.text).toBe('small');
    expect(coding(answer)).toBeNull();
    expect(answer.fields.get('vary')).toBe('Accept-Encoding');
  });

  it('passes on an empty answer, 204 and 304 without a word of a coding', async () => {
    for (const sent of [
      ok('', type),
      `HTTP/1.1 204 No Content\r\n${type}\r\n\r\n`,
      'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
    ]) {
      const answer = await ask(sent, gzip);
      expect(coding(answer)).toBeNull();
      expect(answer.body).toHaveLength(0);
    }
  });

  it('tells a client with the compressed answer that it is still true', async () => {
    const answer = await ask('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', gzip, 'If-None-Match: W/"a"');
    expect(answer.status).toBe(304);
    expect(answer.fields.get('etag')).toBe('W/"a"');
  });

  it('answers HEAD with the head of the compressed answer', async () => {
    const { host } = await site(`HTTP/1.1 200 OK\r\n${type}\r\nETag: "a"\r\nContent-Length: ${text.length}\r\n\r\n`);
    const client = await world.client();
    for (let turn = 0; turn < 2; turn++) {
      client.send(head('HEAD', '/', host, gzip));
      const answer = await client.response('HEAD');
      expect(coding(answer)).toBe('gzip');
      expect(answer.fields.get('etag')).toBe('W/"a"');
      expect(answer.fields.get('content-length')).toBeNull();
      expect(answer.fields.get('transfer-encoding')).toBeNull();
    }
  });

  it('compresses what comes in chunks, with its trailers', async () => {
    const sent = `HTTP/1.1 200 OK\r\n${type}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${inChunks(Buffer.from(text), 700).toString('latin1').slice(0, -2)}X-Sum: 42\r\n\r\n`;
    const answer = await ask(sent, gzip);
    expect(zlib.gunzipSync(answer.body).toString()).toBe(text);
    expect(answer.delimiter).toBe('chunked');
    expect(answer.trailers.get('x-sum')).toBe('42');
  });

  it('compresses what ends with the connection', async () => {
    const answer = await ask(async (request, connection) => {
      await request.whole();
      connection.end(`HTTP/1.1 200 OK\r\n${type}\r\n\r\n${text}`);
    }, gzip);
    expect(zlib.gunzipSync(answer.body).toString()).toBe(text);
  });

  it('compresses for HTTP/1.0 too', async () => {
    const { host } = await site(ok(text, type));
    const answer = await world.exchange(`GET / HTTP/1.0\r\nHost: ${host}\r\n${gzip}\r\n\r\n`);
    expect(zlib.gunzipSync(answer.body).toString()).toBe(text);
  });

  it('compresses one answer after the other on a connection', async () => {
    const { host } = await site(ok(text, type));
    const client = await world.client();
    client.send(head('GET', '/', host, gzip) + head('GET', '/', host) + head('GET', '/', host, 'Accept-Encoding: br'));
    expect(zlib.gunzipSync((await client.response()).body).toString()).toBe(text);
    expect((await client.response()).text).toBe(text);
    expect(zlib.brotliDecompressSync((await client.response()).body).toString()).toBe(text);
  });

  it('compresses a long answer as it comes, in both ways of telling its end', async () => {
    const body = Buffer.concat(Array.from({ length: 64 }, (_, at) => Buffer.from(`${at} ${text}`.repeat(4))));
    const ways = [
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\n`), inChunks(body, 100_000)]),
    ];
    for (const bytes of ways) {
      const answer = await ask((_request, connection) => connection.flood(bytes), gzip);
      expect(answer.delimiter).toBe('chunked');
      expect(zlib.gunzipSync(answer.body).equals(body)).toBe(true);
    }
  });

  it.each(['br', 'gzip'] as const)('passes on each event of a stream as it comes (%s)', async (name) => {
    let events: BackendConnection | null = null;
    const { host, backend } = await site((_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
      events = connection;
      return new Promise(() => {});
    });
    const client = await world.client();
    client.send(head('GET', '/', host, `Accept-Encoding: ${name}`));
    // The head does not wait for an event.
    expect((await client.head()).fields.get('content-encoding')).toBe(name);
    const decoder = name === 'br' ? zlib.createBrotliDecompress() : zlib.createGunzip();
    let decoded = '';
    decoder.on('data', (piece: Buffer) => {
      decoded += piece.toString();
    });
    for (const event of ['data: one\n\n', 'data: two\n\n']) {
      events!.send(`${event.length.toString(16)}\r\n${event}\r\n`);
      await eventually(`the event ${event.trim()}`, async () => {
        if (client.queue.length > 0) {
          const size = Number.parseInt((await client.queue.until('\r\n')).toString(), 16);
          decoder.write(await client.queue.take(size));
          await client.queue.take(2);
        }
        return decoded.endsWith(event);
      });
    }
    client.reset();
    await eventually('the backend to be let go', () => isLetGo(backend));
  });

  it('cuts what the backend breaks off, with its length and without', async () => {
    for (const lines of ['Content-Length: 9999999', 'Transfer-Encoding: chunked']) {
      const { host } = await site(async (_request, connection) => {
        const body = lines.startsWith('C')
          ? text.repeat(20)
          : inChunks(Buffer.from(text.repeat(20)), 5000)
              .toString('latin1')
              .slice(0, -5);
        connection.send(`HTTP/1.1 200 OK\r\n${type}\r\n${lines}\r\n\r\n${body}`);
        await pause(50);
        connection.socket.destroy();
      });
      const client = await world.client();
      client.send(head('GET', '/', host, gzip));
      await expect(client.response()).rejects.toThrow(EndedEarly);
    }
  });

  it('answers 502 where the backend breaks off before anything was passed on', async () => {
    const answer = await ask((_request, connection) => {
      connection.send(`HTTP/1.1 200 OK\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\nno size`);
    }, gzip);
    expect(answer.status).toBe(502);
    expect(coding(answer)).toBeNull();
  });

  it('lets go of the backend when the client leaves', async () => {
    // Made beforehand: a backend that first has to count to 64 million would be taken for a silent one.
    const flood = Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\n${type}\r\nContent-Length: 64000000\r\n\r\n`),
      pattern(64_000_000),
    ]);
    const { host, backend } = await site((_request, connection) => connection.flood(flood));
    const client = await world.client();
    const encoders = vi.spyOn(zlib, 'createGzip');
    client.send(head('GET', '/', host, gzip));
    await client.head();
    const encoder = encoders.mock.results[0]?.value as zlib.Gzip;
    expect(encoder.destroyed).toBe(false);
    client.reset();
    await eventually('the backend connection to close', () => isLetGo(backend));
    expect(encoder.destroyed).toBe(true);
  });

  it('cuts the answer and lets go of the backend when the encoder fails', async () => {
    const { host, backend } = await site((_request, connection) => {
      connection.send(`HTTP/1.1 200 OK\r\n${type}\r\nContent-Length: 64000000\r\n\r\n${text.repeat(10)}`);
      return new Promise(() => {});
    });
    const encoders = vi.spyOn(zlib, 'createGzip');
    const client = await world.client();
    client.send(head('GET', '/', host, gzip));
    const begun = await client.head();
    (encoders.mock.results[0]!.value as zlib.Gzip).destroy(new Error('no memory'));
    await expect(client.finish(begun)).rejects.toThrow(EndedEarly);
    await eventually('the backend connection to close', () => isLetGo(backend));
    expect(await world.dead(host)).toEqual([]);
  });

  it('reads no more from the backend than the client takes', async () => {
    const noise = randomBytes(24_000_000).toString('hex');
    let connection: BackendConnection | null = null;
    const { host } = await site(async (_request, given) => {
      connection = given;
      await given.flood(Buffer.from(`HTTP/1.1 200 OK\r\n${type}\r\nContent-Length: ${noise.length}\r\n\r\n${noise}`, 'latin1'));
    });
    const client = await world.client();
    client.send(head('GET', '/', host, gzip));
    const begun = await client.head();
    client.pause();
    const before = process.memoryUsage().rss;
    const taken = await settled(() => connection?.flooded ?? 0);
    // What the kernel and one encoder hold, and no more.
    expect(taken).toBeLessThan(noise.length / 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
    client.resume();
    const answer = await client.finish(begun);
    expect(zlib.gunzipSync(answer.body).toString('latin1') === noise).toBe(true);
  });

  it('goes on with a client that is slower than the backend, after the backend has sent everything', async () => {
    const noise = randomBytes(50_000).toString('hex');
    const { host, backend } = await site((_request, connection) => connection.flood(Buffer.from(ok(noise, type), 'latin1')));
    const client = await world.client();
    client.pause();
    const count = 250;
    client.send(head('GET', '/', host, gzip).repeat(count));
    // The answers that the kernel cannot take any more are waited for one by one.
    expect(await settled(() => backend.requests.length, 250)).toBeLessThan(count);
    client.resume();
    for (let turn = 0; turn < count; turn++) {
      const answer = await client.response();
      expect(zlib.gunzipSync(answer.body).toString('latin1') === noise).toBe(true);
    }
  });

  it('uses the connection of the backend again', async () => {
    const { host, backend } = await site(ok(text, type));
    const client: RawClient = await world.client();
    for (let turn = 0; turn < 3; turn++) {
      client.send(head('GET', '/', host, gzip));
      expect(coding(await client.response())).toBe('gzip');
    }
    expect(backend.connections).toHaveLength(1);
  });

  it('takes the settings of the frontend, also changed ones', async () => {
    const { host } = await site(
      ok(text, 'Content-Type: x/y'),
      '{"types": ["x/*"], "algorithms": ["gzip"], "minBytes": 10, "level": 9}',
    );
    expect(coding(await world.get(host, '/', 'Accept-Encoding: br, gzip'))).toBe('gzip');
    await proxy.proxy.store.writeRecord('route', host, ['compress', 'false']);
    expect(coding(await world.get(host, '/', 'Accept-Encoding: br, gzip'))).toBeNull();
  });

  it('is what curl --compressed understands', async () => {
    const { host } = await site(ok(text, type));
    const url = `http://127.0.0.1:${proxy.port}/`;
    const { stdout } = await run('curl', ['-sS', '--compressed', '-D', '-', '-H', `Host: ${host}`, url]);
    expect(stdout).toMatch(/^content-encoding: (br|gzip)\r$/im);
    expect(stdout.slice(stdout.indexOf('\r\n\r\n') + 4)).toBe(text);
  });
});
