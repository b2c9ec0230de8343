// One probe of a real backend: what counts as well, and that it ends in time whatever the backend does.
import { mkdtemp, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStartProbe, type ProbeResult } from '../../../src/health/probe.js';
import type { Backend } from '../../../src/model/backend.js';
import { parseHealthcheck } from '../../../src/model/healthcheck.js';
import { parseBackends } from '../../../src/model/parse-backends.js';
import { type BackendOptions, ok, type RawBackend, response, type Script, startBackend } from '../../helpers/backend.js';
import { createAuthority } from '../../helpers/certs.js';
import { eventually } from '../../helpers/eventually.js';
import { freePort } from '../../helpers/free-port.js';

const backendOf = (entry: string): Backend => parseBackends([entry]).backends[0] as Backend;

function checkOf(fields: Record<string, string>) {
  const { check } = parseHealthcheck({ values: Object.entries({ timeout: '2s', ...fields }).flat(), fault: '' });
  if (check === null) throw new Error('no check');
  return check;
}

async function probe(entry: string, fields: Record<string, string>, ca: readonly string[] = []): Promise<ProbeResult> {
  return createStartProbe({ ca })(backendOf(entry), checkOf(fields)).result;
}

async function serving(script: Script | string, options: BackendOptions = {}): Promise<RawBackend> {
  const backend = await startBackend(script, options);
  onTestFinished(() => backend.close());
  return backend;
}

describe('a probe that connects (D.4 requirement 20)', () => {
  it('finds a backend that accepts well', async () => {
    const backend = await serving(ok());
    expect(await probe(backend.url, {})).toEqual({ kind: 'well' });
    expect(backend.requests).toEqual([]);
    await eventually('the connection to be closed', () => backend.connections.every((connection) => connection.closed));
  });

  it('finds a backend that refuses ill', async () => {
    expect(await probe(`http://127.0.0.1:${await freePort()}`, {})).toEqual({ kind: 'ill', why: 'ECONNREFUSED' });
  });

  it('takes a unix socket', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cjs-proxy-probe-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const backend = await serving(ok(), { path: join(dir, 'app.sock') });
    expect(await probe(backend.url, {})).toEqual({ kind: 'well' });
    expect(await probe(backend.url, { path: '/' })).toEqual({ kind: 'well' });
    expect(backend.requests[0]?.fields.get('host')).toBe('localhost');
  });

  it('shakes hands with a backend of TLS, and believes only whom the proxy believes', async () => {
    const authority = createAuthority();
    const backend = await serving(ok(), { secure: authority.issue('localhost') });
    const url = backend.url.replace('127.0.0.1', 'localhost');
    expect(await probe(url, {}, [authority.cert])).toEqual({ kind: 'well' });
    expect(await probe(url, { path: '/' }, [authority.cert])).toEqual({ kind: 'well' });
    expect(await probe(url, {})).toMatchObject({ kind: 'ill', why: expect.stringMatching(/CERT|SELF_SIGNED|VERIFY/) });
  });
});

