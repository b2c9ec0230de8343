// Clients parted among groups of backends: shares, pins, cookies, groups that die or are drained, changes while it runs.
import { request } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

interface Served {
  readonly status: number;
  readonly body: string;
  /** Set-Cookie, or empty. */
  readonly cookie: string;
}

const host = 'example.com';
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function get(port: number, headers: Readonly<Record<string, string>> = {}): Promise<Served> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, headers: { host, ...headers }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, cookie: response.headers['set-cookie']?.join('; ') ?? '' }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** How often each body came. */
async function bodies(port: number, times: number, headers: Readonly<Record<string, string>> = {}): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (let turn = 0; turn < times; turn++) {
    const { body } = await get(port, headers);
    seen.set(body, (seen.get(body) ?? 0) + 1);
  }
  return seen;
}

async function backend(body: string): Promise<RawBackend> {
  const started = await startBackend(ok(body));
  closing.push(() => started.close());
  return started;
}

async function proxy(driver?: string): Promise<StartedProxy> {
  const started = await startProxy(driver === undefined ? {} : { driver });
  closing.push(() => started.close());
  return started;
}

const groups = (stable: number, canary: number) => [
  { name: 'stable', weight: stable },
  { name: 'canary', weight: canary },
];

describe('a traffic split', () => {
  let node: StartedProxy;
  let stable: RawBackend;
  let canary: RawBackend;

  const write = (split: unknown, ...others: readonly string[]) =>
    node.proxy.store.writeRecord('route', host, ['split', JSON.stringify(split), ...others]);

  async function start(): Promise<void> {
    node = await proxy();
    stable = await backend('stable');
    canary = await backend('canary');
    await node.proxy.store.writeFrontend(host, 'id', [`${stable.url}#group=stable`, `${canary.url}#group=canary`]);
  }

  it('gives each group its share of new clients', async () => {
    await start();
    await write({ groups: groups(75, 25) });
    const seen = await bodies(node.port, 400);
    // 100 expected; six deviations of a fair draw either way.
    expect(seen.get('canary')).toBeGreaterThan(48);
    expect(seen.get('canary')).toBeLessThan(152);
    expect(seen.get('stable')).toBe(400 - (seen.get('canary') ?? 0));
  });

  it('is pinned by the header that it names, also to a group without weight, and ignores unknown names', async () => {
    await start();
    await write({ groups: groups(1, 0), header: 'X-Version' });
    expect(await bodies(node.port, 10, { 'x-version': 'canary' })).toEqual(new Map([['canary', 10]]));
    expect(await bodies(node.port, 10, { 'x-version': 'nonsense' })).toEqual(new Map([['stable', 10]]));
    expect(await bodies(node.port, 10)).toEqual(new Map([['stable', 10]]));
  });

  it('sets a cookie by which a client stays in its group, once', async () => {
    await start();
    await write({ groups: groups(50, 50), cookie: { name: 'version', ttl: '1h' } });
    const first = await get(node.port);
    expect(first.cookie).toBe(`version=${first.body}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax`);
    for (let turn = 0; turn < 20; turn++) {
      const again = await get(node.port, { cookie: `other=1; version=${first.body}` });
      expect(again).toEqual({ status: 200, body: first.body, cookie: '' });
    }
  });

  it('chooses anew for a client whose cookie names no group', async () => {
    await start();
    await write({ groups: groups(1, 0), cookie: 'version' });
    const { body, cookie } = await get(node.port, { cookie: 'version=nonsense' });
    expect(body).toBe('stable');
    expect(cookie).toBe('version=stable; Path=/; HttpOnly; SameSite=Lax');
  });

  it('lets a header go before the cookie, and leaves that alone', async () => {
    await start();
    await write({ groups: groups(1, 1), cookie: 'version', header: 'X-Version' });
    const served = await get(node.port, { cookie: 'version=stable', 'x-version': 'canary' });
    expect(served).toEqual({ status: 200, body: 'canary', cookie: '' });
  });

  it('falls to the others when a group has nobody who can serve, and tells the client where it is now', async () => {
    await start();
    await write({ groups: groups(1, 1), cookie: 'version' });
    await canary.close();
    for (let turn = 0; turn < 10; turn++) {
      const served = await get(node.port, { cookie: 'version=canary' });
      expect(served.body).toBe('stable');
      expect(served.cookie).toContain('version=stable');
    }
  });

  it('drains a group whose weight becomes 0: who is there stays, nobody new comes', async () => {
    await start();
    await write({ groups: groups(0, 1), cookie: 'version' });
    expect(await bodies(node.port, 5)).toEqual(new Map([['canary', 5]]));
    await write({ groups: groups(1, 0), cookie: 'version' });
    await eventually('the change', async () => (await get(node.port)).body === 'stable');
    expect(await bodies(node.port, 10)).toEqual(new Map([['stable', 10]]));
    expect(await bodies(node.port, 10, { cookie: 'version=canary' })).toEqual(new Map([['canary', 10]]));
  });

  it('stays in the group for a further attempt, and leaves it when that has no more backends', async () => {
    node = await proxy();
    const good = await backend('good canary');
    const other = await backend('stable');
    await node.proxy.store.writeFrontend(host, 'id', [
      'http://127.0.0.1:1#group=canary',
      `${other.url}#group=stable`,
      `${good.url}#group=canary`,
    ]);
    await write({ groups: groups(1, 0), header: 'X-Version' });
    expect((await get(node.port, { 'x-version': 'canary' })).body).toBe('good canary');
    await good.close();
    expect((await get(node.port, { 'x-version': 'canary' })).body).toBe('stable');
    expect(good.requests).toHaveLength(1);
  });

  it('takes the backends of a group evenly in turn, whatever the other groups take', async () => {
    node = await proxy();
    const names = ['a', 'b', 'c'];
    const stables = await Promise.all(names.map((name) => backend(name)));
    const odd = await backend('odd');
    const entries = stables.map(({ url }) => `${url}#group=stable`);
    await node.proxy.store.writeFrontend(host, 'id', [entries[0] ?? '', `${odd.url}#group=odd`, ...entries.slice(1)]);
    await write({ groups: [{ name: 'stable' }, { name: 'odd' }], header: 'X-Version' }, 'strategy', 'ROUND_ROBIN');
    for (let turn = 0; turn < 30; turn++) {
      await get(node.port, { 'x-version': 'stable' });
      await get(node.port, { 'x-version': 'odd' });
    }
    expect(stables.map(({ requests }) => requests.length)).toEqual([10, 10, 10]);
    expect(odd.requests).toHaveLength(30);
  });

  it('names the backends of a group by their ids', async () => {
    node = await proxy();
    stable = await backend('stable');
    canary = await backend('canary');
    await node.proxy.store.writeFrontend(host, 'id', [stable.url, `${canary.url}#id=c-1`]);
    await write({ groups: [{ name: 'canary', backends: ['c-1'] }] });
    expect(await bodies(node.port, 10)).toEqual(new Map([['canary', 10]]));
    // Those of no group are the last resort.
    await canary.close();
    expect((await get(node.port)).body).toBe('stable');
  });
});

