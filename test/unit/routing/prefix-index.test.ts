// The index of prefixes: complete before it is asked, kept up by what the store tells, whatever the order of things.
import { beforeEach, describe, expect, it } from 'vitest';
import type { FrontendRecord } from '../../../src/model/frontend.js';
import { PrefixIndex } from '../../../src/routing/prefix-index.js';
import type { StoreState } from '../../../src/store/store.js';
import { eventually } from '../../helpers/eventually.js';

/** A store whose scans and reads wait for the test while `holding`. */
class ScannedStore {
  state: StoreState = 'live';
  failing = false;
  holding = false;
  scans = 0;
  readonly held: (() => void)[] = [];
  readonly lists = new Map<string, readonly string[]>();
  readonly policies = new Map<string, readonly string[]>();

  async scanNames(kind: string, matching: string, onPage: (names: readonly string[]) => void): Promise<void> {
    this.scans += kind === 'frontend' ? 1 : 0;
    const names = [...(kind === 'frontend' ? this.lists : this.policies).keys()].filter((name) => name.includes(matching));
    await this.#turn();
    if (this.failing) throw new Error('NOPERM scan');
    for (const name of names) onPage([name]);
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    const records = names.map((name): FrontendRecord => {
      const policy = this.policies.get(name) ?? [];
      const list = this.lists.get(name) ?? [];
      return { name, list, dead: [], marks: [], deadUntil: Number.POSITIVE_INFINITY, policy, policyFault: '', fault: '' };
    });
    await this.#turn();
    if (this.failing) throw new Error('NOPERM lrange');
    return records;
  }

  #turn(): Promise<void> {
    return this.holding ? new Promise((resolve) => this.held.push(resolve)) : Promise.resolve();
  }
}

let store: ScannedStore;
let index: PrefixIndex;
let notes: string[];
let hosts: number;

beforeEach(() => {
  store = new ScannedStore();
  notes = [];
  hosts = 0;
  index = new PrefixIndex({ store, log: (text) => notes.push(text), onHosts: () => void hosts++ });
});

function put(name: string, policy: readonly string[] = []): void {
  store.lists.set(name, ['id', 'http://a:1']);
  if (policy.length > 0) store.policies.set(name, policy);
}

function found(host: string, path: string): string | undefined {
  return index.of(host)?.longest(path)?.name;
}

async function release(): Promise<void> {
  store.holding = false;
  for (const go of store.held.splice(0)) go();
  await index.whenReady();
}

describe('a scan', () => {
  it('finds the prefixes that there are, and leaves whole hosts alone', async () => {
    for (const name of ['a.com', 'a.com/x', '*.b.com/y', '*/z', 'a.com:8080/p', '[::1]/q', 'a.com/']) put(name);
    expect(index.ready).toBe(false);
    await index.whenReady();
    expect([index.ready, index.size, hosts]).toEqual([true, 6, 5]);
    expect(found('a.com', '/x/1')).toBe('a.com/x');
    expect(found('a.com', '/none')).toBe('a.com/');
    expect(found('*.b.com', '/y')).toBe('*.b.com/y');
    expect(found('*', '/z')).toBe('*/z');
    expect(found('a.com:8080', '/p')).toBe('a.com:8080/p');
    expect(found('[::1]', '/q')).toBe('[::1]/q');
  });

  it('is made once for all who wait', async () => {
    await Promise.all([index.whenReady(), index.whenReady(), index.whenReady()]);
    expect(store.scans).toBe(1);
  });

  it('finds how prefixes are matched', async () => {
    put('a.com/x', ['prefixMatch', 'string']);
    put('a.com/y', ['strategy', 'RANDOM']);
    await index.whenReady();
    expect(found('a.com', '/xyz')).toBe('a.com/x');
    expect(found('a.com', '/yz')).toBeUndefined();
  });

  it('forgets what is gone, keeps what was told while it ran, and what was there is served meanwhile', async () => {
    put('a.com/old');
    put('a.com/stays');
    await index.whenReady();
    store.lists.delete('a.com/old');
    store.holding = true;
    index.everythingChanged();
    put('a.com/new');
    index.changed('a.com/new');
    expect(found('a.com', '/stays')).toBe('a.com/stays');
    expect(found('a.com', '/new')).toBe('a.com/new');
    await release();
    await eventually('the scan to end', () => found('a.com', '/old') === undefined);
    expect(found('a.com', '/stays')).toBe('a.com/stays');
    expect(found('a.com', '/new')).toBe('a.com/new');
  });

  it('forgets that a prefix was matched as a string when its policy is gone', async () => {
    put('a.com/x', ['prefixMatch', 'string']);
    await index.whenReady();
    store.policies.clear();
    index.everythingChanged();
    await eventually('the policy to be looked at', () => found('a.com', '/xyz') === undefined);
  });

  it('is made once more when everything changed while it ran', async () => {
    store.holding = true;
    const waiting = index.whenReady();
    index.everythingChanged();
    index.everythingChanged();
    put('a.com/late');
    await release();
    await waiting;
    await eventually('a second scan', () => found('a.com', '/late'));
    expect(store.scans).toBe(2);
  });

  it('that is refused says so once, and what is told is served', async () => {
    store.failing = true;
    await index.whenReady();
    expect(index.ready).toBe(true);
    expect(notes).toEqual([expect.stringContaining('cannot be searched for, only those that change are served: NOPERM scan')]);
    store.failing = false;
    put('a.com/x');
    index.changed('a.com/x');
    expect(found('a.com', '/x')).toBe('a.com/x');
  });

  it('is made anew when the store was away and is back', async () => {
    store.state = 'away';
    store.failing = true;
    await index.whenReady();
    expect([index.ready, notes]).toEqual([false, []]);
    store.state = 'live';
    store.failing = false;
    put('a.com/x');
    await index.whenReady();
    expect(found('a.com', '/x')).toBe('a.com/x');
  });
});

