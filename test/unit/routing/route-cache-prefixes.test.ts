// Routes by prefix and by host pattern: what wins, what is kept, what makes it untrue.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Route } from '../../../src/model/frontend.js';
import { isMiss, RouteCache, type RouteMiss } from '../../../src/routing/route-cache.js';
import { ControlledStore } from '../../helpers/controlled-store.js';
import { eventually } from '../../helpers/eventually.js';

let store: ControlledStore;
let cache: RouteCache;
let notes: string[];

beforeEach(async () => {
  store = new ControlledStore();
  notes = [];
  cache = new RouteCache({ store, entries: 1000, maxStale: 0, log: (text) => notes.push(text) });
  await store.start(cache);
  await cache.ready();
});

/** Adds frontends, each with itself as the identifier, and tells. */
function add(...names: string[]): void {
  for (const name of names) store.change(name, [name, 'http://a:1']);
}

function shortly(found: Route | RouteMiss): string {
  return isMiss(found) ? found.kind : found.frontend;
}

async function find(url: string, secure = false): Promise<string> {
  const slash = url.indexOf('/');
  return shortly(await cache.find(url.slice(0, slash), url.slice(slash), secure));
}

describe('E.3: the look-up of a request', () => {
  it.each([
    ['a.com/test/x', 'a.com/test'],
    ['a.com/test', 'a.com/test'],
    ['a.com/TEST/x?y', 'a.com/test'],
    ['a.com/test/deep/x', 'a.com/test/deep'],
    ['a.com/testing', 'a.com'],
    ['a.com/', 'a.com'],
    ['a.com/any', 'a.com'],
    ['a.com:8080/any', 'a.com'],
    ['a.com:8080/port', 'a.com:8080/port'],
    ['a.com/port', 'a.com'],
    ['b.com/test', '*/test'],
    ['b.com/other', 'unknown'],
    ['x.wild.com/test', '*.wild.com'],
    ['x.wild.com/api/v1', '*.wild.com/api'],
    ['only.com/api', 'only.com/api'],
    ['only.com/test', '*/test'],
    ['only.com/none', 'unknown'],
    ['a.com/x/../test', 'a.com/test'],
    ['a.com/test/..%2f', 'a.com/test'],
    ['a.com/../test', 'a.com'],
  ])('%s is served by %s', async (url, frontend) => {
    add('a.com', 'a.com/test', 'a.com/test/deep', 'a.com:8080/port', '*/test', '*.wild.com', '*.wild.com/api', 'only.com/api');
    expect(await find(url)).toBe(frontend);
    expect(await find(url)).toBe(frontend);
  });

  it('a host with a list goes before a prefix of any host', async () => {
    add('a.com', '*/test');
    expect(await find('a.com/test')).toBe('a.com');
  });

  it('a prefix / serves what no longer prefix does, before the list', async () => {
    add('a.com', 'a.com/', 'a.com/x');
    expect(await find('a.com/any')).toBe('a.com/');
    expect(await find('a.com/x')).toBe('a.com/x');
  });
});

describe('an answer from memory', () => {
  it('needs no promise and no read, for each path below a prefix', async () => {
    add('a.com', 'a.com/api', '*/any');
    for (const url of ['a.com/api', 'a.com/x', 'b.com/any']) await find(url);
    const reads = store.reads.length;
    const route = cache.find('a.com', '/api/1');
    expect(shortly(route as Route)).toBe('a.com/api');
    expect(cache.find('a.com', '/API/2?x')).toBe(route);
    expect(cache.find('A.com.', '/api')).toBe(route);
    expect(shortly(cache.find('a.com', '/') as Route)).toBe('a.com');
    expect(shortly(cache.find('b.com', '/any/x') as Route)).toBe('*/any');
    expect(cache.find('b.com', '/none')).toEqual({ kind: 'unknown' });
    expect(store.reads).toHaveLength(reads);
  });

  it('has the dead set of the host and the prefix that were asked for, and that of the frontend', async () => {
    add('*.wild.com/api', 'a.com/api', '*/any');
    const at = async (host: string, path: string) => (await cache.find(host, path)) as Route;
    const names = (route: Route) => [route.host, route.frontend, ...route.records.map(({ name }) => name)];
    expect(names(await at('x.wild.com', '/api/1'))).toEqual([
      'x.wild.com/api',
      '*.wild.com/api',
      'x.wild.com/api',
      '*.wild.com/api',
    ]);
    expect(names(await at('a.com:80', '/api'))).toEqual(['a.com/api', 'a.com/api', 'a.com/api']);
    expect(names(await at('b.com', '/any'))).toEqual(['b.com/any', '*/any', 'b.com/any', '*/any']);
  });

  it('is bounded', async () => {
    cache = new RouteCache({ store, entries: 100, maxStale: 0, log: (text) => notes.push(text) });
    await store.start(cache);
    add(...Array.from({ length: 2000 }, (_, at) => `a.com/p${at}`));
    for (let at = 0; at < 2000; at++) expect(await find(`a.com/p${at}/x`)).toBe(`a.com/p${at}`);
    expect(cache.reader.size).toBeLessThan(100 + 25 + 10);
    expect(cache.prefixes).toBe(2000);
  });
});

