// The route cache: what it remembers, what makes it ask again, and what it says when it cannot ask.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Route } from '../../../src/model/frontend.js';
import { isMiss, RouteCache, type RouteMiss } from '../../../src/routing/route-cache.js';
import { ControlledStore } from '../../helpers/controlled-store.js';

let store: ControlledStore;
let cache: RouteCache;
let notes: string[];

function newCache(entries = 1000, maxStale = 0): RouteCache {
  return new RouteCache({ store, entries, maxStale, log: (text) => notes.push(text) });
}

beforeEach(async () => {
  store = new ControlledStore();
  notes = [];
  cache = newCache();
  await store.start(cache);
  await cache.ready();
});

/** Hosts of the backends that serve, or the kind of miss. */
function shortly(found: Route | RouteMiss): string {
  return isMiss(found) ? found.kind : `${found.frontend} -> ${found.backends.map((backend) => backend.host).join(',')}`;
}

async function find(authority: string): Promise<string> {
  return shortly(await cache.find(authority));
}

describe('an answer from memory', () => {
  it('needs no promise, gives the same route and asks the store nothing', async () => {
    store.put('example.com', ['id', 'http://a:1']);
    const first = await cache.find('example.com');
    expect(cache.find('example.com')).toBe(first);
    expect(cache.find('EXAMPLE.com.')).toBe(first);
    expect(store.reads).toEqual([['example.com', '*.com', '*']]);
    expect([cache.hits, cache.misses]).toEqual([2, 1]);
  });

  it('is given for unknown hosts too', async () => {
    expect(await find('nobody.example')).toBe('unknown');
    expect(cache.find('nobody.example')).toEqual({ kind: 'unknown' });
    expect(store.reads).toHaveLength(1);
  });

  it('is given at once for what is no host, without the store', () => {
    expect(cache.find('a/b')).toEqual({ kind: 'bad-host' });
    expect(cache.find('*.example.com')).toEqual({ kind: 'bad-host' });
    expect(store.reads).toEqual([]);
  });

  it('shares the records of a wildcard among its hosts', async () => {
    store.put('*.example.com', ['id', 'http://a:1']);
    expect(await find('one.example.com')).toBe('*.example.com -> a');
    expect(await find('two.example.com')).toBe('*.example.com -> a');
    expect(store.reads[1]).not.toContain('*.example.com');
  });
});

describe('what a route holds', () => {
  it('is the host, the frontend, the identifier, backends and the records with dead marks', async () => {
    store.put('*.example.com', ['id', 'http://a:1', 'http://b:1']);
    const route = (await cache.find('One.Example.com:8080')) as Route;
    expect(route).toMatchObject({ host: 'one.example.com', frontend: '*.example.com', identifier: 'id', fault: '' });
    expect(route.records.map((record) => record.name)).toEqual(['one.example.com', '*.example.com']);
    expect(Object.isFrozen(route)).toBe(true);
  });

  it('has the port in its host only where a frontend with that port matched', async () => {
    store.put('example.com', ['id', 'http://a:1']);
    store.put('example.com:8080', ['id', 'http://b:1']);
    expect(await cache.find('example.com:8080')).toMatchObject({ host: 'example.com:8080', frontend: 'example.com:8080' });
    expect(await cache.find('example.com:9090')).toMatchObject({ host: 'example.com', frontend: 'example.com' });
  });

  it('names a record once where host and frontend are the same', async () => {
    store.put('example.com', ['id', 'http://a:1']);
    expect(((await cache.find('example.com')) as Route).records).toHaveLength(1);
  });
});

