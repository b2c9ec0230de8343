import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { BlockLists } from '../../../src/limits/block-lists.js';
import type { RecordKind, StoredRecord } from '../../../src/model/record-kind.js';
import { StreamPlans } from '../../../src/stream/stream-plans.js';
import { eventually } from '../../helpers/eventually.js';
import { recordingLogger } from '../../helpers/recording-logger.js';

const settings = { streams: [{ name: 'db', port: 0, targets: ['10.0.0.1:1'] }] };
const { streams } = loadConfig({ env: {}, cwd: tmpdir(), root: false, settings });

/** A store whose reads fail while it is away. */
function createStore() {
  const records: Partial<Record<RecordKind, readonly string[]>> = {};
  const state = { away: false, reads: 0 };
  const readRecord = async (kind: RecordKind): Promise<StoredRecord> => {
    state.reads++;
    if (state.away) throw new Error('away');
    return { values: records[kind] ?? [], fault: '' };
  };
  return { records, state, readRecord };
}

describe('records of streams that could not be read when their change was told', () => {
  it('are read again until they can be, and no more after that', async () => {
    const store = createStore();
    const { logger } = recordingLogger();
    const plans = new StreamPlans(store, streams, logger, () => undefined);
    const origins = (): string[] => plans.of('db').targets.map(({ origin }) => origin);
    plans.sweep();
    expect(store.state.reads).toBe(0);
    for (const knownBefore of [false, true]) {
      store.state.away = !knownBefore;
      if (!knownBefore) await plans.start();
      store.state.away = true;
      store.records.targets = [`10.0.0.${knownBefore ? 3 : 2}:2`];
      plans.recordChanged('targets', 'db');
      plans.sweep();
      await Promise.resolve();
      store.state.away = false;
      await eventually('the new target', () => {
        plans.sweep();
        return origins()[0] === `tcp://10.0.0.${knownBefore ? 3 : 2}:2`;
      });
    }
    const { reads } = store.state;
    plans.sweep();
    expect(store.state.reads).toBe(reads);
  });

  it('are read again for block lists too, so that nobody slips in for long', async () => {
    const store = createStore();
    const { logger } = recordingLogger();
    const lists = new BlockLists({ store, streams: ['db'], file: null, log: logger });
    lists.sweep();
    expect(store.state.reads).toBe(0);
    await lists.start();
    store.state.away = true;
    store.records.blocklist = ['192.0.2.1'];
    lists.recordChanged('blocklist', 'db');
    await Promise.resolve();
    expect(lists.refuses('db', '192.0.2.1')).toBe(false);
    store.state.away = false;
    await eventually('the list', () => {
      lists.sweep();
      return lists.refuses('db', '192.0.2.1');
    });
    const { reads } = store.state;
    lists.sweep();
    expect(store.state.reads).toBe(reads);
  });
});
