import { beforeEach, describe, expect, it } from 'vitest';
import { Accounts } from '../../../src/limits/accounts.js';
import { Members } from '../../../src/limits/members.js';
import { MemoryLimiter } from '../../../src/limits/memory-limiter.js';
import { Tiers } from '../../../src/limits/tiers.js';
import { MemoryStore } from '../../../src/store/memory-store.js';

let store: MemoryStore;
let tiers: Tiers;
let warnings: string[];
let accounts: Accounts;

beforeEach(async () => {
  store = new MemoryStore(null, () => undefined);
  warnings = [];
  accounts = new Accounts(1_000);
  tiers = new Tiers({
    store,
    accounts,
    limiterFor: (window) => new MemoryLimiter(window, 1_000),
    log: { warn: (text) => void warnings.push(text) },
  });
  await store.start(tiers);
});

const write = (name: string, ...values: readonly string[]): Promise<void> => store.writeRecord('tier', name, values);
/** How many of some requests pass. */
async function passing(name: string, requests: number, key = 'client', now = 0): Promise<number> {
  const limit = await tiers.get(name);
  let passed = 0;
  for (let turn = 0; turn < requests; turn++) if ((await limit.take(key, 1, now)).admitted) passed++;
  return passed;
}

describe('tiers', () => {
  it('anonymous, registered and premium are there without a record', async () => {
    const points = async (name: string): Promise<number> => (await tiers.get(name)).tier.points;
    expect([await points('anonymous'), await points('registered'), await points('premium')]).toEqual([500, 10_000, 100_000]);
    expect(warnings).toEqual([]);
    expect(await passing('anonymous', 600)).toBe(500);
  });

  it('are asked for once, then known without a promise', async () => {
    const limit = await tiers.get('anonymous');
    expect(tiers.get('anonymous')).toBe(limit);
  });

  it('change with their record, from the next request on', async () => {
    await write('gold', 'points', '3');
    expect(await passing('gold', 5)).toBe(3);
    await write('gold', 'points', '5');
    expect(await passing('gold', 9)).toBe(5);
  });

  it('keep what is known of clients when a record is read again, or changes in something else', async () => {
    await write('gold', 'points', '3');
    expect(await passing('gold', 5)).toBe(3);
    tiers.everythingChanged();
    expect(await passing('gold', 5)).toBe(0);
    await write('gold', 'points', '3', 'scope', 'client+frontend');
    expect(await passing('gold', 5)).toBe(0);
    expect(accounts.size).toBe(1);
  });

  it('forget the accounts of numbers that are no longer in force', async () => {
    await write('gold', 'points', '3', 'burst', '2');
    await passing('gold', 9);
    expect(accounts.size).toBe(2);
    await write('gold', 'points', '4');
    await passing('gold', 9);
    expect(accounts.size).toBe(1);
  });

  it('that do not exist have the numbers of anonymous, which is said once', async () => {
    expect(await passing('silver', 600)).toBe(500);
    tiers.everythingChanged();
    await tiers.get('silver');
    expect(warnings).toEqual(['tier:silver: there is no such record; it is 500 points in 60 s until this is mended']);
  });

  it('let a burst pass beyond the points, once in its own window', async () => {
    await write('gold', 'points', '3', 'duration', '10', 'burst', '2', 'burstDuration', '100');
    expect(await passing('gold', 9)).toBe(5);
    // The memory counts in real time, so that other clients stand for later windows.
    const limit = await tiers.get('gold');
    const verdicts = [];
    for (let turn = 0; turn < 6; turn++) verdicts.push(await limit.take('other', 1, 0));
    expect(verdicts.map(({ admitted }) => admitted)).toEqual([true, true, true, true, true, false]);
    expect(verdicts.map(({ burst }) => burst?.remaining)).toEqual([undefined, undefined, undefined, 1, 0, 0]);
  });
});

it('while the store cannot be read and nothing is known, a tier has its defaults', async () => {
  const away = new Tiers({
    store: { readRecord: () => Promise.reject(new Error('away')) },
    accounts,
    limiterFor: (window) => new MemoryLimiter(window, 1_000),
    log: { warn: () => undefined },
  });
  expect((await away.get('registered')).tier.points).toBe(10_000);
});

describe('members', () => {
  let members: Members;

  beforeEach(async () => {
    members = new Members(store, 100);
    await store.start(members);
  });

  it('have the tier that their record names, which follows the record', async () => {
    expect(await members.tierOf('ip', '192.0.2.1')).toBe('');
    await store.writeRecord('member', 'ip:192.0.2.1', ['premium']);
    expect(await members.tierOf('ip', '192.0.2.1')).toBe('premium');
    expect(members.tierOf('ip', '192.0.2.1')).toBe('premium');
    await store.writeRecord('member', 'ip:192.0.2.1', []);
    expect(await members.tierOf('ip', '192.0.2.1')).toBe('');
  });

  it('whose record is no name of a tier are none', async () => {
    await store.writeRecord('member', 'host:a.example', ['two words']);
    expect(await members.tierOf('host', 'a.example')).toBe('');
  });

  it('of a set are found by host, in any case, and follow the set', async () => {
    expect(await members.isIn('registered', 'a.example')).toBe(false);
    await store.writeRecord('registered', '', ['A.example']);
    expect(await members.isIn('registered', 'a.example')).toBe(true);
    expect(members.isIn('registered', 'b.example')).toBe(false);
    expect(await members.isIn('premium', 'a.example')).toBe(false);
  });

  it('are none while nothing can be found out', async () => {
    const away = new Members({ readRecord: () => Promise.reject(new Error('away')) }, 100);
    expect(await away.tierOf('key', 'x')).toBe('');
    expect(await away.isIn('premium', 'a.example')).toBe(false);
  });
});
