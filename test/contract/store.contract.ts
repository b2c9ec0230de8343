// What every store does: one text, run against Redis (in each way to reach it) and against memory.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/model/backend.js';
import { deathsOf, maintenanceOf, membersOf } from '../../src/model/dead-set.js';
import type { NodeHeartbeat } from '../../src/model/node.js';
import { statsVersion } from '../../src/model/node-stats.js';
import { parseBackends } from '../../src/model/parse-backends.js';
import type { RecordKind } from '../../src/model/record-kind.js';
import type { DeadMarkRequest, Store, StoreListener } from '../../src/store/store.js';

/** Makes a store that has not been started and holds nothing. */
export type MakeStore = () => Promise<Store>;

/** Remembers what it was told. */
class Listener implements StoreListener {
  readonly names: string[] = [];
  readonly records: string[] = [];
  readonly marks: string[] = [];
  everything = 0;

  marksChanged(name: string): void {
    this.marks.push(name);
  }

  recordChanged(kind: RecordKind, name: string): void {
    this.records.push(`${kind} ${name}`);
  }

  changed(name: string): void {
    this.names.push(name);
  }

  everythingChanged(): void {
    this.everything += 1;
  }
}

const entries = ['http://10.0.0.1:80', 'http://10.0.0.2:80#weight=2', 'unix:/run/app.sock'];

