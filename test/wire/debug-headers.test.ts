// X-Debug: who may see which backend answered.
import { describe, expect, it } from 'vitest';
import { head, World } from '../contract/engine/world.js';
import { ok, type RawBackend } from '../helpers/backend.js';
import type { RawResponse } from '../helpers/raw-client.js';
import { type ProxyOverrides, startProxy } from '../helpers/start-proxy.js';

const whole = /^\d+$/;

/** Runs `use` with a proxy of its own. */
async function withWorld(overrides: ProxyOverrides, use: (world: World) => Promise<void>): Promise<void> {
  const proxy = await startProxy(overrides);
  const world = new World(proxy, 'wire');
  try {
    await use(world);
  } finally {
    await world.close();
    await proxy.close();
  }
}

function debugNames(response: RawResponse): string[] {
  return response.fields.names.filter((name) => name.startsWith('x-debug-'));
}

function expectBackendTold(response: RawResponse, backend: RawBackend, index: string, host: string): void {
  expect(response.fields.get('x-debug-backend-url')).toBe(`${backend.url}/`);
  expect(response.fields.get('x-debug-backend-id')).toBe(index);
  expect(response.fields.get('x-debug-vhost')).toMatch(/^id-\d+$/);
  expect(response.fields.get('x-debug-frontend-key')).toBe(host);
  expect(response.fields.get('x-debug-time-total')).toMatch(whole);
  expect(response.fields.get('x-debug-time-backend')).toMatch(whole);
  expect(response.fields.get('x-debug-version-hipache')).toMatch(/^\d+\.\d+\.\d+/);
}

async function withoutAnswer(world: World): Promise<void> {
  const host = await world.frontend(await world.backend(ok()));
  for (const response of [await world.get(host, '/', 'X-Debug: 1'), await world.get('nobody.example.com', '/', 'X-Debug: 1')]) {
    expect(debugNames(response)).toEqual([]);
  }
}

describe('debugHeaders: trusted', () => {
  it('tells a trusted address which backend answered, and what the proxy answered itself', async () => {
    await withWorld({ trustedProxies: ['127.0.0.1'] }, async (world) => {
      const backend = await world.backend(ok('hello'));
      const host = await world.frontend(world.refusing[0], backend);
      const response = await world.get(host, '/', 'X-Debug: 1');
      expect(response.text).toBe('hello');
      expectBackendTold(response, backend, '1', host);
      const refused = await world.get('nobody.example.com', '/', 'X-Debug: 1');
      expect(refused.fields.get('x-debug-error')).toBe('frontend not found');
      expect(refused.fields.get('x-debug-backend-url')).toBeNull();
      const failed = await world.get(await world.frontend(world.refusing[1]), '/', 'X-Debug: 1');
      expect(failed.fields.get('x-debug-backend-url')).toBe(`${world.refusing[1]}/`);
      expect(failed.fields.get('x-debug-error')).not.toBeNull();
      expect((await world.get('__ping__', '/', 'X-Debug: 1')).fields.get('x-debug-error')).toBe('ok');
    });
  });

  it('tells nobody who does not ask, on the same connection', async () => {
    await withWorld({ trustedProxies: ['127.0.0.1'] }, async (world) => {
      const host = await world.frontend(await world.backend(ok()));
      const client = await world.client();
      for (const [line, count] of [
        ['X-Debug: 1', 7],
        ['X-Other: 1', 0],
        ['X-Debug: 0', 7],
      ] as const) {
        client.send(head('GET', '/', host, line));
        expect(debugNames(await client.response()).length).toBe(count);
      }
    });
  });

  it('tells each name once although an attempt failed after its answer had begun to come', async () => {
    await withWorld({ trustedProxies: ['127.0.0.1'], server: { retryOnError: 0 } }, async (world) => {
      const backend = await world.backend('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ngarbage');
      const response = await world.get(await world.frontend(backend), '/', 'X-Debug: 1');
      expect(response.status).toBe(502);
      const names = debugNames(response);
      expect(names.length).toBe(new Set(names).size);
    });
  });

  it('tells an address that is not trusted nothing', async () => {
    await withWorld({}, withoutAnswer);
  });

  it('passes the question on, as Hipache did', async () => {
    await withWorld({}, async (world) => {
      const backend = await world.backend(ok());
      await world.get(await world.frontend(backend), '/', 'X-Debug: 1');
      expect(backend.only.fields.get('x-debug')).toBe('1');
    });
  });
});

describe('debugHeaders: everyone', () => {
  it('tells everyone', async () => {
    await withWorld({ server: { debugHeaders: 'everyone' } }, async (world) => {
      const backend = await world.backend(ok());
      const host = await world.frontend(backend);
      expectBackendTold(await world.get(host, '/', 'X-Debug: 1'), backend, '0', host);
    });
  });

  it('lets no identifier of a frontend break out of its line', async () => {
    await withWorld({ server: { debugHeaders: 'everyone' } }, async (world) => {
      const backend = await world.backend(ok());
      await world.proxy.proxy.store.writeFrontend('odd.example.com', 'a\r\nSet-Cookie: x=y\r\n\r\n€', [backend.url]);
      const response = await world.get('odd.example.com', '/', 'X-Debug: 1');
      expect(response.fields.get('x-debug-vhost')).toBe('a??Set-Cookie: x=y?????');
      expect(response.fields.get('set-cookie')).toBeNull();
    });
  });
});

describe('debugHeaders: nobody', () => {
  it('tells nobody, trusted or not', async () => {
    await withWorld({ trustedProxies: ['127.0.0.1'], server: { debugHeaders: 'nobody' } }, withoutAnswer);
  });
});
