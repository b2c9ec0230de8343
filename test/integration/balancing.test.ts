// How a frontend's policy chooses among backends: written with redis-cli, seen through a running proxy.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok, type RawBackend, type Script } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { refusing, type Site, useHipache } from '../helpers/hipache.js';
import { connectClient } from '../helpers/raw-client.js';

const hipache = useHipache();
let site: Site;
let host: string;

beforeEach(async () => {
  site = await hipache.site({ server: { strategy: 'RANDOM', deadBackendTTL: 3600 } });
  host = hipache.host();
});

/** Backends that answer with their place: `0`, `1` and so on. */
const backends = (count: number): Promise<RawBackend[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => hipache.backend(ok(String(at)))));

/** Writes a frontend of these backends, each with a fragment, and its policy. */
async function serves(
  all: readonly RawBackend[],
  policy: Record<string, string>,
  fragments: readonly string[] = [],
): Promise<void> {
  const entries = all.map(({ url }, at) => `${url}#id=node-${at}${fragments[at] === undefined ? '' : `&${fragments[at]}`}`);
  const fields = Object.entries(policy).flat();
  if (fields.length > 0) await site.redis.cli('hset', `route:${host}`, ...fields);
  await site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);
}

async function counts(times: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const body of await site.bodies(host, times)) found[body] = (found[body] ?? 0) + 1;
  return found;
}

/** What a client of 127.0.0.N gets. */
async function asks(last: number, ...lines: readonly string[]): Promise<string> {
  const client = await connectClient(site.started.port, '127.0.0.1', `127.0.0.${last}`);
  client.send(head('GET', '/', host, ...lines));
  const { text } = await client.response();
  client.close();
  return text;
}

async function homes(clients: number): Promise<string[]> {
  const found: string[] = [];
  for (let last = 1; last <= clients; last++) found.push(await asks(last));
  return found;
}

describe('ROUND_ROBIN of a frontend (D.3 13)', () => {
  it('takes its backends in turn though the server draws them', async () => {
    await serves(await backends(3), { strategy: 'ROUND_ROBIN' });
    expect(await site.bodies(host, 6)).toEqual(['0', '1', '2', '0', '1', '2']);
  });

  it('is smooth by the weights of the list (D.3 17)', async () => {
    await serves(await backends(3), { strategy: 'ROUND_ROBIN' }, ['weight=5']);
    expect((await site.bodies(host, 7)).join('')).toBe('0010200');
  });

  it('takes a change of weights with the next request', async () => {
    await serves(await backends(2), { strategy: 'ROUND_ROBIN' });
    expect(await counts(8)).toEqual({ 0: 4, 1: 4 });
    await site.cli('hset', `route:${host}`, 'weights', '{"node-0": 3}');
    expect(await counts(8)).toEqual({ 0: 6, 1: 2 });
    await site.cli('hdel', `route:${host}`, 'weights');
    expect(await counts(8)).toEqual({ 0: 4, 1: 4 });
  });
});

describe('RANDOM (D.3 14 and 17)', () => {
  it('honours weights of the list without any policy', async () => {
    await serves(await backends(2), {}, ['weight=3', 'weight=1']);
    const found = await counts(800);
    // 600; seven standard deviations are 86.
    expect(Math.abs((found['0'] ?? 0) - 600)).toBeLessThan(87);
  });

  it('asks the others when all but one have failed, whatever their weights', async () => {
    const [good] = await backends(1);
    const entries = [`${refusing[0]}#weight=1000`, `${refusing[1]}#weight=1000`, good!.url];
    await site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);
    expect(await site.bodies(host, 3)).toEqual(['0', '0', '0']);
  });
});