describe('a wrong record', () => {
  it('with an identifier alone wins and has no backends', async () => {
    store.put('a.example.com', ['id']);
    store.put('*.example.com', ['id', 'http://a:1']);
    expect(await cache.find('a.example.com')).toMatchObject({ frontend: 'a.example.com', backends: [], fault: '' });
  });

  it('of the wrong type is a route with a fault and harms no other host', async () => {
    store.put('a.example.com', [], { fault: 'frontend:a.example.com is not a list' });
    store.put('*.example.com', ['id', 'http://a:1']);
    expect(await cache.find('a.example.com')).toMatchObject({ backends: [], fault: 'frontend:a.example.com is not a list' });
    expect(await find('b.example.com')).toBe('*.example.com -> a');
  });

  it('of junk only is a route with a fault', async () => {
    store.put('a.com', ['id', 'notaurl', 'ftp://x']);
    expect(await cache.find('a.com')).toMatchObject({
      backends: [],
      fault: expect.stringContaining('frontend:a.com: backend 0'),
    });
  });

  it('loses its junk and keeps what can be understood', async () => {
    store.put('a.com', ['id', 'notaurl', 'http://b:1']);
    expect(await cache.find('a.com')).toMatchObject({ fault: '', backends: [{ index: 1, host: 'b' }] });
  });

  it('is logged once and counted each time', async () => {
    for (let round = 0; round < 3; round += 1) {
      store.change('a.com', ['id', 'notaurl', 'http://b:1']);
      await cache.find('a.com');
    }
    expect(notes).toEqual([expect.stringContaining('frontend:a.com: backend 0')]);
    expect(cache.faults).toBe(3);
  });
});

describe('a change', () => {
  it('of the frontend is in force on the next request', async () => {
    store.put('example.com', ['id', 'http://a:1']);
    await cache.find('example.com');
    store.change('example.com', ['id', 'http://b:1']);
    expect(await find('example.com')).toBe('example.com -> b');
  });

  it('of a name that was tried before the one that matched counts too', async () => {
    store.put('*.example.com', ['id', 'http://a:1']);
    expect(await find('x.example.com')).toBe('*.example.com -> a');
    store.change('x.example.com', ['id', 'http://b:1']);
    expect(await find('x.example.com')).toBe('x.example.com -> b');
    store.change('x.example.com:80', ['id', 'http://c:1']);
    expect(await find('x.example.com')).toBe('x.example.com -> b');
    expect(await find('x.example.com:80')).toBe('x.example.com:80 -> c');
  });

  it('of a name that was not tried leaves the route as it is', async () => {
    store.put('example.com', ['id', 'http://a:1']);
    const route = await cache.find('example.com');
    store.change('*.com', ['id', 'http://b:1']);
    store.change('other.com', ['id', 'http://b:1']);
    expect(cache.find('example.com')).toBe(route);
  });

  it('makes an unknown host known and a known one unknown', async () => {
    expect(await find('example.com')).toBe('unknown');
    store.change('example.com', ['id', 'http://a:1']);
    expect(await find('example.com')).toBe('example.com -> a');
    store.change('example.com', []);
    expect(await find('example.com')).toBe('unknown');
    store.change('*', ['id', 'http://c:1']);
    expect(await find('example.com')).toBe('* -> c');
  });

  it('of everything makes everything be read again', async () => {
    store.put('a.com', ['id', 'http://a:1']);
    await cache.find('a.com');
    await cache.find('b.com');
    store.put('a.com', []);
    store.put('b.com', ['id', 'http://b:1']);
    store.everythingChanged();
    expect(await find('a.com')).toBe('unknown');
    expect(await find('b.com')).toBe('b.com -> b');
  });
});

describe('a change while the record is being read', () => {
  beforeEach(() => {
    store.put('example.com', ['id', 'http://old:1']);
    store.holding = true;
  });

  it('leaves the old value to who waited for it, and to nobody after', async () => {
    const waiting = cache.find('example.com');
    store.change('example.com', ['id', 'http://new:1']);
    store.held[0]!.reply();
    expect(shortly(await waiting)).toBe('example.com -> old');
    store.holding = false;
    expect(await find('example.com')).toBe('example.com -> new');
  });

  it('gives the new value to who asks after it, though the old read is still on its way', async () => {
    const before = cache.find('example.com');
    store.change('example.com', ['id', 'http://new:1']);
    const after = cache.find('example.com');
    expect(store.reads[1]).toEqual(['example.com']);
    store.held[1]!.reply();
    expect(shortly(await after)).toBe('example.com -> new');
    store.held[0]!.reply();
    // Known by now.
    expect(shortly(await before)).toBe('example.com -> new');
    store.holding = false;
    expect(await find('example.com')).toBe('example.com -> new');
    expect(store.reads).toHaveLength(2);
  });

  it('of everything counts as well', async () => {
    const waiting = cache.find('example.com');
    store.put('example.com', ['id', 'http://new:1']);
    store.everythingChanged();
    store.held[0]!.reply();
    await waiting;
    store.holding = false;
    expect(await find('example.com')).toBe('example.com -> new');
  });

  it('of one name spoils what hangs on it, not what was read with it', async () => {
    store.put('*.com', ['id', 'http://wild:1']);
    const waiting = cache.find('other.com');
    store.change('other.com', ['id', 'http://new:1']);
    store.held[0]!.reply();
    expect(shortly(await waiting)).toBe('*.com -> wild');
    store.holding = false;
    expect(await find('other.com')).toBe('other.com -> new');
    expect(store.reads[1]).toEqual(['other.com']);
  });
});

