// Who may reach a frontend, through a whole proxy: addresses, passwords, tokens, functions, and what backends and logs get to see.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthCallback } from '../../src/auth/callback.js';
import { hashPassword } from '../../src/auth/password-hash.js';
import type { EngineName } from '../../src/config/config.js';
import { basic } from '../helpers/auth-question.js';
import { answering, ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { connectClient, type RawResponse } from '../helpers/raw-client.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const password = 'correct-horse-battery';
const token = 'token-of-the-robot';
const hash = await hashPassword(password, { ln: 10, r: 8, p: 1 });
const digest = createHash('sha256').update(token).digest('hex');
const bearer = `Bearer ${token}`;
const alice = basic('alice', password);

describe.each<EngineName>(['wire', 'http-proxy'])('access with the engine %s', (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-access-'));
  const accessLog = join(folder, 'access.log');
  const { logger, lines } = recordingLogger();
  const callbacks = new Map<string, AuthCallback>();
  let proxy: StartedProxy;
  let backend: RawBackend;
  let hosts = 0;

  beforeAll(async () => {
    backend = await startBackend(answering(ok('secret page')));
    proxy = await startProxy(
      { server: { engine, accessLog, accessLogFormat: 'json' }, trustedProxies: ['127.0.0.1'] },
      { logger, authCallbacks: callbacks },
    );
    const { store } = proxy.proxy;
    await store.writeRecord('auth', 'users', [
      'type',
      'basic',
      'realm',
      'the "site"',
      'user:alice',
      hash,
      'userHeader',
      'X-User',
    ]);
    await store.writeRecord('auth', 'robots', ['type', 'bearer', `token:${digest}`, 'robot', 'stripAuthorization', 'true']);
  });

  afterAll(async () => {
    await proxy.close();
    await backend.close();
    rmSync(folder, { recursive: true });
  });

  /** A frontend with a policy; gives its host. */
  async function frontend(...policy: readonly string[]): Promise<string> {
    hosts += 1;
    const host = `host${hosts}.example.com`;
    await proxy.proxy.store.writeFrontend(host, host, [backend.url]);
    await proxy.proxy.store.writeRecord('route', host, policy);
    return host;
  }

  async function get(host: string, ...fields: readonly string[]): Promise<RawResponse> {
    return await send('GET', host, ...fields);
  }

  async function send(method: string, host: string, ...fields: readonly string[]): Promise<RawResponse> {
    const client = await connectClient(proxy.port);
    client.send(`${method} /page HTTP/1.1\r\nHost: ${host}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
    const response = await client.response(method);
    client.close();
    return response;
  }

  const codeOf = ({ status, fields }: RawResponse): string => `${status} ${fields.get('x-cjs-proxy-error')}`;
  const lastRequest = () => backend.requests.at(-1)!;

  it('D.5 22: asks for a name and a password, and serves who knows them', async () => {
    const host = await frontend('authProvider', 'users');
    const before = backend.requests.length;
    const refused = await get(host);
    expect(codeOf(refused)).toBe('401 auth-required');
    expect(refused.fields.get('www-authenticate')).toBe('Basic realm="the \\"site\\"", charset="UTF-8"');
    expect(refused.fields.get('cache-control')).toBe('no-cache');
    expect(refused.fields.get('content-type')).toBe('text/html');
    expect(codeOf(await get(host, `Authorization: ${basic('alice', 'wrong')}`))).toBe('401 auth-required');
    expect(backend.requests.length).toBe(before);
    for (let round = 0; round < 2; round += 1) {
      const served = await get(host, `Authorization: ${alice}`);
      expect([served.status, served.text]).toEqual([200, 'secret page']);
      expect(lastRequest().fields.get('authorization')).toBe(alice);
    }
  });

  it('D.5 22: answers a client of an API in JSON', async () => {
    const refused = await get(await frontend('authProvider', 'users'), 'Accept: application/json');
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'auth-required', status: 401, source: 'client' } });
  });

  it('D.5 22: passes a bearer token, and keeps it from the backend where the record says so', async () => {
    const host = await frontend('authProvider', 'robots');
    expect(codeOf(await get(host))).toBe('401 auth-required');
    expect((await get(host, 'Authorization: Bearer wrong')).fields.get('www-authenticate')).toBe(
      'Bearer realm="restricted", error="invalid_token"',
    );
    expect((await get(host, `Authorization: ${bearer}`)).status).toBe(200);
    expect(lastRequest().fields.get('authorization')).toBeNull();
    expect(lastRequest().fields.get('host')).toBe(host);
  });

  it('D.5 22: lets nobody choose the name that backends are told', async () => {
    const host = await frontend('authProvider', 'users');
    const spellings = ['X-User: root', 'x-user: root', 'X_User: root', 'Connection: X-User, keep-alive'];
    expect((await get(host, `Authorization: ${alice}`, ...spellings)).status).toBe(200);
    expect(lastRequest().head.match(/^x.user:.*$/gim)).toEqual(['X-User: alice']);
  });

  it('D.5 22: lets nobody bring that name in behind the body either', async () => {
    const host = await frontend('authProvider', 'users');
    const client = await connectClient(proxy.port);
    client.send(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${alice}\r\nTrailer: X-User\r\nTransfer-Encoding: chunked\r\n\r\n` +
        '5\r\nhello\r\n0\r\nX-User: root\r\n\r\n',
    );
    expect((await client.response('POST')).status).toBe(200);
    client.close();
    const { bytes, trailers } = await lastRequest().whole();
    expect([bytes.toString(), trailers.get('x-user')]).toEqual(['hello', null]);
  });

  it('D.5 23: treats OPTIONS, HEAD and requests with a body like any other', async () => {
    const host = await frontend('authProvider', 'users');
    for (const method of ['OPTIONS', 'HEAD', 'DELETE']) expect((await send(method, host)).status).toBe(401);
    const client = await connectClient(proxy.port);
    client.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\n\r\nhello`);
    expect((await client.response('POST')).status).toBe(401);
    client.send(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${basic('alice', password)}\r\nContent-Length: 5\r\n\r\nhello`,
    );
    expect((await client.response('POST')).status).toBe(200);
    client.close();
    expect(lastRequest().text).toBe('hello');
  });

  it('D.5 23: refuses an upgrade without credentials, and passes one with them', async () => {
    const echo = await startBackend((_request, connection) => {
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x-echo\r\n\r\n');
      connection.socket.pipe(connection.socket);
    });
    try {
      const host = await frontend('authProvider', 'users');
      await proxy.proxy.store.writeFrontend(host, host, [echo.url]);
      const upgrade = ['Connection: Upgrade', 'Upgrade: x-echo'];
      expect(codeOf(await get(host, ...upgrade))).toBe('401 auth-required');
      expect(echo.requests).toHaveLength(0);
      expect((await get(host, ...upgrade, `Authorization: ${alice}`)).status).toBe(101);
      expect(echo.only.fields.get('x-user')).toBe('alice');
    } finally {
      await echo.close();
    }
  });

  it('D.5 23: serves nobody when the provider is unknown, faulty, or is no function yet', async () => {
    const { store } = proxy.proxy;
    await store.writeRecord('auth', 'broken', ['type', 'jwt']);
    expect(codeOf(await get(await frontend('authProvider', 'nobody'), `Authorization: ${alice}`))).toBe('503 auth-away');
    expect(codeOf(await get(await frontend('authProvider', 'broken'), `Authorization: ${alice}`))).toBe('502 bad-auth-record');
    expect(codeOf(await get(await frontend('authProvider', '')))).toBe('502 bad-frontend-record');
    const host = await frontend('authProvider', 'fn');
    expect(codeOf(await get(host))).toBe('503 auth-away');
    callbacks.set('fn', ({ username }) => (username === 'bob' ? username : null));
    expect(codeOf(await get(host))).toBe('401 auth-required');
    expect((await get(host, `Authorization: ${basic('bob', 'x')}`)).status).toBe(200);
  });

  it('D.5 23: a change of the provider is in force on the next request', async () => {
    const { store } = proxy.proxy;
    await store.writeRecord('auth', 'changing', ['type', 'basic', 'user:alice', hash]);
    const host = await frontend('authProvider', 'changing');
    expect((await get(host, `Authorization: ${alice}`)).status).toBe(200);
    await store.writeRecord('auth', 'changing', ['type', 'basic', 'user:bob', hash]);
    expect((await get(host, `Authorization: ${alice}`)).status).toBe(401);
    await store.writeRecord('auth', 'changing', []);
    expect((await get(host, `Authorization: ${basic('bob', password)}`)).status).toBe(503);
    await store.writeRecord('route', host, []);
    expect((await get(host)).status).toBe(200);
  });

  it('D.5: serves addresses that are allowed and not denied, as trusted proxies tell them, before any credential', async () => {
    const host = await frontend('allow', '192.0.2.0/24 2001:db8::/32', 'deny', '["192.0.2.66"]', 'authProvider', 'users');
    const from = (address: string) => get(host, `X-Forwarded-For: ${address}`, `Authorization: ${alice}`);
    expect((await from('192.0.2.1')).status).toBe(200);
    expect((await from('2001:db8::7')).status).toBe(200);
    expect(codeOf(await from('192.0.2.66'))).toBe('403 address-denied');
    expect(codeOf(await from('198.51.100.1'))).toBe('403 address-denied');
    // The last address that no trusted proxy vouches for counts, not the one that the client wrote.
    expect(codeOf(await from('192.0.2.1, 198.51.100.1'))).toBe('403 address-denied');
    expect(codeOf(await get(host, `Authorization: ${alice}`))).toBe('403 address-denied');
    expect(codeOf(await get(await frontend('deny', '127.0.0.0/8')))).toBe('403 address-denied');
    expect(codeOf(await get(await frontend('deny', '127.0.0.0/99')))).toBe('502 bad-frontend-record');
  });

  it('D.5 22: a flood of wrong passwords is refused at once, and those who passed already are served', async () => {
    const { store } = proxy.proxy;
    const costly = await hashPassword(password, { ln: 14, r: 8, p: 1 });
    await store.writeRecord('auth', 'costly', ['type', 'basic', 'user:alice', costly]);
    const host = await frontend('authProvider', 'costly');
    expect((await get(host, `Authorization: ${alice}`)).status).toBe(200);
    const flood = Array.from({ length: 60 }, (_, at) => get(host, `Authorization: ${basic('alice', `guess ${at}`)}`));
    expect((await get(host, `Authorization: ${alice}`)).status).toBe(200);
    const codes = new Set((await Promise.all(flood)).map(codeOf));
    expect(codes).toEqual(new Set(['401 auth-required', '503 auth-busy']));
  });

  it('D.5: no log line, page or header of an answer holds a credential', async () => {
    callbacks.set('leaky', () => {
      throw new Error(`the password is ${password}`);
    });
    await proxy.proxy.store.writeRecord('auth', 'leaky-url', ['type', 'http', 'url', `http://x:${password}@127.0.0.1:1/`]);
    const hostsOf = [await frontend('authProvider', 'users'), await frontend('authProvider', 'leaky')];
    const answers: RawResponse[] = [];
    for (const host of [...hostsOf, await frontend('authProvider', 'leaky-url'), await frontend('authProvider', 'robots')]) {
      for (const shown of [alice, bearer, basic('alice', `${password}x`), `Digest ${password}`])
        answers.push(await get(host, `Authorization: ${shown}`, 'X-Debug: 1'));
    }
    const logged = await eventually('the access log', () => {
      const text = readFileSync(accessLog, 'utf8');
      return text.split('\n').length > 20 ? text : null;
    });
    const written = [logged, JSON.stringify(lines), ...answers.map(({ head, text }) => head + text)].join('\n');
    expect(written).toContain('auth-required');
    for (const secret of [password, token, alice.slice(6), hash, digest]) expect(written).not.toContain(secret);
  });
});
