// Requests and answers over HTTP/2 and what becomes of them at an HTTP/1.1 backend: trailers, interim answers, resets, tunnels, the end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { World } from '../contract/engine/world.js';
import { ok, response } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { connectFrames, errorCode, type FrameClient, frameType, get, post } from '../helpers/h2-frames.js';
import { startProxy } from '../helpers/start-proxy.js';
import { isLetGo, useProxy } from './use-proxy.js';

const wire = useProxy({ clearHttp2: true });
const clients: FrameClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(port = wire.world.proxy.port): Promise<FrameClient> {
  const client = await connectFrames(port);
  clients.push(client);
  return client;
}

const silent = () => new Promise<void>(() => {});

describe('a request', () => {
  it('tells the backend of the client, and names HTTP/2 nowhere', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    await client.ended(client.request([...get(host, '/a?b=c'), ['x-forwarded-for', '1.2.3.4'], ['te', 'trailers']]));
    const { head, fields } = backend.only;
    expect(head.split('\r\n')[0]).toBe('GET /a?b=c HTTP/1.1');
    expect(fields.all('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(fields.get('x-forwarded-proto')).toBe('http');
    expect(fields.get('x-forwarded-host')).toBe(host);
    expect([fields.get('te'), fields.get('connection')]).toEqual(['trailers', 'TE']);
  });

  it('has its body sent on with its length, or in chunks with its trailers', async () => {
    const backend = await wire.world.backend(ok());
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const known = client.request([...post(host), ['content-length', '6']], false);
    client.data(known, 'abc');
    client.data(known, 'def', true);
    await client.ended(known);
    const unknown = client.request([...post(host), ['trailer', 'x-sum']], false);
    client.data(unknown, 'abc');
    client.trailers(unknown, [
      ['x-sum', '42'],
      ['cache-control', 'no-store'],
    ]);
    await client.ended(unknown);
    const [first, second] = backend.requests;
    expect([first?.fields.get('content-length'), first?.text]).toEqual(['6', 'abcdef']);
    expect([second?.fields.get('transfer-encoding'), second?.text]).toEqual(['chunked', 'abc']);
    expect([second?.body?.trailers.get('x-sum'), second?.body?.trailers.get('cache-control')]).toEqual(['42', null]);
  });

  it('that waits for 100 is told to go on', async () => {
    const host = await wire.world.frontend(
      await wire.world.backend(async (request, connection) => {
        connection.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
        await request.whole();
        connection.send(ok(request.text));
      }),
    );
    const client = await connect();
    const stream = client.request([...post(host), ['expect', '100-continue'], ['content-length', '2']], false);
    await eventually('100 and 103', () => client.answer(stream).sections.length === 2);
    client.data(stream, 'ok', true);
    const answer = await client.ended(stream);
    expect(answer.sections.map(([first]) => first?.[1])).toEqual(['100', '103', '200']);
    expect(answer.sections[1]).toContainEqual(['link', '</a.css>']);
    expect(answer.body.toString()).toBe('ok');
  });

  it('that is reset takes its request to the backend with it, and others on the connection go on', async () => {
    const backend = await wire.world.backend(silent);
    const host = await wire.world.frontend(backend);
    const client = await connect();
    const stream = client.request(get(host));
    await eventually('the request', () => backend.requests.length === 1);
    const other = client.request(get(await wire.world.frontend(await wire.world.backend(ok('goes on')))));
    client.reset(stream);
    await eventually('the backend to be let go', () => isLetGo(backend));
    expect((await client.ended(other)).body.toString()).toBe('goes on');
  });
});

describe('an answer', () => {
  it.each([
    ['HEAD', '200', response('200 OK', '', 'Content-Type: text/plain').replace('Content-Length: 0', 'Content-Length: 7')],
    ['GET', '204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', '304', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
  ])('to %s with %s has no body', async (method, status, text) => {
    const host = await wire.world.frontend(await wire.world.backend(text));
    const client = await connect();
    const answer = await client.ended(client.request([[':method', method], ...get(host).slice(1)]));
    expect([answer.status, answer.body.length, answer.ended]).toEqual([status, 0, true]);
  });

  it('keeps its fields, without those of the connection', async () => {
    const lines = [
      'Connection: X-Own',
      'X-Own: 1',
      'Keep-Alive: timeout=5',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Vary: A',
      'Vary: B',
    ];
    const host = await wire.world.frontend(await wire.world.backend(ok('', ...lines)));
    const client = await connect();
    const { sections } = await client.ended(client.request(get(host)));
    const fields = (sections[0] ?? []).filter(([name]) => name !== 'date');
    expect(fields).toEqual([
      [':status', '200'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['vary', 'A, B'],
      ['content-length', '0'],
    ]);
  });

  it('in chunks ends with its trailers', async () => {
    const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\ngrpc-status: 0\r\nX-T: t\r\n\r\n';
    const host = await wire.world.frontend(await wire.world.backend(chunks));
    const client = await connect();
    const answer = await client.ended(client.request(get(host)));
    expect(answer.body.toString()).toBe('abc');
    expect(answer.sections[1]).toEqual([
      ['grpc-status', '0'],
      ['x-t', 't'],
    ]);
    expect(answer.sections[0]?.some(([name]) => name === 'transfer-encoding')).toBe(false);
  });

  it('that breaks off resets its stream, so that it cannot be taken for whole', async () => {
    const host = await wire.world.frontend(
      await wire.world.backend((_request, connection) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
        connection.end();
      }),
    );
    const client = await connect();
    const answer = await client.ended(client.request(get(host)));
    expect([answer.status, answer.ended, answer.reset]).toEqual(['200', false, errorCode.internal]);
    expect((await client.ended(client.request(get(host)))).reset).toBe(errorCode.internal);
  });

  it('of the proxy itself is the same page as ever', async () => {
    const client = await connect();
    const unknown = await client.ended(client.request(get('nobody.example.com')));
    expect([unknown.status, unknown.fields.get('x-cjs-proxy-error')]).toEqual(['400', 'unknown-frontend']);
    expect(unknown.body.length).toBe(Number(unknown.fields.get('content-length')));
    const dead = await client.ended(client.request(get(await wire.world.frontend('http://127.0.0.1:1'))));
    expect([dead.status, dead.fields.get('x-cjs-proxy-error')]).toEqual(['502', 'backend-refused']);
  });

  it('is one of many at a time', async () => {
    const host = await wire.world.frontend(
      await wire.world.backend((request, connection) => connection.send(ok(request.target))),
    );
    const client = await connect();
    const streams = Array.from({ length: 90 }, (_, at) => client.request(get(host, `/${at}`)));
    const answers = await Promise.all(streams.map((stream) => client.ended(stream)));
    expect(answers.map(({ body }) => body.toString())).toEqual(streams.map((_, at) => `/${at}`));
  });
});

describe('the access log', () => {
  it('names HTTP/2 in the protocol field', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'http2-log-'));
    const file = join(folder, 'access.log');
    const proxy = await startProxy({ clearHttp2: true, server: { accessLog: file, accessLogFormat: 'combined' } });
    const world = new World(proxy, 'wire');
    const host = await world.frontend(await world.backend(ok('hello')));
    const client = await connect(proxy.port);
    await client.ended(client.request([...get(host, '/logged'), ['user-agent', 'frames']]));
    await eventually('the end', () => proxy.proxy.activeExchanges === 0);
    await world.close();
    await proxy.close();
    expect(readFileSync(file, 'latin1')).toMatch(/"GET \/logged HTTP\/2\.0" 200 5 "-" "frames"/);
    rmSync(folder, { recursive: true });
  });
});