describe('a change', () => {
  it('of a prefix is in force on the next request', async () => {
    add('a.com');
    expect(await find('a.com/api')).toBe('a.com');
    add('a.com/api');
    expect(await find('a.com/api')).toBe('a.com/api');
    add('a.com/api/v1');
    expect(await find('a.com/api/v1')).toBe('a.com/api/v1');
    store.change('a.com/api/v1', []);
    expect(await find('a.com/api/v1')).toBe('a.com/api');
    store.change('a.com/api', []);
    expect(await find('a.com/api/v1')).toBe('a.com');
    store.change('a.com', []);
    expect(await find('a.com/api/v1')).toBe('unknown');
  });

  it('of the list of a prefix, and of nothing else, makes its route anew', async () => {
    add('a.com', 'a.com/x', 'a.com/y');
    const at = (path: string) => cache.find('a.com', path);
    const [host, x, y] = [await at('/'), await at('/x'), await at('/y')];
    add('a.com/x');
    expect([at('/'), at('/y')]).toEqual([host, y]);
    expect(await at('/x')).not.toBe(x);
    expect(await at('/y')).toBe(y);
  });

  it('of a host that was tried before the prefix counts too', async () => {
    add('*/api');
    expect(await find('a.com/api')).toBe('*/api');
    add('*.com');
    expect(await find('a.com/api')).toBe('*.com');
    add('a.com/api');
    expect(await find('a.com/api')).toBe('a.com/api');
  });

  it('of the policy changes how a prefix is matched', async () => {
    add('a.com', 'a.com/test');
    expect(await find('a.com/testing')).toBe('a.com');
    store.put('a.com/test', ['id', 'http://a:1'], { policy: ['prefixMatch', 'string'] });
    cache.changed('a.com/test');
    await eventually('the policy to be in force', async () => (await find('a.com/testing')) === 'a.com/test');
    expect(await find('a.com/tes')).toBe('a.com');
  });

  it('while its record is being read leaves the old answer to who waited, and to nobody after', async () => {
    add('a.com', 'a.com/api');
    await eventually('the look at the new name', () => store.reads.some((names) => names.includes('a.com/api')));
    store.holding = true;
    const waiting = cache.find('a.com', '/api');
    store.holding = false;
    store.change('a.com/api', ['new', 'http://new:1']);
    for (const read of store.held) read.reply();
    expect(await waiting).toMatchObject({ identifier: 'a.com/api' });
    expect(await cache.find('a.com', '/api')).toMatchObject({ identifier: 'new' });
  });

  it('of everything is read again', async () => {
    add('a.com', 'a.com/api');
    expect(await find('a.com/api')).toBe('a.com/api');
    store.put('a.com/api', []);
    store.put('a.com/new', ['id', 'http://a:1']);
    store.everythingChanged();
    expect(await find('a.com/api')).toBe('a.com');
    await eventually('the scan', async () => (await find('a.com/new')) === 'a.com/new');
  });
});

describe('a wrong record below a prefix', () => {
  it('stands in the way of its own paths alone', async () => {
    add('a.com');
    store.put('a.com/api', [], { fault: 'frontend:a.com/api is not a list' });
    cache.changed('a.com/api');
    expect(await cache.find('a.com', '/api/x')).toMatchObject({ fault: 'frontend:a.com/api is not a list' });
    expect(await find('a.com/')).toBe('a.com');
    expect(notes).toEqual(['frontend:a.com/api is not a list']);
  });
});

describe('while the store is away', () => {
  function loseStore() {
    store.state = 'away';
    store.failing = true;
    store.everythingChanged();
  }

  it('the routes of prefixes are served as they last were', async () => {
    add('a.com', 'a.com/api', '*/any');
    for (const url of ['a.com/', 'a.com/api', 'b.com/any']) await find(url);
    loseStore();
    expect(await Promise.all(['a.com/x', 'a.com/api/x', 'b.com/any/x'].map((url) => find(url)))).toEqual([
      'a.com',
      'a.com/api',
      '*/any',
    ]);
  });

  it('a path below a prefix whose route was never seen is not given to its host', async () => {
    add('a.com', 'a.com/guarded');
    await find('a.com/');
    loseStore();
    expect(await find('a.com/guarded')).toBe('away');
    expect(await find('a.com/')).toBe('a.com');
  });

  it('what is known of the records is enough', async () => {
    add('a.com', 'a.com/api');
    await find('a.com/api');
    store.state = 'away';
    expect(await find('a.com:81/api')).toBe('away');
    expect(await find('a.com/api')).toBe('a.com/api');
  });

  it('from the start nothing is known', async () => {
    cache = new RouteCache({ store, entries: 100, maxStale: 0, log: (text) => notes.push(text) });
    loseStore();
    await cache.ready();
    expect(await find('a.com/')).toBe('away');
  });
});

