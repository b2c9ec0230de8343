import { afterEach, describe, expect, it } from 'vitest';
import { createForwardAuth } from '../../../src/auth/forward-auth.js';
import { ServiceCalls } from '../../../src/auth/service-call.js';
import type { Check } from '../../../src/auth/verdict.js';
import { parseAuthProvider } from '../../../src/model/auth-provider.js';
import { question } from '../../helpers/auth-question.js';
import { ok, type RawBackend, response, type Script, startBackend } from '../../helpers/backend.js';
import { createAuthority } from '../../helpers/certs.js';

const authority = createAuthority();
const started: RawBackend[] = [];
const calls = new ServiceCalls([authority.cert]);

afterEach(async () => {
  for (const service of started.splice(0)) await service.close();
});

async function startService(script: Script | string): Promise<RawBackend> {
  const service = await startBackend(script);
  started.push(service);
  return service;
}

function check(url: string, ...fields: readonly string[]): Check {
  const parsed = parseAuthProvider({ values: ['type', 'http', 'url', url, 'timeout', '2s', ...fields], fault: '' });
  if (parsed.kind !== 'settings' || parsed.settings.type !== 'http') throw new Error(JSON.stringify(parsed));
  return createForwardAuth(parsed.settings, calls);
}

const asked = question(['Authorization', 'Bearer x', 'Cookie', 'a=1', 'X-Secret', 's', 'Cookie', 'b=2'], { method: 'POST' });

describe('D.5 23: forward-auth', () => {
  it('tells the service of the request, and gives it the headers that it is to see', async () => {
    const service = await startService(ok());
    expect(await check(`${service.url}/verify?strict=1`).check(asked)).toEqual({ kind: 'passed', headers: [] });
    const { method, target, fields } = service.only;
    expect(`${method} ${target}`).toBe('GET /verify?strict=1');
    const sent = ['host', 'x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri', 'x-forwarded-for'];
    expect(sent.map((name) => fields.get(name))).toEqual([
      new URL(service.url).host,
      ...['POST', 'https', 'example.com', '/page?x=1', '192.0.2.1'],
    ]);
    expect([fields.get('authorization'), fields.get('cookie'), fields.get('x-secret')]).toEqual(['Bearer x', 'a=1; b=2', null]);
    expect(fields.get('content-length')).toBeNull();
    expect(fields.get('transfer-encoding')).toBeNull();
  });

  it('sends other headers where the record names them', async () => {
    const service = await startService(ok());
    await check(service.url, 'requestHeaders', 'x-secret').check(asked);
    expect(service.only.fields.get('x-secret')).toBe('s');
    expect(service.only.fields.get('cookie')).toBeNull();
  });

  it.each([200, 204, 299])('passes with %s, and copies the headers that the record names', async (status) => {
    const service = await startService(
      response(`${status} Fine`, '', 'X-User: alice', 'x-groups: a', 'X-Groups: b', 'X-Other: 1'),
    );
    expect(await check(service.url, 'copyHeaders', '["x-user","X-Groups","X-Absent"]').check(asked)).toEqual({
      kind: 'passed',
      headers: ['X-User', 'alice', 'x-groups', 'a', 'X-Groups', 'b'],
    });
  });

  it('relays any other answer with what a client needs of it', async () => {
    const lines = [
      'Location: https://login.example/',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'WWW-Authenticate: Basic',
      'Server: x',
    ];
    const service = await startService(
      response('302 Found', 'go there', ...lines, 'Content-Type: text/html', 'Connection: close'),
    );
    expect(await check(service.url).check(asked)).toEqual({
      kind: 'answered',
      answer: {
        status: 302,
        contentType: 'text/html',
        headers: [
          ...['Location', 'https://login.example/', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
          ...['WWW-Authenticate', 'Basic'],
        ],
        body: Buffer.from('go there'),
      },
    });
  });

  it('does not follow a redirect by itself', async () => {
    const service = await startService(response('307 Go', '', 'Location: /other'));
    expect(await check(service.url).check(asked)).toMatchObject({ kind: 'answered', answer: { status: 307 } });
    expect(service.requests).toHaveLength(1);
  });

  const failures: [string, Script | string][] = [
    ['closes without an answer', (_request, connection) => connection.end()],
    ['sends no HTTP', 'hello there\r\n\r\n'],
    ['breaks its answer off', (_request, connection) => connection.end('HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nabc')],
    ['switches to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
    ['answers with a status that is none', response('700 What')],
    [
      'sends a page without end',
      (_request, connection) => connection.flood(Buffer.from(`HTTP/1.1 403 No\r\n\r\n${'x'.repeat(2 << 20)}`)),
    ],
  ];
  it.each(failures)('lets nobody pass when the service %s', async (_how, script) => {
    const service = await startService(script);
    const verdict = await check(`${service.url}/verify?secret=1`).check(asked);
    expect(verdict).toMatchObject({ kind: 'away', detail: expect.stringContaining(service.url) });
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });

  it('lets nobody pass when the service cannot be reached', async () => {
    expect(await check('http://127.0.0.1:1/').check(asked)).toEqual({
      kind: 'away',
      detail: 'http://127.0.0.1:1 cannot be asked: ECONNREFUSED',
    });
  });

  it('lets nobody pass when the service does not answer in time, be it before or amid its answer', async () => {
    const silent = await startService(() => {});
    const slow = await startService((_request, connection) =>
      connection.send('HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nabc'),
    );
    for (const service of [silent, slow])
      expect(await check(service.url, 'timeout', '100ms').check(asked)).toMatchObject({
        kind: 'away',
        detail: `${service.url} did not answer within 100 ms`,
      });
  });

  it('uses a connection again, and a new one where the service closed the kept one just then', async () => {
    const service = await startService(async (_request, connection) => {
      if (connection.requests === 2) connection.reset();
      else connection.send(ok());
    });
    const forward = check(service.url);
    for (let round = 0; round < 3; round += 1) expect(await forward.check(asked)).toMatchObject({ kind: 'passed' });
    expect(service.requests.length).toBeGreaterThan(3);
  });

  it('verifies the certificate of the service', async () => {
    const pair = authority.issue('127.0.0.1');
    const trusted = await startBackend(ok(), { secure: pair });
    const stranger = await startBackend(ok(), { secure: createAuthority('stranger').issue('127.0.0.1') });
    started.push(trusted, stranger);
    expect(await check(trusted.url).check(asked)).toMatchObject({ kind: 'passed' });
    expect(await check(stranger.url).check(asked)).toMatchObject({ kind: 'away' });
  });

  it('keeps a verdict by all that the service is told', async () => {
    const { keyOf } = check('http://127.0.0.1:1/');
    const keys = [
      asked,
      question(['Authorization', 'Bearer x', 'Cookie', 'a=1'], { method: 'POST' }),
      question(['Authorization', 'Bearer y', 'Cookie', 'a=1; b=2'], { method: 'POST' }),
      ...[{ method: 'GET' }, { scheme: 'http' }, { host: 'x' }, { target: '/admin' }, { clientAddress: '192.0.2.2' }].map(
        (more) => ({
          ...asked,
          ...more,
        }),
      ),
    ].map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    expect(check('http://127.0.0.1:1/', 'ttl', '0', 'refusedTtl', '0').keyOf(asked)).toBe('');
  });
});