describe('a change', () => {
  beforeEach(() => index.whenReady());

  it('of a new frontend is in force at once', () => {
    put('a.com/x');
    index.changed('a.com/x');
    expect([found('a.com', '/x/y'), hosts]).toEqual(['a.com/x', 1]);
  });

  it('of a deleted one is in force when it was looked at', async () => {
    put('a.com/x');
    index.changed('a.com/x');
    store.lists.clear();
    index.changed('a.com/x');
    await eventually('the index to be empty', () => index.size === 0);
    expect([index.of('a.com'), hosts]).toEqual([undefined, 2]);
  });

  it('of marks alone leaves no frontend behind', async () => {
    index.changed('a.com/never');
    await eventually('the index to be empty', () => index.size === 0);
  });

  it('that comes while the record is looked at counts', async () => {
    store.holding = true;
    index.changed('a.com/x');
    await eventually('a look', () => store.held.length > 0);
    put('a.com/x', ['prefixMatch', 'string']);
    index.changed('a.com/x');
    store.holding = false;
    for (const go of store.held.splice(0)) go();
    await eventually('the second look', () => found('a.com', '/xyz'));
  });

  it('of 1,000 frontends is looked at a hundred at a time', async () => {
    for (let at = 0; at < 1000; at++) {
      put(`a.com/p${at}`);
      index.changed(`a.com/p${at}`);
    }
    expect(index.size).toBe(1000);
    store.lists.clear();
    for (let at = 0; at < 1000; at++) index.changed(`a.com/p${at}`);
    await eventually('the index to be empty', () => index.size === 0);
  });
});

describe('a name that no request asks for', () => {
  it.each([
    ['a.com/API', 'write it as frontend:a.com/api'],
    ['a.com/api/', 'write it as frontend:a.com/api'],
    ['a.com//api', 'write it as frontend:a.com/api'],
    ['a.com/a/../b', 'write it as frontend:a.com/b'],
    ['a.com/café', 'write it as frontend:a.com/caf%c3%a9'],
    ['a.com/a?b', 'no ? and no #'],
    [`a.com/${'x'.repeat(2000)}`, 'at most 1024 characters'],
    [`a.com${'/x'.repeat(65)}`, 'at most 1024 characters and 64 segments'],
  ])('%s is not held, which is said once', (name, reason) => {
    index.changed(name);
    index.changed(name);
    expect(index.size).toBe(0);
    expect(notes).toEqual([expect.stringContaining(reason)]);
  });

  it.each(['a.com:http://10.0.0.1:80', 'A.com/x', '*.*/x', 'a b/x', '*.a.com:80/x', 'a.com'])('%s is none', (name) => {
    index.changed(name);
    expect([index.size, notes]).toEqual([0, []]);
  });
});