describe('a probe that asks (D.4 requirement 20)', () => {
  it('asks what the check says, as somebody who can be told apart', async () => {
    const backend = await serving(ok());
    await probe(backend.url, { path: 'health?deep=1', method: 'HEAD', host: 'example.com' });
    const [request] = backend.requests;
    expect(request).toMatchObject({ method: 'HEAD', target: '/health?deep=1' });
    expect(request?.fields.get('host')).toBe('example.com');
    expect(request?.fields.get('user-agent')).toMatch(/^cjs-proxy-healthcheck\/\d/);
  });

  it('names the backend where the check names no host', async () => {
    const backend = await serving(ok());
    await probe(backend.url, { path: '/' });
    expect(backend.requests[0]?.fields.get('host')).toBe(`127.0.0.1:${backend.port}`);
  });

  it.each([
    ['500 Sick', {}, 'well'],
    ['200 OK', { status: '200' }, 'well'],
    ['204 No Content', { status: '2xx' }, 'well'],
    ['301 Moved', { status: '200-399' }, 'well'],
    ['302 Found', { status: '200' }, 'status 302'],
    ['500 Sick', { status: '200' }, 'status 500'],
  ] as const)('of an answer %s where %j is wanted says: %s', async (status, fields, expected) => {
    const elsewhere = await serving(ok());
    const backend = await serving(response(status, '', `Location: ${elsewhere.url}/`));
    const result = await probe(backend.url, { path: '/', ...fields });
    expect(result.kind === 'well' ? 'well' : result.why).toBe(expected);
    expect(elsewhere.connections).toEqual([]);
  });

  it('looks for a text in the body, also where it comes in pieces', async () => {
    const backend = await serving((_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nI WO\r\n');
      connection.send('4\r\nRK.\n\r\n0\r\n\r\n');
    });
    expect(await probe(backend.url, { body: 'WORK' })).toEqual({ kind: 'well' });
    expect(await probe(backend.url, { body: 'PLAY' })).toEqual({ kind: 'ill', why: 'the body does not contain the text' });
  });

  it('reads no more than a part of an endless body', async () => {
    const backend = await serving(async (_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\n\r\n');
      await connection.flood(Buffer.alloc(64 * 1024 * 1024, 'x'));
    });
    expect(await probe(backend.url, { body: 'needle', timeout: '8s' })).toMatchObject({
      kind: 'ill',
      why: expect.stringContaining('first 65536 bytes'),
    });
  });

  const odd: readonly (readonly [string, Script, RegExp])[] = [
    ['is silent', () => {}, /no answer in 100 ms/],
    ['begins and does not end', (_request, connection) => connection.send('HTTP/1.1 200 OK\r\n'), /no answer in 100 ms/],
    ['closes', (_request, connection) => connection.end(), /ECONNRESET|closed/],
    ['resets', (_request, connection) => connection.reset(), /ECONNRESET|closed/],
    ['speaks something else', (_request, connection) => connection.send('SSH-2.0-OpenSSH_9.6\r\n\r\n'), /HPE_/],
    [
      'switches protocols',
      (_request, connection) => connection.send('HTTP/1.1 101 Sure\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      /101/,
    ],
    [
      'sends a head without an end',
      (_request, connection) => connection.send(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`),
      /HPE_HEADER_OVERFLOW/,
    ],
  ];

  it.each(odd)('of a backend that %s finds it ill', async (_what, script, why) => {
    const backend = await serving(script);
    const result = await probe(backend.url, { path: '/', timeout: '100ms' });
    expect(result).toMatchObject({ kind: 'ill', why: expect.stringMatching(why) });
    await eventually('the connection to be closed', () => backend.connections.every((connection) => connection.closed));
  });

  it('that is stopped ends at once', async () => {
    const backend = await serving(() => {});
    const running = createStartProbe({ ca: [] })(backendOf(backend.url), checkOf({ path: '/', timeout: '60s' }));
    running.stop();
    expect(await running.result).toEqual({ kind: 'ill', why: 'stopped' });
  });
});

describe('a probe of an HTTP/2 backend', () => {
  it('connects, or asks in HTTP/2, and looks at status and body', async () => {
    const server = http2.createServer();
    const asked: http2.IncomingHttpHeaders[] = [];
    server.on('stream', (stream, fields) => {
      asked.push(fields);
      stream.respond({ ':status': fields[':path'] === '/well' ? 200 : 503 });
      stream.end('all is well');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const url = `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await probe(url, {})).toEqual({ kind: 'well' });
    expect(await probe(url, { path: '/well', status: '200', body: 'is well' })).toEqual({ kind: 'well' });
    expect(await probe(url, { path: '/ill', status: '200' })).toEqual({ kind: 'ill', why: 'status 503' });
    expect(await probe(url, { path: '/well', body: 'missing' })).toMatchObject({ kind: 'ill' });
    expect(asked[0]).toMatchObject({ ':method': 'GET', ':path': '/well', ':authority': url.slice('h2c://'.length) });
  });

  it('finds one ill that speaks HTTP/1.1', async () => {
    const backend = await serving(ok());
    expect(await probe(backend.url.replace('http:', 'h2c:'), { path: '/' })).toMatchObject({ kind: 'ill' });
  });
});