describe('IP_HASH (D.3 15)', () => {
  const clients = 60;

  it('keeps each client with its backend, on every connection, and spreads clients', async () => {
    await serves(await backends(4), { strategy: 'IP_HASH' });
    const first = await homes(clients);
    expect(await homes(clients)).toEqual(first);
    expect(new Set(first)).toEqual(new Set(['0', '1', '2', '3']));
  });

  it('sends a client to the same backend from every node', async () => {
    await serves(await backends(4), { strategy: 'IP_HASH' });
    const here = await homes(20);
    site = await hipache.ownSite({ server: { strategy: 'ROUND_ROBIN' } });
    expect(await homes(20)).toEqual(here);
  });

  it('moves only the clients of a backend that is removed, about 1/n, and brings them back with it', async () => {
    const all = await backends(5);
    await serves(all, { strategy: 'IP_HASH' });
    const before = await homes(clients);
    await site.cli('lrem', `frontend:${host}`, '1', `${all[2]!.url}#id=node-2`);
    const without = await homes(clients);
    before.forEach((home, at) => {
      if (home === '2') expect(without[at]).not.toBe('2');
      else expect(without[at]).toBe(home);
    });
    // A fifth of 60; seven standard deviations are 22.
    expect(before.filter((home) => home === '2').length).toBeLessThan(12 + 22);
    // Back at another place of the list: the id counts.
    await site.cli('rpush', `frontend:${host}`, `${all[2]!.url}#id=node-2`);
    expect(await homes(clients)).toEqual(before);
  });

  it('moves the clients of a dead backend, and they come back with it', async () => {
    await serves(await backends(3), { strategy: 'IP_HASH' });
    const before = await homes(30);
    await site.cli('sadd', `dead:${host}`, '1');
    const without = await homes(30);
    before.forEach((home, at) => {
      if (home === '1') expect(without[at]).not.toBe('1');
      else expect(without[at]).toBe(home);
    });
    await site.cli('del', `dead:${host}`);
    expect(await homes(30)).toEqual(before);
  });

  it('looks at the client behind a trusted proxy, not at what strangers say', async () => {
    const all = await backends(4);
    await serves(all, { strategy: 'IP_HASH' });
    const plain = await homes(20);
    const claiming = await Promise.all(plain.map((_, at) => asks(200, `X-Forwarded-For: 127.0.0.${at + 1}`)));
    expect(new Set(claiming).size).toBe(1);
    site = await hipache.ownSite({ trustedProxies: ['127.0.0.200'] });
    expect(await Promise.all(plain.map((_, at) => asks(200, `X-Forwarded-For: 127.0.0.${at + 1}`)))).toEqual(plain);
  });

  it('can be the strategy of the server, for frontends without a policy', async () => {
    site = await hipache.ownSite({ server: { strategy: 'IP_HASH' } });
    await serves(await backends(4), {});
    const first = await homes(20);
    expect(await homes(20)).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
  });
});

describe('HASH', () => {
  /** What clients with different values get, each asked twice from different addresses. */
  async function byValue(policy: string, request: (value: number) => readonly [string, ...string[]]): Promise<string[]> {
    await serves(await backends(4), { strategy: 'HASH', hashOn: policy });
    const found: string[] = [];
    for (let value = 0; value < 20; value++) {
      const [target, ...lines] = request(value);
      const answers: string[] = [];
      for (const last of [1, 77]) {
        const client = await connectClient(site.started.port, '127.0.0.1', `127.0.0.${last}`);
        client.send(head('GET', target, host, ...lines));
        answers.push((await client.response()).text);
        client.close();
      }
      expect(answers[1]).toBe(answers[0]);
      found.push(answers[0]!);
    }
    return found;
  }

  it.each<[string, (value: number) => readonly [string, ...string[]]]>([
    ['header:X-User', (value) => ['/', `x-user: user-${value}`]],
    ['cookie:session', (value) => ['/', `Cookie: a=b; session=${value}; c=d`]],
    ['query:id', (value) => [`/x?a=1&id=${value}&b=2`]],
    ['path', (value) => [`/path/${value}?x=${Math.random()}`]],
  ])('by %s sends equal values to one backend, whoever asks, and spreads different ones', async (policy, request) => {
    expect(new Set(await byValue(policy, request)).size).toBeGreaterThan(1);
  });

  it('tells by the address where a request lacks the value, and without hashOn', async () => {
    await serves(await backends(4), { strategy: 'IP_HASH' });
    const byAddress = await homes(20);
    await site.cli('hset', `route:${host}`, 'strategy', 'HASH', 'hashOn', 'header:X-User');
    expect(await homes(20)).toEqual(byAddress);
    await site.cli('hdel', `route:${host}`, 'hashOn');
    expect(await homes(20)).toEqual(byAddress);
  });

  it('with a hashOn that nobody understands says so, and serves', async () => {
    await serves(await backends(2), { strategy: 'HASH', hashOn: 'body' });
    expect((await site.get(host)).status).toBe(200);
    const said = site.logged.map(({ msg }) => msg).join('\n');
    expect(said).toContain(`route:${host}: hashOn is "body"; allowed: "path", "header:NAME", "cookie:NAME" or "query:NAME"`);
  });
});

describe('LEAST_CONNECTIONS', () => {
  it('leaves a busy backend alone, and comes back to it when it is free', async () => {
    const held: (() => void)[] = [];
    const hold: Script = (request, connection) =>
      request.target === '/hold'
        ? new Promise<void>((resolve) => {
            held.push(() => {
              connection.send(ok('held'));
              resolve();
            });
          })
        : connection.send(ok('busy'));
    const all = [await hipache.backend(hold), await hipache.backend(hold), await hipache.backend(ok('2'))];
    await serves(all, { strategy: 'LEAST_CONNECTIONS' }, ['', '', 'weight=0']);
    const client = await site.client();
    client.send(head('GET', '/hold', host));
    await eventually('the request to be held', () => held.length === 1);
    const [busy, free] = all[0]!.requests.length === 1 ? [all[0]!, all[1]!] : [all[1]!, all[0]!];
    await site.bodies(host, 20);
    expect([busy.requests.length, free.requests.length]).toEqual([1, 20]);
    held[0]!();
    expect((await client.response()).text).toBe('held');
    await site.bodies(host, 40);
    expect(busy.requests.length).toBeGreaterThan(1);
  });
});