describe('reads', () => {
  it('of one host by many requests are one', async () => {
    store.put('example.com', ['id', 'http://a:1']);
    const found = await Promise.all(Array.from({ length: 100 }, () => cache.find('example.com')));
    expect(store.reads).toHaveLength(1);
    expect(new Set(found).size).toBe(1);
  });

  it('of hosts that share names are one for each name', async () => {
    store.holding = true;
    const one = cache.find('one.example.com');
    const two = cache.find('two.example.com');
    expect(store.reads).toEqual([['one.example.com', '*.example.com', '*.com', '*'], ['two.example.com']]);
    for (const read of store.held) read.reply();
    expect((await Promise.all([one, two])).map(shortly)).toEqual(['unknown', 'unknown']);
  });

  it('beyond a bound are refused at once rather than piled up', async () => {
    store.holding = true;
    const waiting = Array.from({ length: 1024 }, (_, at) => cache.find(`host-${at}.com`));
    expect(await find('one-more.com')).toBe('away');
    expect(cache.reader.refused).toBe(1);
    expect(cache.reader.inFlight).toBe(1024);
    for (const read of store.held) read.reply();
    await Promise.all(waiting);
    expect(cache.reader.inFlight).toBe(0);
  });
});

describe('memory', () => {
  it('is bounded by the setting, whatever is asked for', async () => {
    cache = newCache(100);
    await store.start(cache);
    store.put('*.known.example', ['id', 'http://a:1']);
    for (let at = 0; at < 2000; at += 1) {
      await cache.find(`host-${at}.known.example`);
      await cache.find(`host-${at}.unknown.example`);
    }
    expect(cache.reader.size).toBeLessThan(100 + 25 + 25 + 10);
  });

  it('keeps the routes in use during a flood of invented hosts, without a read', async () => {
    cache = newCache(100);
    await store.start(cache);
    store.put('*.known.example', ['id', 'http://a:1']);
    const routes = await Promise.all(['a', 'b', 'c'].map((host) => cache.find(`${host}.known.example`)));
    for (let at = 0; at < 2000; at += 1) await cache.find(`invented-${at}.example`);
    expect(['a', 'b', 'c'].map((host) => cache.find(`${host}.known.example`))).toEqual(routes);
  });

  it('still hears of changes of what came through the flood', async () => {
    cache = newCache(20);
    await store.start(cache);
    store.put('example.com', ['id', 'http://a:1']);
    for (let at = 0; at < 200; at += 1) {
      await cache.find(`invented-${at}.com`);
      await cache.find('example.com');
    }
    store.change('example.com', ['id', 'http://b:1']);
    expect(await find('example.com')).toBe('example.com -> b');
  });
});

