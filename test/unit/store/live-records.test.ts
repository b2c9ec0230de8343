// Records that are read for requests: none waits for a server that hangs, and only so many look-ups are under way.
import { describe, expect, it } from 'vitest';
import type { RecordKind, StoredRecord } from '../../../src/model/record-kind.js';
import { LiveRecords } from '../../../src/store/live-records.js';
import { mostLookups, Patience } from '../../../src/store/patience.js';

/** A store that replies when the test says so; one look-up usually takes a millisecond. */
class SlowStore {
  readonly patience = new Patience(5);
  readonly held: { readonly name: string; reply(...values: string[]): void; fail(): void }[] = [];

  constructor() {
    for (let reply = 0; reply < 4; reply += 1) this.patience.replied('one', 1);
  }

  serversOf(): readonly string[] {
    return ['one'];
  }

  readRecord(_kind: RecordKind, name: string): Promise<StoredRecord> {
    return new Promise((resolve, reject) => {
      const reply = (...values: string[]): void => {
        this.patience.replied('one');
        resolve({ values, fault: '' });
      };
      this.held.push({ name, reply, fail: () => reject(new Error('no reply')) });
    });
  }
}

function open() {
  const store = new SlowStore();
  const records = new LiveRecords(store, 'tls', (_name, { values }) => values.join(), 10);
  return { store, records };
}

describe('while the store does not reply', () => {
  it('a name that nothing is known of is given up soon, and what comes later is kept', async () => {
    const { store, records } = open();
    await expect(records.getSoon('a.com')).rejects.toThrow('does not reply about tls:a.com');
    store.held[0]?.reply('late');
    await new Promise(setImmediate);
    expect(records.getSoon('a.com')).toBe('late');
  });

  it('a name has its last known value, and once the silence is known at once', async () => {
    const { store, records } = open();
    const first = records.getSoon('a.com');
    store.held[0]?.reply('old');
    expect(await first).toBe('old');
    records.everythingChanged();
    expect(await records.getSoon('a.com')).toBe('old');
    expect(records.getSoon('a.com')).toBe('old');
    store.held[1]?.reply('new');
    await new Promise(setImmediate);
    expect(records.getSoon('a.com')).toBe('new');
  });

  it('few further names are asked for, and the others are given up at once', async () => {
    const { store, records } = open();
    const asked = Array.from({ length: mostLookups }, (_, at) => `${at}.com`);
    for (const name of asked) await expect(records.getSoon(name)).rejects.toThrow();
    expect(store.held.length).toBeLessThan(mostLookups / 8);
    for (const { fail } of store.held) fail();
  });

  it('whoever holds a value by itself waits for the reply', async () => {
    const { store, records } = open();
    await expect(records.getSoon('a.com')).rejects.toThrow();
    const waiting = records.get('a.com');
    store.held[0]?.reply('there');
    expect(await waiting).toBe('there');
  });
});