describe('host patterns', () => {
  it('go before hosts, the last that matches first; what none matches goes to frontends', async () => {
    add('a.com', 'b.com', 'shop', 'shop/cart');
    store.changePatterns({ hostname: '*.a.com', to: 8090 }, { hostname: ['a.*', '*.shop.com'], to: 'frontend:shop' });
    expect(await find('a.com/')).toBe('shop');
    expect(await find('x.shop.com/cart/1')).toBe('shop/cart');
    expect(await find('x.a.com/')).toBe('pattern:*.a.com');
    expect(await find('b.com/')).toBe('b.com');
  });

  it('A10, A11: know no case, port or trailing dot', async () => {
    store.changePatterns({ hostname: 'A.com.', to: 1 });
    expect(await find('a.COM.:8080/')).toBe('pattern:A.com.');
  });

  it('may name one prefix of a frontend', async () => {
    add('a.com', 'a.com/api');
    store.changePatterns({ hostname: 'api.*', to: 'frontend:a.com/api' });
    expect(await find('api.com/any/path')).toBe('a.com/api');
  });

  it('that name a frontend that is not there leave their hosts unknown', async () => {
    add('a.com');
    store.changePatterns({ hostname: 'a.com', to: 'frontend:none' });
    expect(await find('a.com/')).toBe('unknown');
    add('none');
    expect(await find('a.com/')).toBe('none');
  });

  it('A4: hang on how the client is connected only where they say so', async () => {
    add('a.com');
    store.changePatterns({ hostname: 'a.com', secure: true, to: 'frontend:tls' });
    add('tls');
    expect([await find('a.com/', true), await find('a.com/', false)]).toEqual(['tls', 'a.com']);
    expect([await find('a.com/', true), await find('a.com/', false)]).toEqual(['tls', 'a.com']);
    store.changePatterns({ hostname: 'a.com', to: 'frontend:tls' });
    expect([await find('a.com/', true), await find('a.com/', false)]).toEqual(['tls', 'tls']);
  });

  it('A12: may be meant for a request without a host', async () => {
    expect(cache.hasPatternFor('', false)).toBe(false);
    store.changePatterns({ hostname: '*', to: 1 });
    await find('a.com/');
    expect(cache.hasPatternFor('', false)).toBe(true);
    expect(shortly(await cache.find('', '/'))).toBe('pattern:*');
  });

  it('that cannot be understood are left out and logged once', async () => {
    add('a.com');
    store.changePatterns({ hostname: '/(a+)+/', to: 1 }, { hostname: 'b.com', to: 2 });
    expect([await find('a.com/'), await find('b.com/')]).toEqual(['a.com', 'pattern:b.com']);
    store.everythingChanged();
    await find('a.com/');
    expect(notes).toEqual([expect.stringMatching(/^patterns: entry 0 has an expression that repeats .* exponential time$/)]);
  });

  it('that did not change leave what was decided by them true', async () => {
    store.changePatterns({ hostname: 'b.com', to: 2 });
    add('a.com');
    const route = await cache.find('a.com');
    const other = await cache.find('b.com');
    store.changePatterns({ hostname: 'b.com', to: 2 });
    expect(await cache.find('a.com')).toBe(route);
    expect(await cache.find('b.com')).toBe(other);
    expect(cache.find('b.com')).toBe(other);
  });

  it('that are gone leave hosts to their frontends', async () => {
    add('a.com');
    store.changePatterns({ hostname: '*', to: 1 });
    expect(await find('a.com/')).toBe('pattern:*');
    store.changePatterns();
    expect(await find('a.com/')).toBe('a.com');
  });

  it('are served as they last were while the store is away', async () => {
    add('a.com');
    store.changePatterns({ hostname: '*.b.com', to: 1 });
    await find('a.com/');
    store.state = 'away';
    store.failing = true;
    store.everythingChanged();
    expect([await find('x.b.com/'), await find('a.com/'), await find('c.com/')]).toEqual(['pattern:*.b.com', 'a.com', 'away']);
  });
});