/** @param title how the store is reached */
export function storeContract(title: string, makeStore: MakeStore): void {
  describe(title, () => {
    let store: Store;
    let listener: Listener;

    beforeEach(async () => {
      store = await makeStore();
      listener = new Listener();
      await store.start(listener);
      listener.everything = 0;
    });

    afterEach(async () => {
      await store.close();
    });

    async function told(name: string): Promise<void> {
      await vi.waitFor(() => expect(listener.names).toContain(name), { interval: 1, timeout: 2000 });
    }

    /** Which backends of `entries` are dead for the host and the frontend. */
    async function dead(host: string, frontend = host): Promise<number[]> {
      const records = await store.readFrontends([...new Set([host, frontend])]);
      const { backends } = parseBackends(entries);
      const answer = deathsOf(records, backends, Date.now());
      return backends.flatMap((_backend, position) => (answer[position] ? [position] : []));
    }

    function mark(position: number, more: Partial<DeadMarkRequest> = {}): DeadMarkRequest {
      const backend = parseBackends(entries).backends[position] as Backend;
      return { host: 'a.example.com', frontend: 'a.example.com', backend, size: 3, ttl: 30, write: true, ...more };
    }

    it('is live once it has started', () => {
      expect(store.state).toBe('live');
    });

    it('knows nothing of a frontend that nobody wrote', async () => {
      expect(await store.readFrontends(['nobody.example.com'])).toEqual([
        {
          name: 'nobody.example.com',
          list: [],
          dead: [],
          marks: [],
          deadUntil: Number.POSITIVE_INFINITY,
          policy: [],
          policyFault: '',
          fault: '',
        },
      ]);
    });

    it('gives a frontend as it was written', async () => {
      await store.writeFrontend('example.com', 'my site', entries);
      const [record] = await store.readFrontends(['example.com']);
      expect(record).toMatchObject({ name: 'example.com', list: ['my site', ...entries], dead: [], marks: [], fault: '' });
    });

    it('reads the policy of a frontend with it, and tells of its change as of a change of the frontend', async () => {
      await store.writeFrontend('example.com', 'my site', entries);
      await told('example.com');
      listener.names.length = 0;
      await store.writeRecord('route', 'example.com', ['strategy', 'IP_HASH']);
      await told('example.com');
      const [record] = await store.readFrontends(['example.com']);
      expect(record).toMatchObject({ policy: ['strategy', 'IP_HASH'], policyFault: '' });
      await store.deleteFrontend('example.com');
      const [gone] = await store.readFrontends(['example.com']);
      expect(gone).toMatchObject({ list: [], policy: [] });
    });

    describe('records of other kinds', () => {
      const samples: readonly (readonly [RecordKind, string, readonly string[]])[] = [
        ['tier', 'gold', ['points', '100']],
        ['targets', 'db', ['tcp://10.0.0.1:1', 'tcp://10.0.0.1:1']],
        ['stream', 'db', ['mode', 'fifo']],
        ['blocklist', '', ['192.0.2.0/24']],
        ['blocklist', 'db', ['198.51.100.1']],
        ['patterns', '', ['{"hostname":"a.?.com"}']],
        ['member', 'ip:192.0.2.1', ['gold']],
        ['premium', '', ['example.com']],
      ];

      it.each(samples)('gives a %s record named %j as it was written, and tells of it', async (kind, name, values) => {
        await store.writeRecord(kind, name, values);
        await vi.waitFor(() => expect(listener.records).toContain(`${kind} ${name}`), { interval: 1, timeout: 2000 });
        expect(await store.readRecord(kind, name)).toEqual({ values, fault: '' });
        await store.writeRecord(kind, name, []);
        expect(await store.readRecord(kind, name)).toEqual({ values: [], fault: '' });
      });

      it('are replaced as a whole', async () => {
        await store.writeRecord('tier', 'gold', ['points', '100', 'burst', '5']);
        await store.writeRecord('tier', 'gold', ['points', '50']);
        expect((await store.readRecord('tier', 'gold')).values).toEqual(['points', '50']);
      });

      it('do not show through one another where names are alike', async () => {
        await store.writeRecord('stream', 'db', ['mode', 'fifo']);
        expect((await store.readRecord('targets', 'db')).values).toEqual([]);
        expect((await store.readRecord('stream', 'db:targets')).values).toEqual([]);
      });

      it('are found by a part of their name', async () => {
        const found: string[] = [];
        await store.writeFrontend('example.com', 'a', []);
        await store.writeFrontend('example.com/api', 'b', []);
        await store.writeFrontend('*/api[x]', 'c', []);
        await store.scanNames('frontend', '/', (names) => found.push(...names));
        expect(found.sort()).toEqual(['*/api[x]', 'example.com/api']);
        await store.scanNames('frontend', '[x]', (names) => found.push(...names));
        expect(found.at(-1)).toBe('*/api[x]');
      });
    });

    describe('what nodes have counted', () => {
      const head = { version: statsVersion, boot: 'first', since: 1000, at: Date.now() } as const;
      /** Bytes that are no text. */
      const bytes = Buffer.from([0, 255, 13, 10, 128]);
      const fieldsOf = (...named: (readonly [string, Buffer])[]) => new Map(named);

      it('is read as it was written last, field by field, with its age', async () => {
        expect(await store.readStats()).toEqual([]);
        expect(await store.writeStats('one', head, fieldsOf(['1', bytes], ['2', Buffer.from('b')]))).toBeNull();
        const later = { ...head, boot: 'second', at: head.at + 1000 };
        expect(
          await store.writeStats('one', later, fieldsOf(['2', Buffer.from('c')], ['1', Buffer.alloc(0)], ['3', bytes])),
        ).toEqual(head);
        await store.writeStats('two', head, fieldsOf());
        const [one, two] = await store.readStats();
        expect(one).toMatchObject({ id: 'one', head: later });
        expect([...(one?.fields ?? [])].sort()).toEqual([
          ['2', Buffer.from('c')],
          ['3', bytes],
        ]);
        expect(one?.age).toBeLessThan(60_000);
        expect(two).toMatchObject({ id: 'two', head, fields: new Map() });
      });

      it('is read of one node, or one field of all', async () => {
        await store.writeStats('one', head, fieldsOf(['1', bytes], ['2', bytes]));
        await store.writeStats('two', head, fieldsOf(['2', bytes]));
        expect((await store.readStats({ id: 'two' })).map(({ id }) => id)).toEqual(['two']);
        expect(await store.readStats({ id: 'three' })).toEqual([]);
        const fields = (await store.readStats({ fields: ['1'] })).map(({ fields }) => [...fields]);
        expect(fields).toEqual([[['1', bytes]], []]);
      });
    });

    describe('the heartbeat of a node', () => {
      const beat: NodeHeartbeat = {
        id: 'one',
        boot: 'first',
        host: 'machine',
        addresses: ['http://127.0.0.1:80'],
        version: '1.0.0',
        pid: 1,
        startedAt: 1,
        beatAt: 2,
        phase: 'serving',
        workers: 2,
        revision: 3,
        staleness: 0,
        active: 4,
        connections: 5,
      };

      it('is in the list as it was written last', async () => {
        expect(await store.readHeartbeats()).toEqual([]);
        expect(await store.writeHeartbeat(beat, 60_000)).toBe('');
        expect(await store.writeHeartbeat({ ...beat, active: 9 }, 60_000)).toBe('first');
        await store.writeHeartbeat({ ...beat, id: 'other' }, 60_000);
        const beats = await store.readHeartbeats();
        expect(beats.sort((a, b) => a.id.localeCompare(b.id))).toEqual([
          { ...beat, active: 9 },
          { ...beat, id: 'other' },
        ]);
      });

      it('goes when its time is over, or when its node removes it', async () => {
        await store.writeHeartbeat({ ...beat, id: 'short' }, 20);
        await store.writeHeartbeat(beat, 60_000);
        await vi.waitFor(async () => expect((await store.readHeartbeats()).map(({ id }) => id)).toEqual(['one']), {
          interval: 5,
        });
        await store.removeHeartbeat('one', 'another start');
        expect(await store.readHeartbeats()).toHaveLength(1);
        await store.removeHeartbeat('one', 'first');
        expect(await store.readHeartbeats()).toEqual([]);
      });
    });

    it('counts no revision before the first change', async () => {
      expect(await store.readAppliedRevision()).toBe(0);
    });

    describe('a lease', () => {
      it('is had by one holder at a time, who may keep it', async () => {
        expect(await store.takeLease('probes', 'node-1', 60_000)).toBe(true);
        expect(await store.takeLease('probes', 'node-2', 60_000)).toBe(false);
        expect(await store.takeLease('probes', 'node-1', 60_000)).toBe(true);
        expect(await store.takeLease('orders', 'node-2', 60_000)).toBe(true);
      });

      it('is free after it was given back by its holder, and only by its holder', async () => {
        await store.takeLease('probes', 'node-1', 60_000);
        await store.dropLease('probes', 'node-2');
        expect(await store.takeLease('probes', 'node-2', 60_000)).toBe(false);
        await store.dropLease('probes', 'node-1');
        expect(await store.takeLease('probes', 'node-2', 60_000)).toBe(true);
      });

      it('is free when its time is over', async () => {
        await store.takeLease('probes', 'node-1', 20);
        await vi.waitFor(async () => expect(await store.takeLease('probes', 'node-2', 60_000)).toBe(true), { interval: 5 });
      });
    });

    it('gives the records of several names in the order asked', async () => {
      await store.writeFrontend('*', 'all', ['http://1:1']);
      await store.writeFrontend('*.example.com', 'wild', ['http://2:1']);
      const names = ['*.example.com', 'none.example.com', '*', ''];
      const records = await store.readFrontends(names);
      expect(records.map((record) => record.name)).toEqual(names);
      expect(records.map((record) => record.list[0])).toEqual(['wild', undefined, 'all', undefined]);
    });

    it('replaces a frontend as a whole', async () => {
      await store.writeFrontend('example.com', 'first', entries);
      await store.writeFrontend('example.com', 'second', ['http://10.0.0.9:80']);
      const [record] = await store.readFrontends(['example.com']);
      expect(record?.list).toEqual(['second', 'http://10.0.0.9:80']);
    });

    it('keeps a frontend with an identifier alone', async () => {
      await store.writeFrontend('example.com', 'id', []);
      expect((await store.readFrontends(['example.com']))[0]?.list).toEqual(['id']);
    });

    it.each(['example.com:8080', '[::1]', '__proto__', 'constructor', 'h\u00f6st'])(
      'takes the name %s like any other',
      async (name) => {
        expect((await store.readFrontends([name]))[0]?.list).toEqual([]);
        await store.writeFrontend(name, 'id', ['http://10.0.0.1:80']);
        expect((await store.readFrontends([name]))[0]?.list).toEqual(['id', 'http://10.0.0.1:80']);
      },
    );

    it('forgets a frontend with its dead marks', async () => {
      await store.writeFrontend('a.example.com', 'id', entries);
      await store.markDead(mark(0));
      await store.deleteFrontend('a.example.com');
      const [record] = await store.readFrontends(['a.example.com']);
      expect(record).toMatchObject({ list: [], dead: [], marks: [] });
    });

    it('tells of a frontend that was written or deleted', async () => {
      await store.writeFrontend('example.com', 'id', entries);
      await told('example.com');
      listener.names.length = 0;
      await store.deleteFrontend('example.com');
      await told('example.com');
      expect(listener.everything).toBe(0);
    });

    it('marks a backend dead and tells so', async () => {
      await store.markDead(mark(1));
      expect(await dead('a.example.com')).toEqual([1]);
      await told('a.example.com');
    });

    it('marks several backends, each once', async () => {
      await store.markDead(mark(0));
      await store.markDead(mark(2));
      await store.markDead(mark(2));
      expect(await dead('a.example.com')).toEqual([0, 2]);
      expect((await store.readFrontends(['a.example.com']))[0]?.dead.toSorted()).toEqual(['0', '2']);
    });

    it('marks the wildcard that matched, so that its other hosts know', async () => {
      await store.markDead(mark(1, { frontend: '*.example.com' }));
      expect(await dead('a.example.com')).toEqual([1]);
      expect(await dead('b.example.com', '*.example.com')).toEqual([1]);
      await told('*.example.com');
    });

    it('writes no mark where somebody else owns the marks', async () => {
      await store.markDead(mark(1, { write: false }));
      expect(await dead('a.example.com')).toEqual([]);
    });

    it('keeps each mark for its time whatever others are made, and maintenance for ever (D.4 requirements 18, 20)', async () => {
      await store.markDead(mark(0, { ttl: 1 }));
      await store.markDead(mark(1, { ttl: 30 }));
      await store.markDead(mark(2, { ttl: 1 }));
      const held = { host: 'b.example.com', frontend: 'b.example.com' };
      await store.markDead(mark(0, { ...held, ttl: 1 }));
      await store.maintain({ frontend: held.frontend, backend: mark(1).backend, on: true, ttl: 1 });
      await store.markDead(mark(2, { ...held, ttl: 1 }));
      expect(await dead('a.example.com')).toEqual([0, 1, 2]);
      expect(await dead(held.host)).toEqual([0, 1, 2]);
      await vi.waitFor(async () => expect(await dead('a.example.com')).toEqual([1]), { interval: 50, timeout: 3000 });
      await vi.waitFor(async () => expect(await dead(held.host)).toEqual([1]), { interval: 50, timeout: 3000 });
    });

    it('has forgotten the marks when their time is over', async () => {
      await store.markDead(mark(0, { ttl: 1 }));
      const [before] = await store.readFrontends(['a.example.com']);
      expect(before?.deadUntil).toBeLessThanOrEqual(Date.now() + 1000);
      await vi.waitFor(async () => expect((await store.readFrontends(['a.example.com']))[0]?.dead).toEqual([]), {
        interval: 50,
        timeout: 3000,
      });
    });

    describe('the revival of a backend (D.4 requirement 20)', () => {
      async function revive(position: number, name = 'a.example.com'): Promise<void> {
        const [record] = await store.readFrontends([name]);
        const backend = parseBackends(entries).backends[position] as Backend;
        await store.revive([{ name, entry: backend.entry, members: membersOf(record!, backend) }]);
      }

      it('takes its mark back and leaves the others', async () => {
        await store.markDead(mark(0));
        await store.markDead(mark(1));
        listener.marks.length = 0;
        await revive(1);
        expect(await dead('a.example.com')).toEqual([0]);
        await vi.waitFor(() => expect(listener.marks).toContain('a.example.com'), { interval: 1, timeout: 2000 });
      });

      it('of all of them leaves nothing behind', async () => {
        await store.markDead(mark(0));
        await revive(0);
        expect((await store.readFrontends(['a.example.com']))[0]).toMatchObject({ dead: [], marks: [] });
        const found: string[] = [];
        await store.scanNames('health', '', (names) => found.push(...names));
        expect(found).toEqual([]);
      });

      it('of nothing is nothing', async () => {
        await store.revive([]);
        await store.revive([{ name: 'nobody.example.com', entry: 'http://10.0.0.1:80', members: ['0'] }]);
        expect(await dead('nobody.example.com')).toEqual([]);
      });
    });

    it('gives the names that have marks (D.4 requirement 20)', async () => {
      await store.markDead(mark(0));
      await store.markDead(mark(0, { host: 'b.example.com', frontend: '*.example.com' }));
      const found: string[] = [];
      await store.scanNames('health', '', (names) => found.push(...names));
      expect([...new Set(found)].sort()).toEqual(['*.example.com', 'a.example.com', 'b.example.com']);
    });

    it('keeps what a breaker and a prober say of a mark (D.4 requirement 21)', async () => {
      await store.markDead(mark(0, { retryAt: 1_900_000_000_000, opens: 3, since: 1_700_000_000_000 }));
      await store.markDead(mark(1, { probed: true, quiet: true, host: 'b.example.com' }));
      const [a, b] = await store.readFrontends(['a.example.com', 'b.example.com']);
      const of = (position: number) => a?.marks.find((one) => one.entry === entries[position]);
      expect(of(0)).toMatchObject({ index: 0, retryAt: 1_900_000_000_000, opens: 3, since: 1_700_000_000_000 });
      expect(of(1)).toMatchObject({ index: 1, probed: true });
      expect(b?.marks).toMatchObject([{ frontend: 'a.example.com' }]);
    });

    describe('maintenance (D.4 requirement 20)', () => {
      const backend = parseBackends(entries).backends[1] as Backend;
      const maintain = (on: boolean) => store.maintain({ frontend: 'a.example.com', backend, on, ttl: 1 });

      it('is known with the moment when it began', async () => {
        await maintain(true);
        const [record] = await store.readFrontends(['a.example.com']);
        expect(maintenanceOf([record!], backend)?.since).toBeGreaterThan(Date.now() - 60_000);
      });

      it('is ended neither by a mark nor by a revival', async () => {
        await maintain(true);
        await store.markDead(mark(1));
        await store.revive([{ name: 'a.example.com', entry: backend.entry, members: ['1'] }]);
        const [record] = await store.readFrontends(['a.example.com']);
        expect(maintenanceOf([record!], backend)).toMatchObject({ manual: true, index: 1 });
        expect(await dead('a.example.com')).toEqual([1]);
      });

      it('ends when its end is asked for, and is told', async () => {
        await maintain(true);
        await vi.waitFor(() => expect(listener.marks).toContain('a.example.com'), { interval: 1, timeout: 2000 });
        await maintain(false);
        expect(await dead('a.example.com')).toEqual([]);
      });
    });

    it('has seen no hchecker', async () => {
      expect(await store.readHcheckerPing()).toBe(0);
    });
  });
}
