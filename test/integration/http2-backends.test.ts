// Backends that speak HTTP/2, in clear text and in TLS: what clients of any version get from them, and gRPC end to end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { head, World, withBody } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { createAuthority } from '../helpers/certs.js';
import { eventually, settled } from '../helpers/eventually.js';
import { connectFrames, errorCode, type FrameClient, get, post } from '../helpers/h2-frames.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { webSocketOver, webSocketRequest } from '../helpers/websocket-stream.js';

const folder = mkdtempSync(join(tmpdir(), 'http2-backends-'));
const authority = createAuthority();

let proxy: StartedProxy;
let world: World;
beforeAll(async () => {
  const backendCa = join(folder, 'ca.pem');
  writeFileSync(backendCa, authority.cert);
  const server = { backendTimeout: 1_500, connectTimeout: 1_500, backendCa: [backendCa] };
  proxy = await startProxy({ clearHttp2: true, server });
});
afterAll(async () => {
  await proxy.close();
  rmSync(folder, { recursive: true });
});

const clients: FrameClient[] = [];
const servers: H2Backend[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.close();
  await world?.close();
});

type Serve = (stream: ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => void;

class H2Backend {
  readonly sessions = new Set<http2.ServerHttp2Session>();
  /** Connections since the start. */
  opened = 0;
  readonly streams: ServerHttp2Stream[] = [];
  readonly requests: http2.IncomingHttpHeaders[] = [];
  readonly server: http2.Http2Server | http2.Http2SecureServer;

  constructor(serve: Serve, options: http2.SecureServerOptions | null, settings: http2.Settings = {}) {
    this.server = options === null ? http2.createServer({ settings }) : http2.createSecureServer({ ...options, settings });
    this.server.on('session', (session: http2.ServerHttp2Session) => {
      this.opened++;
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    this.server.on('stream', (stream: ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => {
      this.streams.push(stream);
      this.requests.push(fields);
      stream.on('error', () => {});
      serve(stream, fields);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `h2c://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

async function h2(
  serve: Serve,
  options: http2.SecureServerOptions | null = null,
  settings: http2.Settings = {},
): Promise<H2Backend> {
  const backend = new H2Backend(serve, options, settings);
  servers.push(backend);
  await new Promise<void>((resolve) => backend.server.listen(0, '127.0.0.1', resolve));
  return backend;
}

async function frontend(...urls: readonly string[]): Promise<string> {
  world = new World(proxy, 'wire');
  return world.frontend(...urls);
}

async function connect(): Promise<FrameClient> {
  const client = await connectFrames(proxy.port);
  clients.push(client);
  return client;
}

/** Sends a request's body back, with a trailer. */
const echo: Serve = (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'last' }));
  stream.pipe(stream);
};

describe('a client that speaks HTTP/1.1', () => {
  it('gets what an HTTP/2 backend says, trailers included', async () => {
    const backend = await h2(echo);
    const host = await frontend(backend.url);
    const answer = await world.exchange(
      withBody('POST', '/path?q', host, 'hello', 'Cookie: a=1', 'Cookie: b=2', 'X-Up: Case'),
      'POST',
    );
    expect([answer.status, answer.reason, answer.text, answer.trailers.get('x-trailer')]).toEqual([200, 'OK', 'hello', 'last']);
    const [fields] = backend.requests;
    expect(fields).toMatchObject({
      ':method': 'POST',
      ':path': '/path?q',
      ':scheme': 'http',
      ':authority': host,
      'content-length': '5',
      'x-up': 'Case',
      'x-forwarded-for': '127.0.0.1',
      cookie: 'a=1; b=2',
    });
    expect(fields).not.toHaveProperty('connection');
    expect(fields).not.toHaveProperty('host');
  });

  it('may send a body in chunks with trailers', async () => {
    let trailers: http2.IncomingHttpHeaders = {};
    const backend = await h2((stream) => {
      stream.on('trailers', (fields) => {
        trailers = fields;
      });
      echo(stream, {});
    });
    const host = await frontend(backend.url);
    const body = '3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n';
    const answer = await world.exchange(head('POST', '/', host, 'Transfer-Encoding: chunked', 'Trailer: X-Sum') + body, 'POST');
    expect(answer.text).toBe('abcde');
    expect(trailers['x-sum']).toBe('5');
  });

  it('gets HEAD, 204, interim answers and a length as they are', async () => {
    const backend = await h2((stream, fields) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      if (fields[':path'] === '/none') stream.respond({ ':status': 204 }, { endStream: true });
      else {
        stream.respond({ ':status': 200, 'content-length': '4', 'set-cookie': ['a=1', 'b=2'] });
        stream.end('four');
      }
    });
    const host = await frontend(backend.url);
    const whole = await world.get(host, '/four');
    expect([whole.delimiter, whole.text, whole.fields.all('set-cookie')]).toEqual(['length', 'four', ['a=1', 'b=2']]);
    expect(whole.interims.map(({ startLine }) => startLine)).toEqual(['HTTP/1.1 103 Early Hints']);
    expect((await world.exchange(head('HEAD', '/four', host), 'HEAD')).fields.get('content-length')).toBe('4');
    expect((await world.get(host, '/none')).status).toBe(204);
  });

  it('shares one connection with many others', async () => {
    const backend = await h2((stream, fields) => {
      stream.respond({ ':status': 200 });
      setImmediate(() => stream.end(String(fields[':path'])));
    });
    const host = await frontend(backend.url);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => world.get(host, `/${at}`)));
    expect(answers.map(({ text }) => text)).toEqual(answers.map((_, at) => `/${at}`));
    expect(backend.sessions.size).toBe(1);
  });
});

describe('a backend connection', () => {
  it('serves one request where connections are not kept', async () => {
    const own = await startProxy({ server: { httpKeepAlive: false } });
    onTestFinished(() => own.close());
    const backend = await h2((stream) => {
      stream.respond({ ':status': 200 });
      setImmediate(() => stream.end('once'));
    });
    const brief = new World(own, 'wire');
    const host = await brief.frontend(backend.url);
    const answers = await Promise.all([1, 2, 3].map(() => brief.get(host)));
    expect(answers.map(({ text }) => text)).toEqual(['once', 'once', 'once']);
    expect((await brief.get(host)).text).toBe('once');
    await eventually('the connections to close', () => backend.sessions.size === 0);
    expect(backend.opened).toBe(4);
    await brief.close();
  });
});

describe('streams', () => {
  it('go to another connection where one may carry no more', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const backend = await h2(
      (stream) => {
        waiting.push(stream);
      },
      null,
      { maxConcurrentStreams: 2 },
    );
    const host = await frontend(backend.url);
    const client = await connect();
    const streams = Array.from({ length: 6 }, () => client.request(get(host)));
    await eventually('all of them', () => waiting.length === 6);
    expect(backend.sessions.size).toBe(3);
    for (const stream of waiting) {
      stream.respond({ ':status': 200 });
      stream.end('done');
    }
    for (const stream of streams) expect((await client.ended(stream)).body.toString()).toBe('done');
  });

  it('that the backend refuses unprocessed are sent again, a POST too (RFC 9113 section 8.7)', async () => {
    let refused = 0;
    const backend = await h2((stream, fields) => {
      if (refused++ === 0) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      else echo(stream, fields);
    });
    const host = await frontend(backend.url);
    expect((await world.exchange(withBody('POST', '/', host, 'again'), 'POST')).text).toBe('again');
    expect(refused).toBe(2);
  });

  it('go on after the backend has ended its connection', async () => {
    const backend = await h2(echo);
    const host = await frontend(backend.url);
    expect((await world.get(host)).status).toBe(200);
    for (const session of backend.sessions) session.close();
    expect((await world.exchange(withBody('POST', '/', host, 'anew'), 'POST')).text).toBe('anew');
    await eventually('the first connection to end', () => backend.sessions.size === 1);
  });
});

describe('failures', () => {
  const code = (answer: { status: number; fields: { get(name: string): string | null } }) =>
    `${answer.status} ${answer.fields.get('x-cjs-proxy-error') ?? ''}`;

  it('of an HTTP/2 backend are answered as those of any other', async () => {
    expect(code(await world.get(await frontend('h2c://127.0.0.1:1')))).toBe('502 backend-refused');
    const resets = await h2((stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    expect(code(await world.get(await frontend(resets.url)))).toBe('502 backend-closed');
    const silent = await h2(() => {});
    expect(code(await world.get(await frontend(silent.url)))).toBe('504 backend-timeout');
    await eventually('the stream to be given up', () => silent.streams.every(({ closed }) => closed));
  });

  it('of one that does not speak HTTP/2 are told from its first bytes', async () => {
    const plain = await world.backend('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    expect(code(await world.get(await frontend(plain.url.replace('http:', 'h2c:'))))).toBe('502 backend-unreachable');
  });

  it('in the middle of an answer reach the client as a reset, or as a body that is cut', async () => {
    const backend = await h2((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half', () => setImmediate(() => stream.destroy(new Error('lost'))));
    });
    const host = await frontend(backend.url);
    const client = await connect();
    const answer = await client.ended(client.request(get(host)));
    expect([answer.ended, answer.reset]).toEqual([false, errorCode.internal]);
    await expect(world.get(host)).rejects.toThrow();
  });

  it('of a client reach the backend as a reset', async () => {
    const backend = await h2(() => {});
    const host = await frontend(backend.url);
    const client = await connect();
    const stream = client.request(get(host));
    await eventually('the request', () => backend.streams.length === 1);
    client.reset(stream);
    await eventually('the reset', () => backend.streams[0]?.rstCode === http2.constants.NGHTTP2_CANCEL);
  });

  it('of a client that closes its connection reach the backend at once', async () => {
    const backend = await h2(() => {});
    const host = await frontend(backend.url);
    for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const client = await connect();
      client.request(get(host));
      await eventually('the request', () => backend.streams.length > 0);
      client.socket[leave]();
      await eventually('the reset', () => backend.streams[0]?.rstCode === http2.constants.NGHTTP2_CANCEL, 1_000);
      backend.streams.length = 0;
    }
  });
});

describe('pace', () => {
  it('of a client holds back an answer, and that of a backend a body', async () => {
    let written = 0;
    const backend = await h2((stream, fields) => {
      if (fields[':method'] === 'POST') return;
      stream.respond({ ':status': 200 });
      const more = (): void => {
        while (!stream.destroyed) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) return;
        }
      };
      stream.on('drain', more);
      more();
    });
    const host = await frontend(backend.url);
    const client = await connect();
    client.request(get(host));
    expect(await settled(() => written)).toBeLessThan(4 * 1024 * 1024);
    const raw = await world.client();
    raw.send(head('POST', '/', host, 'Content-Length: 100000000'));
    let taken = 0;
    const pump = (): void => {
      while (taken < 60_000_000 && raw.socket.write(Buffer.alloc(65_536))) taken += 65_536;
    };
    raw.socket.on('drain', pump);
    pump();
    expect(await settled(() => taken)).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('TLS', () => {
  const code = async (url: string): Promise<string> => {
    const { status, fields } = await world.get(await frontend(url));
    return `${status} ${fields.get('x-cjs-proxy-error')}`;
  };

  it('is spoken with a backend that an authority of server.backendCa vouches for, many requests on one connection', async () => {
    const secure = await h2(echo, authority.issue('127.0.0.1'));
    const host = await frontend(`h2://127.0.0.1:${secure.port}`);
    for (const word of ['one', 'two']) expect((await world.exchange(withBody('POST', '/', host, word), 'POST')).text).toBe(word);
    const client = await connect();
    expect((await client.ended(client.request(get(host)))).status).toBe('200');
    expect(secure.sessions.size).toBe(1);
    expect(secure.requests.map((fields) => fields[':scheme'])).toEqual(['https', 'https', 'https']);
  });

  it('is refused where nobody vouches for the backend, or for another name', async () => {
    const unknown = await h2(echo, createAuthority().issue('127.0.0.1'));
    expect(await code(`h2://127.0.0.1:${unknown.port}`)).toBe('502 backend-tls-failed');
    const other = await h2(echo, authority.issue('other.example.com'));
    expect(await code(`h2://127.0.0.1:${other.port}`)).toBe('502 backend-tls-failed');
  });

  it('has to agree on HTTP/2: a backend without ALPN, or with HTTP/1.1 alone, is not asked', async () => {
    await frontend();
    const silent = await world.backend(ok(), { secure: authority.issue('127.0.0.1') });
    expect(await code(silent.url.replace('https:', 'h2:'))).toBe('502 backend-tls-failed');
    expect(silent.requests).toEqual([]);
    const old = tls.createServer({ ...authority.issue('127.0.0.1'), ALPNProtocols: ['http/1.1'] }, (socket) => socket.destroy());
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    expect(await code(`h2://127.0.0.1:${(old.address() as AddressInfo).port}`)).toBe('502 backend-tls-failed');
    await new Promise((resolve) => old.close(resolve));
  });
});

describe('a WebSocket', () => {
  /** Takes WebSockets, and sends their messages back. */
  const chat: Serve = (stream, fields) => {
    expect([fields[':method'], fields[':protocol'], fields[':path']]).toEqual(['CONNECT', 'websocket', '/chat']);
    expect(fields).not.toHaveProperty('sec-websocket-key');
    stream.respond({ ':status': 200 });
    const socket = webSocketOver(stream, 'server');
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  };
  const offering = (): Promise<H2Backend> => h2(chat, null, { enableConnectProtocol: true });
  const answersAll: Serve = (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('no WebSocket');
  };

  /** By Upgrade of HTTP/1.1. */
  function byUpgrade(host: string): WebSocket {
    return new WebSocket(`ws://127.0.0.1:${proxy.port}/chat`, { headers: { Host: host } });
  }

  /** By extended CONNECT; gives the fields of the answer, and the stream. */
  async function byConnect(host: string): Promise<{ fields: http2.IncomingHttpHeaders; stream: http2.ClientHttp2Stream }> {
    const session = http2.connect(`http://127.0.0.1:${proxy.port}`);
    onTestFinished(() => session.destroy());
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const stream = session.request(webSocketRequest('http', host, '/chat'));
    const fields = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
    return { fields, stream };
  }

  async function talk(socket: WebSocket): Promise<void> {
    const got: string[] = [];
    socket.on('message', (data) => got.push(String(data)));
    if (socket.readyState !== WebSocket.OPEN)
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send('hello');
    socket.send('x'.repeat(200_000));
    await eventually('both', () => got.length === 2);
    expect([got[0], got[1]?.length]).toEqual(['hello', 200_000]);
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.close(4000, 'enough');
    expect(await closed).toBe(4000);
  }

  it('of an HTTP/1.1 client reaches an HTTP/2 backend by extended CONNECT', async () => {
    const backend = await offering();
    await talk(byUpgrade(await frontend(backend.url)));
    await eventually('the stream to end', () => backend.streams.every(({ closed }) => closed));
  });

  it('of an HTTP/2 client does so too', async () => {
    const backend = await offering();
    const { fields, stream } = await byConnect(await frontend(backend.url));
    expect(fields[':status']).toBe(200);
    await talk(webSocketOver(stream, 'client'));
    await eventually('the stream to end', () => backend.streams.every(({ closed }) => closed));
  });

  it('is refused with an error of its own for a backend that does not offer that, which is not asked and not marked', async () => {
    const backend = await h2(answersAll);
    const host = await frontend(backend.url);
    const refusal = await new Promise<IncomingMessage>((resolve) => {
      byUpgrade(host)
        .on('error', () => {})
        .once('unexpected-response', (_request, response) => resolve(response));
    });
    refusal.resume();
    expect([refusal.statusCode, refusal.headers['x-cjs-proxy-error']]).toEqual([502, 'backend-no-tunnel']);
    const { fields } = await byConnect(host);
    expect([fields[':status'], fields['x-cjs-proxy-error']]).toEqual([502, 'backend-no-tunnel']);
    expect(backend.requests).toEqual([]);
    expect(await world.dead(host)).toEqual([]);
    expect((await world.get(host)).text).toBe('no WebSocket');
  });

  it('passes such a backend over where another one offers it', async () => {
    const [without, backend] = [await h2(answersAll), await offering()];
    const host = await frontend(without.url, backend.url);
    for (let turn = 0; turn < 2; turn++) await talk(byUpgrade(host));
    expect(without.requests).toEqual([]);
  });
});

describe('gRPC', () => {
  /** A message as gRPC frames it: no compression, its length, its bytes. */
  const message = (text: string): Buffer => {
    const bytes = Buffer.alloc(5 + text.length);
    bytes.writeUInt32BE(text.length, 1);
    bytes.write(text, 5);
    return bytes;
  };
  const fields = (host: string): [string, string][] => [
    ...post(host, '/echo.Echo/Talk'),
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];

  it('streams both ways at once and ends with its status in trailers', async () => {
    const backend = await h2((stream, received) => {
      expect(received.te).toBe('trailers');
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'bye' }));
      stream.on('data', (chunk: Buffer) => stream.write(chunk));
      stream.on('end', () => stream.end());
    });
    const client = await connect();
    const stream = client.request(fields(await frontend(backend.url)), false);
    for (const word of ['one', 'two', 'three']) {
      const before = client.answer(stream).body.length;
      client.data(stream, message(word));
      await eventually(`the echo of ${word}`, () => client.answer(stream).body.length === before + 5 + word.length);
    }
    client.data(stream, '', true);
    const answer = await client.ended(stream);
    expect(answer.sections[1]).toEqual([
      ['grpc-status', '0'],
      ['grpc-message', 'bye'],
    ]);
  });

  it('may fail with nothing but a status', async () => {
    const backend = await h2((stream) =>
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true }),
    );
    const client = await connect();
    const stream = client.request(fields(await frontend(backend.url)), false);
    client.data(stream, message('x'), true);
    const answer = await client.ended(stream);
    expect([answer.status, answer.fields.get('grpc-status'), answer.ended]).toEqual(['200', '12', true]);
  });
});
