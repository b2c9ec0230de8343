// Who may call the management API, and what is told to those who may not.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiConfig, ApiRole } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { Authenticator, isFor } from '../../src/management/auth.js';
import { createAuthority } from '../helpers/certs.js';
import { startApi, type TestApi } from '../helpers/management.js';

const open: TestApi[] = [];

afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function started(api: Partial<ApiConfig> = {}): Promise<TestApi> {
  const made = await startApi('memory:', api);
  open.push(made);
  return made;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const token = (name: string, role: ApiRole, hosts: string[] = []) => ({ name, role, hosts, sha256: digest(`secret-${name}`) });
const as = (name: string) => ({ authorization: `Bearer secret-${name}` });
const route = (vHost: string) => ({ vHost, strategy: 'RANDOM', backends: [{ hostname: 'a', port: 1 }] });

describe('tokens', () => {
  it('are asked for once there are any, and refusals are in the log without what was tried', async () => {
    const api = await started({ tokens: [token('reader', 'read')] });
    const none = await api.call('GET', '/routes');
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="cjs-proxy"']);
    expect((await api.call('GET', '/routes', undefined, { authorization: 'Bearer guessed-token' })).status).toBe(401);
    expect((await api.call('GET', '/nothing')).status).toBe(401);
    expect((await api.call('GET', '/routes', undefined, as('reader'))).status).toBe(200);
    const log = api.lines.join('\n');
    expect(log).toContain('A call of the management API was refused');
    expect(log).not.toContain('guessed-token');
  });

  it('do what their role allows', async () => {
    const api = await started({ tokens: [token('reader', 'read'), token('writer', 'write'), token('chief', 'admin')] });
    expect((await api.call('POST', '/routes', route('a.example.com'), as('reader'))).status).toBe(403);
    expect((await api.call('POST', '/routes', route('a.example.com'), as('writer'))).status).toBe(201);
    expect((await api.call('GET', '/export', undefined, as('writer'))).status).toBe(403);
    expect((await api.call('GET', '/export', undefined, as('chief'))).status).toBe(200);
    expect((await api.call('GET', '/history?limit=1', undefined, as('chief'))).body[0].by).toBe('writer');
    expect(api.lines.some((line) => line.includes('"by":"reader"') && line.includes('403'))).toBe(true);
  });

  it('for some hosts see and change these alone', async () => {
    const api = await started({
      tokens: [token('chief', 'admin'), token('shop', 'write', ['shop.example.com', '*.shop.example.com'])],
    });
    for (const name of ['shop.example.com', 'a.shop.example.com/api', 'bank.example.com', 'notshop.example.com'])
      expect((await api.call('PUT', `/routes/${encodeURIComponent(name)}`, route(name), as('chief'))).status).toBe(201);
    const listed = await api.call('GET', '/routes', undefined, as('shop'));
    expect(listed.body.map(({ vHost }: { vHost: string }) => vHost)).toEqual(['a.shop.example.com/api', 'shop.example.com']);
    for (const [method, path] of [
      ['GET', '/routes/bank.example.com'],
      ['DELETE', '/routes/bank.example.com'],
      ['POST', '/routes/bank.example.com/backends/a:1/dead'],
      ['GET', '/stats/bank.example.com'],
      ['GET', '/certificates/bank.example.com'],
      ['GET', '/tiers'],
      ['GET', '/history'],
      ['GET', '/events'],
    ] as const)
      expect([path, (await api.call(method, path, undefined, as('shop'))).status]).toEqual([path, 403]);
    expect((await api.call('POST', '/routes', route('new.example.com'), as('shop'))).status).toBe(403);
    expect((await api.call('DELETE', '/routes/shop.example.com', undefined, as('shop'))).status).toBe(204);
  });

  it('that are wrong again and again have their address not listened to for a minute', () => {
    let now = 0;
    const who = new Authenticator([token('a', 'read')], 3, () => now);
    const tried = (header: string | undefined, address = '10.0.0.1') => {
      try {
        return who.identify(header, address, '').name;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    for (let time = 0; time < 3; time += 1) expect(tried('Bearer wrong')).toBe('unauthenticated');
    expect(tried('Bearer secret-a')).toBe('too-many-failures');
    expect(tried('Bearer secret-a', '10.0.0.2')).toBe('a');
    now = 60_001;
    expect(tried('Bearer secret-a')).toBe('a');
    for (let time = 0; time < 9; time += 1) expect(tried(undefined)).toBe('unauthenticated');
    expect(tried('Bearer secret-a')).toBe('a');
  });

  it('are for a host with its ports and paths, and for all below it where they say so', () => {
    expect(['a.com', 'a.com:8080', 'a.com/x'].every((name) => isFor(['a.com'], name))).toBe(true);
    expect(['*.a.com', 'x.a.com', 'x.y.a.com/z'].every((name) => isFor(['*.a.com'], name))).toBe(true);
    expect(['a.com', 'xa.com', '*', '*/x', '*.com'].some((name) => isFor(['*.a.com'], name))).toBe(false);
    expect(['x.a.com', 'b.com', '*.a.com', '*'].some((name) => isFor(['a.com'], name))).toBe(false);
  });
});

describe('a browser', () => {
  it('is not made to call by pages of others, nor by a name that leads here', async () => {
    const api = await started();
    expect((await api.call('GET', '/routes', undefined, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await api.call('GET', '/routes', undefined, { origin: new URL(api.url).origin })).status).toBe(200);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(api.url);
      const asked = plainRequest({
        port,
        host: '127.0.0.1',
        path: '/api/v1/routes',
        headers: { host: `rebound.example:${port}` },
      });
      asked.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject);
      asked.end();
    });
    expect(status).toBe(421);
  });

  it('gets the headers that keep it careful, with refusals too', async () => {
    const api = await started();
    for (const path of ['/docs', '/nothing']) {
      const { headers } = await api.call('GET', path);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect([headers.get('x-content-type-options'), headers.get('x-frame-options'), headers.get('cache-control')]).toEqual([
        'nosniff',
        'DENY',
        'no-store',
      ]);
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('the settings', () => {
  const load = (api: object) => loadConfig({ settings: { api }, env: {}, root: false });

  it('do not let anybody listen to other machines without asking who calls', () => {
    expect(() => load({ bind: '0.0.0.0' })).toThrow(/api\.bind is 0\.0\.0\.0; allowed is 127\.0\.0\.1.*api\.tokens/);
    const tokens = [{ name: 'a', sha256: digest('x'), role: 'read' }];
    expect(load({ bind: '0.0.0.0', tokens }).warnings.join()).toContain('clear text');
    expect(() => load({ tokens: [{ name: 'a', sha256: 'the-token-itself', role: 'read' }] })).toThrow(
      /api\.tokens\[0\]\.sha256 is \(hidden\)/,
    );
  });
});

describe('TLS', () => {
  it('with client certificates lets nobody in who has none', async () => {
    const authority = createAuthority();
    const dir = mkdtempSync(join(tmpdir(), 'cjs-proxy-api-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    try {
      const server = authority.issue('localhost', '127.0.0.1');
      const api = await started({
        cert: file('cert', server.cert),
        key: file('key', server.key),
        clientCa: [file('ca', authority.cert)],
      });
      const ask = (pair: object) =>
        new Promise<number | string>((resolve) => {
          const asked = secureRequest(`${api.url}/api/v1/routes`, { ca: authority.cert, agent: false, ...pair });
          asked
            .once('response', (response) => resolve(response.resume().statusCode ?? 0))
            .once('error', (error) => resolve(error.name));
          asked.end();
        });
      expect(await ask(authority.issue('operator'))).toBe(200);
      expect(await ask({})).toBe('Error');
      expect(await ask(createAuthority().issue('stranger'))).toBe('Error');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
