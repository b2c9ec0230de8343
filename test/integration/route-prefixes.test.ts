// Frontends of a path prefix, through a running proxy: what they serve, who forwards what, and changes by anyone at any time.
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type BackendRequest, ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { type Site, useHipache } from '../helpers/hipache.js';
import { startRedis } from '../helpers/redis.js';
import { startRouting } from '../helpers/routing.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const hipache = useHipache();
let site: Site;

beforeEach(async () => {
  site = await hipache.site({ server: { debugHeaders: 'everyone' } });
  await site.cli('flushall');
});

/** Adds frontends, each with itself as the identifier, as a person does. */
async function add(...names: readonly string[]): Promise<void> {
  const backend = await hipache.backend(ok('here'));
  for (const name of names) await site.redis.cli('rpush', `frontend:${name}`, name, backend.url);
  await site.told();
}

/** The frontend that serves, or the status. */
async function served(host: string, target: string): Promise<string> {
  const answer = await site.get(host, target, 'X-Debug: 1');
  return answer.status === 200 ? (answer.fields.get('x-debug-vhost') ?? '') : String(answer.status);
}

describe('B.3: which route serves a path', () => {
  const rows: readonly (readonly [target: string, bySegment: string, byString: string])[] = [
    ['/TEST/a?Q=1', '*/test', '*/test'],
    ['/te%73t', '*/test', '*/test'],
    ['/test', '*/test', '*/test'],
    ['/test?x', '*/test', '*/test'],
    ['/test/', '*/test', '*/test'],
    ['/testing', '*', '*/test'],
    ['/test/deep/er', '*/test/deep', '*/test/deep'],
    ['/test/deeper', '*/test', '*/test/deep'],
    ['/tes', '*', '*'],
    ['/other', '*', '*'],
    ['/', '*', '*'],
    ['/%E0%A4%A', '*', '*'],
  ];

  it('by segments, and by strings where the policy says so', async () => {
    await add('*', '*/test', '*/test/deep');
    for (const [target, expected] of rows) expect([target, await served('any.example', target)]).toEqual([target, expected]);
    await site.cli('hset', 'route:*/test', 'prefixMatch', 'string');
    await site.cli('hset', 'route:*/test/deep', 'prefixMatch', 'string');
    await eventually('the policies to be in force', async () => (await served('any.example', '/test/deeper')) === '*/test/deep');
    for (const [target, , expected] of rows) expect([target, await served('any.example', target)]).toEqual([target, expected]);
  });

  it('and forwards path, query and case as they came', async () => {
    const backend = await hipache.backend(ok('here'));
    await site.cli('rpush', 'frontend:*/test', 'test', backend.url);
    const targets = ['/TEST/a?Q=1', '/te%73t', '/test//x/../Y?/../z', '/%74est/%2F', '/test/./a'];
    for (const target of targets) expect((await site.get('a.com', target)).status).toBe(200);
    expect(backend.requests.map(({ target }: BackendRequest) => target)).toEqual(targets);
  });
});

describe('E.3: the look-up', () => {
  it('takes host names in Hipache’s order, and of each the longest prefix before its list', async () => {
    await add('a.com', 'a.com/x', 'a.com/x/y', '*.b.com/x', '*.b.com', '*/x', 'only.com/z');
    const asked = [
      'a.com/x/y/z',
      'a.com/x/yz',
      'a.com/q',
      'c.b.com/x',
      'c.b.com/q',
      'd.com/x',
      'only.com/z',
      'only.com/x',
      'd.com/q',
    ];
    const answers = await Promise.all(asked.map((url) => served(url.slice(0, url.indexOf('/')), url.slice(url.indexOf('/')))));
    expect(answers).toEqual(['a.com/x/y', 'a.com/x', 'a.com', '*.b.com/x', '*.b.com', '*/x', 'only.com/z', '*/x', '400']);
  });

  it.each([
    '/admin/..%2f',
    '//admin',
    '/./admin',
    '/x/../admin',
    '/%61dmin',
    '/ADMIN/',
    '/x/%2e%2e/admin',
    '/admin;x/../admin/y',
  ])('%s does not pass by the frontend of /admin', async (target) => {
    await add('a.com', 'a.com/admin');
    expect(await served('a.com', target)).toBe('a.com/admin');
  });

  it('gives a path that leads out of the root to the frontend of the whole host', async () => {
    await add('a.com', 'a.com/admin');
    for (const target of ['/../admin', '/admin/../../admin', '/%2e%2e/admin'])
      expect(await served('a.com', target)).toBe('a.com');
  });
});