describe('a proxy that drains', () => {
  it('says which requests it serves, finishes them, and closes', async () => {
    const proxy = await startProxy({ clearHttp2: true });
    const world = new World(proxy, 'wire');
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const backend = await world.backend(async (request, connection) => {
      if (request.target === '/slow') await held;
      connection.send(ok(request.target));
    });
    const host = await world.frontend(backend);
    const client = await connect(proxy.port);
    const idle = await connect(proxy.port);
    await idle.ended(idle.request(get(host, '/before')));
    const slow = client.request(get(host, '/slow'));
    await eventually('the request', () => backend.requests.length === 2);
    const drained = proxy.proxy.drain();
    const goaway = await eventually('GOAWAY', () => client.frames.find(({ type }) => type === frameType.goaway));
    expect([goaway.payload.readUInt32BE(0), goaway.payload.readUInt32BE(4)]).toEqual([slow, errorCode.none]);
    client.request(get(host, '/crossing'));
    await eventually('the idle connection to be closed', () => idle.closed);
    release();
    expect((await client.ended(slow)).body.toString()).toBe('/slow');
    await drained;
    await eventually('the connection to be closed', () => client.closed);
    expect(backend.requests.map(({ target }) => target)).toEqual(['/before', '/slow']);
    await world.close();
  });

  it('closes a connection after as many requests as it may have', async () => {
    const proxy = await startProxy({ clearHttp2: true, frontDoor: { requestsPerConnection: 2 } });
    const world = new World(proxy, 'wire');
    const host = await world.frontend(await world.backend(ok('served')));
    const client = await connect(proxy.port);
    const streams = [client.request(get(host)), client.request(get(host))];
    for (const stream of streams) expect((await client.ended(stream)).body.toString()).toBe('served');
    expect(await client.goaway()).toBe(errorCode.none);
    await eventually('the connection to be closed', () => client.closed);
    await world.close();
    await proxy.close();
  });
});