describe('policies of attempts, written by a person at redis-cli', () => {
  let url = '';
  let cli: (...args: string[]) => Promise<string>;

  beforeAll(async () => {
    const redis = await startRedis();
    url = redis.url;
    cli = redis.cli;
    return () => redis.stop();
  });

  it('are in force on the requests that follow: split, D.4 19 retryOn, mirror', async () => {
    const node = await proxy(url);
    const stable = await backend('stable');
    const canary = await backend('canary');
    await cli('rpush', `frontend:${host}`, 'id', `${stable.url}#group=stable`, `${canary.url}#group=canary`);
    await eventually('the frontend', async () => (await get(node.port)).status === 200);
    await cli('hset', `route:${host}`, 'split', JSON.stringify({ groups: groups(0, 1) }));
    await eventually('the split', async () => (await bodies(node.port, 5)).get('canary') === 5);
    await cli('hset', `route:${host}`, 'split', JSON.stringify({ groups: groups(1, 0) }));
    await eventually('the other split', async () => (await bodies(node.port, 5)).get('stable') === 5);

    const failing = await startBackend('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n');
    closing.push(() => failing.close());
    await cli('lset', `frontend:${host}`, '1', `${failing.url}#group=stable`);
    await eventually('the other backend', async () => (await get(node.port)).status === 500);
    await cli('hset', `route:${host}`, 'retryOn', '500', 'split', JSON.stringify({ groups: groups(100, 1) }));
    await eventually('the retries', async () => (await bodies(node.port, 5)).get('canary') === 5);

    const mirror = await backend('mirror');
    await cli('hset', `route:${host}`, 'mirror', JSON.stringify({ to: mirror.url }));
    await eventually('a copy', async () => (await get(node.port)).body === 'canary' && mirror.requests.length > 0);
    await cli('del', `route:${host}`);
    await eventually('the end of the policy', async () => (await bodies(node.port, 6)).get('') !== undefined);
  });
});