describe('LEAST_LATENCY (D.3 16)', () => {
  it('leaves a slow backend to itself', async () => {
    const slow: Script = async (_request, connection) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      connection.send(ok('slow'));
    };
    await serves([await hipache.backend(slow), await hipache.backend(ok('fast'))], { strategy: 'LEAST_LATENCY' });
    const found = await counts(40);
    // One request is how it gets to be known as slow.
    expect(found.slow ?? 0).toBe(1);
  });

  it('counts for all frontends when it is the strategy of the server', async () => {
    site = await hipache.ownSite({ server: { strategy: 'LEAST_LATENCY' } });
    const slow: Script = async (_request, connection) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      connection.send(ok('slow'));
    };
    await serves([await hipache.backend(slow), await hipache.backend(ok('fast'))], {});
    expect((await counts(40)).slow ?? 0).toBe(1);
  });
});

describe('a weight of 0', () => {
  it('gets no request, in the list and in the policy', async () => {
    await serves(await backends(3), { weights: '{"node-2": 0}' }, ['weight=0']);
    expect(await counts(20)).toEqual({ 1: 20 });
  });

  it('gets none either when the others have failed → 502', async () => {
    const [idle] = await backends(1);
    await site.cli('rpush', `frontend:${host}`, 'an identifier', refusing[0], `${idle!.url}#weight=0`);
    const answer = await site.get(host);
    expect([answer.status, idle!.requests.length]).toEqual([502, 0]);
  });

  it('that is wrong is named with what is allowed, and the weights of the list hold', async () => {
    await serves(await backends(2), { strategy: 'ROUND_ROBIN', weights: '{"node-0": -1}' });
    expect(await counts(4)).toEqual({ 0: 2, 1: 2 });
    const said = site.logged.map(({ msg }) => msg).join('\n');
    expect(said).toContain(`route:${host}: weights is an object; allowed at node-0: a number from 0 to 1000000`);
  });
});

describe('a backup', () => {
  it('gets no request while another backend is alive, and all while none is', async () => {
    await serves(await backends(3), {}, ['', '', 'backup']);
    expect(Object.keys(await counts(30)).sort()).toEqual(['0', '1']);
    await site.cli('sadd', `dead:${host}`, '0', '1');
    expect(await counts(10)).toEqual({ 2: 10 });
    await site.cli('del', `dead:${host}`);
    expect(Object.keys(await counts(30)).sort()).toEqual(['0', '1']);
  });

  it('takes the request that all others have failed', async () => {
    const [spare] = await backends(1);
    await site.cli('rpush', `frontend:${host}`, 'an identifier', refusing[0], refusing[1], `${spare!.url}#backup`);
    expect((await site.get(host)).text).toBe('0');
  });

  it('shares its turns with other backups', async () => {
    await serves(await backends(3), { strategy: 'ROUND_ROBIN' }, ['', 'backup', 'backup']);
    await site.cli('sadd', `dead:${host}`, '0');
    expect(await counts(8)).toEqual({ 1: 4, 2: 4 });
  });
});

describe('slowStart', () => {
  it('lets a backend that came back grow to its share', async () => {
    await serves(await backends(2), { strategy: 'ROUND_ROBIN', slowStart: '1h' });
    expect(await counts(20)).toEqual({ 0: 10, 1: 10 });
    await site.cli('sadd', `dead:${host}`, '1');
    expect(await counts(5)).toEqual({ 0: 5 });
    await site.cli('del', `dead:${host}`);
    // A tenth of the other's weight.
    expect(await counts(110)).toEqual({ 0: 100, 1: 10 });
  });

  it('lets one that is new to the list grow', async () => {
    const all = await backends(3);
    await serves(all.slice(0, 2), { strategy: 'ROUND_ROBIN', slowStart: '1h' });
    await counts(4);
    await site.cli('rpush', `frontend:${host}`, all[2]!.url);
    expect((await counts(210))['2']).toBe(10);
  });

  it('has ended when its time is up', async () => {
    await serves(await backends(2), { strategy: 'ROUND_ROBIN', slowStart: '100ms' });
    await counts(2);
    await site.cli('sadd', `dead:${host}`, '1');
    await counts(2);
    await site.cli('del', `dead:${host}`);
    await eventually('both to get the same', async () => {
      const found = await counts(20);
      return found['0'] === 10 && found['1'] === 10;
    });
  });
});

afterEach(() => {
  expect(site.logged.filter(({ level }) => level === 'error')).toEqual([]);
});