describe('a change', () => {
  it('by redis-cli is in force on the next request: rpush, rename, expiry, del, flushall', async () => {
    await add('a.com');
    expect(await served('a.com', '/api/x')).toBe('a.com');
    await add('a.com/api');
    expect(await served('a.com', '/api/x')).toBe('a.com/api');
    await site.cli('rename', 'frontend:a.com/api', 'frontend:a.com/v2');
    expect([await served('a.com', '/api/x'), await served('a.com', '/v2')]).toEqual(['a.com', 'a.com/api']);
    await site.cli('pexpire', 'frontend:a.com/v2', '150');
    await eventually('the prefix to expire', async () => (await served('a.com', '/v2')) === 'a.com');
    await add('a.com/v3');
    expect(await served('a.com', '/v3')).toBe('a.com/v3');
    await site.cli('del', 'frontend:a.com/v3');
    expect(await served('a.com', '/v3')).toBe('a.com');
    await add('*/all');
    expect(await served('b.com', '/all')).toBe('*/all');
    await site.cli('flushall');
    expect([await served('a.com', '/'), await served('b.com', '/all')]).toEqual(['400', '400']);
  });

  it('of a list that races with requests never leaves the old one behind', async () => {
    const routing = await startRouting(hipache.redis.url);
    for (let round = 1; round <= 100; round++) {
      const write = hipache.redis.client
        .multi()
        .del('frontend:r.com/p')
        .rpush('frontend:r.com/p', 'id', `http://127.0.0.1:${round}`)
        .exec();
      await Promise.all([write, ...Array.from({ length: 5 }, () => routing.find('r.com', '/p/x'))]);
      await eventually('the new list', async () => (await routing.find('r.com', '/p/x')) === String(round));
    }
  });

  it('a request from memory sends Redis nothing', async () => {
    // Of its own: what a node sends from time to time is none of it.
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const routing = await startRouting(redis.url);
    for (const name of ['m.com', 'm.com/x', '*/y']) await redis.client.rpush(`frontend:${name}`, 'id', 'http://127.0.0.1:1');
    const asked = ['/x/1', '/x', '/', '/y', '/Y/%41'];
    await eventually(
      'the frontends',
      async () => (await routing.find('n.com', '/y')) === '1' && (await routing.find('m.com', '/x')) === '1',
    );
    for (const target of asked) for (const host of ['m.com', 'n.com']) await routing.find(host, target);
    await redis.client.config('RESETSTAT');
    for (let round = 0; round < 500; round++) {
      for (const target of asked)
        for (const host of ['m.com', 'n.com']) expect(routing.cache.find(host, target)).not.toBeInstanceOf(Promise);
    }
    const commands = (await redis.client.info('commandstats')).match(/cmdstat_[a-z|]+/g) ?? [];
    expect(commands.filter((command) => !/cmdstat_(ping|config|info)/.test(command))).toEqual([]);
  });
});