describe('while the store is away', () => {
  beforeEach(async () => {
    store.put('known.com', ['id', 'http://a:1']);
    store.put('*.wild.com', ['id', 'http://w:1']);
    await cache.find('known.com');
    await cache.find('one.wild.com');
    await cache.find('unknown.com');
  });

  function loseStore() {
    store.state = 'away';
    store.failing = true;
    store.everythingChanged();
  }

  it('known hosts are served as they were, at once, and it is said', () => {
    loseStore();
    expect(shortly(cache.find('known.com') as Route)).toBe('known.com -> a');
    expect(shortly(cache.find('one.wild.com') as Route)).toBe('*.wild.com -> w');
    expect(cache.stale).toBe(true);
    expect(cache.servedStale).toBe(2);
  });

  it('hosts that were never seen are told so at once', () => {
    loseStore();
    expect(cache.find('never.com')).toEqual({ kind: 'away' });
    expect(cache.find('unknown.com')).toEqual({ kind: 'away' });
    expect(store.reads).toHaveLength(3);
  });

  it('a host is not guessed from a wildcard: it may have a frontend of its own', () => {
    loseStore();
    expect(cache.find('two.wild.com')).toEqual({ kind: 'away' });
  });

  it('what changes are still told of is served without a word, for hosts not asked for yet too', async () => {
    store.put('port.com', ['id', 'http://p:1']);
    await cache.find('port.com:8080');
    store.state = 'away';
    store.failing = true;
    expect(shortly(cache.find('known.com') as Route)).toBe('known.com -> a');
    expect(shortly(cache.find('port.com') as Route)).toBe('port.com -> p');
    expect(cache.stale).toBe(false);
  });

  it('a read that fails serves the last known route', async () => {
    store.failing = true;
    store.everythingChanged();
    expect(await find('known.com')).toBe('known.com -> a');
    expect(await find('never.com')).toBe('away');
    expect(cache.reader.failures).toBe(2);
  });

  it('a change that was told last does not take the route away', async () => {
    store.change('known.com', []);
    store.state = 'away';
    expect(await find('known.com')).toBe('known.com -> a');
  });

  it('the first request after it is read anew', async () => {
    loseStore();
    expect(await find('known.com')).toBe('known.com -> a');
    store.state = 'live';
    store.failing = false;
    store.put('known.com', ['id', 'http://b:1']);
    store.everythingChanged();
    expect(await find('known.com')).toBe('known.com -> b');
    expect(await find('never.com')).toBe('unknown');
    expect(cache.stale).toBe(false);
  });

  it('nothing is served beyond the bound that is set for it', async () => {
    cache = newCache(1000, 1);
    await store.start(cache);
    await cache.find('known.com');
    loseStore();
    const start = Date.now();
    while (Date.now() <= start + 1) expect(['away', 'known.com -> a']).toContain(await find('known.com'));
    expect(cache.find('known.com')).toEqual({ kind: 'away' });
  });
});

describe('while the store does not reply, and nobody knows why', () => {
  beforeEach(async () => {
    store.put('known.com', ['id', 'http://a:1']);
    store.put('other.com', ['id', 'http://o:1']);
    await cache.find('known.com');
    await cache.find('other.com');
    // Fewer look-ups say nothing of what is usual.
    await cache.find('nobody.com');
    await cache.find('none.com');
    store.holding = true;
  });

  it('a host that was never asked for is told so soon, and what the look-up brings is kept', async () => {
    store.put('late.com', ['id', 'http://l:1']);
    expect(await find('late.com')).toBe('late');
    store.held[0]!.reply();
    await new Promise(setImmediate);
    expect(shortly(cache.find('late.com') as Route)).toBe('late.com -> l');
  });

  it('one known host waits a moment at most, the others not at all', async () => {
    store.everythingChanged();
    expect(await find('known.com')).toBe('known.com -> a');
    expect(shortly(cache.find('other.com') as Route)).toBe('other.com -> o');
    expect(shortly(cache.find('known.com') as Route)).toBe('known.com -> a');
    expect(cache.stale).toBe(true);
  });

  it('and then does, everything is what it says now', async () => {
    store.everythingChanged();
    await find('known.com');
    store.put('other.com', ['id', 'http://new:1']);
    cache.find('other.com');
    for (const read of store.held) read.reply();
    await new Promise(setImmediate);
    store.holding = false;
    expect(await find('other.com')).toBe('other.com -> new');
    expect(cache.stale).toBe(false);
  });

  it('known hosts wait again once the late look-up has ended', async () => {
    store.everythingChanged();
    await find('known.com');
    store.held[0]!.reply();
    await new Promise(setImmediate);
    store.put('other.com', ['id', 'http://new:1']);
    store.holding = false;
    expect(await find('other.com')).toBe('other.com -> new');
  });
});