describe('the prefixes that were there before', () => {
  it('are known to the first request', async () => {
    await add('a.com', 'a.com/guarded');
    const many = hipache.redis.client.pipeline();
    for (let at = 0; at < 5000; at++) many.rpush(`frontend:other-${at}.com/p`, 'id', 'http://127.0.0.1:1');
    await many.exec();
    const own = await hipache.ownSite({ server: { debugHeaders: 'everyone' } });
    const answer = await own.get('a.com', '/guarded/x', 'X-Debug: 1');
    expect(answer.fields.get('x-debug-vhost')).toBe('a.com/guarded');
  });

  it('and those that come are known within a second or two where Redis tells no changes', async () => {
    await hipache.redis.client.call('ACL', 'SETUSER', 'poller', 'on', '>secret', '~*', '&*', '+@all', '-client|tracking');
    await add('p.com', 'p.com/old');
    const routing = await startRouting(`redis://poller:secret@127.0.0.1:${hipache.redis.port}`);
    expect(routing.store.state).toBe('polling');
    const old = await routing.find('p.com', '/old');
    expect(await routing.find('p.com', '/new')).toBe(old);
    await hipache.redis.client.rpush('frontend:p.com/new', 'id', 'http://127.0.0.1:7');
    await eventually('the new prefix', async () => (await routing.find('p.com', '/new')) === '7');
    await hipache.redis.client.del('frontend:p.com/new');
    await eventually('the new prefix to go', async () => (await routing.find('p.com', '/new')) === old);
  });

  it('are served as far as they are told where SCAN is forbidden', async () => {
    await hipache.redis.client.call('ACL', 'SETUSER', 'noscan', 'on', '>secret', '~*', '&*', '+@all', '-scan');
    await add('s.com');
    const routing = await startRouting(`redis://noscan:secret@127.0.0.1:${hipache.redis.port}`);
    await routing.find('s.com', '/');
    await hipache.redis.client.rpush('frontend:s.com/new', 'id', 'http://127.0.0.1:7');
    await eventually('the new prefix', async () => (await routing.find('s.com', '/new/x')) === '7');
    expect(routing.logged.join('\n')).toContain('cannot be searched for');
  });
});

describe('a dead backend of a prefix', () => {
  it('is marked under the host and the prefix that were asked for, and under its frontend', async () => {
    const alive = await hipache.backend(ok('alive'));
    await site.cli('rpush', 'frontend:*.d.com/api', 'd', 'http://127.0.0.1:1', alive.url);
    await site.cli('rpush', 'frontend:*.d.com', 'd', 'http://127.0.0.1:1', alive.url);
    for (let turn = 0; turn < 3; turn++) expect((await site.get('x.d.com', '/api/v1')).text).toBe('alive');
    await eventually('the mark', async () => (await site.redis.cli('smembers', 'dead:x.d.com/api')) === '0');
    expect(await site.redis.cli('smembers', 'dead:*.d.com/api')).toBe('0');
    expect(await site.redis.cli('exists', 'dead:x.d.com')).toBe('0');
  });

  it('that somebody else marks gets nothing', async () => {
    const one = await hipache.backend(ok('one'));
    const two = await hipache.backend(ok('two'));
    await site.cli('rpush', 'frontend:e.com/api', 'e', one.url, two.url);
    await site.cli('sadd', 'dead:e.com/api', '0');
    for (let turn = 0; turn < 4; turn++) expect((await site.get('e.com', '/api')).text).toBe('two');
  });
});

describe('the memory store', () => {
  let started: StartedProxy;

  beforeEach(async () => {
    started = await startProxy();
  });

  afterEach(() => started.close());

  it('has prefixes, patterns and their policies too', async () => {
    const { store } = started.proxy;
    const answer = async (path: string) => (await fetch(`http://127.0.0.1:${started.port}${path}`)).text();
    const backends = await Promise.all(['whole', 'prefix', 'pattern'].map((name) => hipache.backend(ok(name))));
    const [whole, prefix, pattern] = backends.map((backend) => backend.url) as [string, string, string];
    await store.writeFrontend('127.0.0.1', 'whole', [whole]);
    expect(await answer('/api')).toBe('whole');
    await store.writeFrontend('127.0.0.1/api', 'prefix', [prefix]);
    expect([await answer('/api/x'), await answer('/apis')]).toEqual(['prefix', 'whole']);
    await store.writeRecord('route', '127.0.0.1/api', ['prefixMatch', 'string']);
    await eventually('the policy', async () => (await answer('/apis')) === 'prefix');
    await store.writeRecord('patterns', '', [JSON.stringify({ hostname: '127.*', to: pattern })]);
    expect(await answer('/api')).toBe('pattern');
    await store.writeRecord('patterns', '', []);
    await store.deleteFrontend('127.0.0.1/api');
    expect(await answer('/api')).toBe('whole');
  });
});
