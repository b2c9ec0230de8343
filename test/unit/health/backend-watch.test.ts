import { afterEach, describe, expect, it } from 'vitest';
import { BackendWatch } from '../../../src/health/backend-watch.js';
import { LocalMarks } from '../../../src/health/local-marks.js';
import { parseBackends } from '../../../src/model/parse-backends.js';
import { EventBus } from '../../../src/observe/events.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import { eventually } from '../../helpers/eventually.js';
import { route } from './routes.js';

const entries = ['http://10.0.0.0:80', 'http://10.0.0.1:80'];
const watches: BackendWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.close();
});

async function setUp({ listening = true } = {}) {
  const events = new EventBus((_name, error) => {
    throw error;
  });
  const told: string[] = [];
  const listen = () => {
    events.on('backend.dead', ({ vHost, backend, reason, manual }) => {
      told.push(`${vHost} ${backend.id} dead ${manual ? 'by hand' : reason || 'elsewhere'}`);
    });
    events.on('backend.alive', ({ vHost, backend }) => told.push(`${vHost} ${backend.id} alive`));
  };
  if (listening) listen();
  const inner = new MemoryStore(null, () => {});
  let reads = 0;
  const marks = new LocalMarks();
  const watch = new BackendWatch({
    store: {
      readFrontends: (names) => {
        reads++;
        return inner.readFrontends(names);
      },
    },
    marks,
    events,
  });
  watches.push(watch);
  await inner.start(watch);
  await inner.writeFrontend('example.com', 'id', entries);
  const { backends } = parseBackends(entries);
  const markDead = (ttl: number) =>
    inner.markDead({ host: 'example.com', frontend: 'example.com', backend: backends[0]!, size: 2, ttl, write: true });
  return { store: inner, marks, watch, told, listen, markDead, backends, reads: () => reads };
}

describe('the watch over backends', () => {
  it('tells once of a backend that somebody marked, and of its revival', async () => {
    const { store, told, markDead } = await setUp();
    await markDead(30);
    await markDead(40);
    await eventually('the event', () => told.length > 0);
    await store.revive([{ name: 'example.com', entry: entries[0]!, members: ['0'] }]);
    await eventually('the second event', () => told.length > 1);
    expect(told).toEqual(['example.com http://10.0.0.0:80 dead elsewhere', 'example.com http://10.0.0.0:80 alive']);
  });

  it('tells of a mark of this worker at once and why, and not again when the store has it', async () => {
    const { marks, watch, told, markDead, reads } = await setUp();
    const [backend] = route(2).backends;
    marks.add('example.com', 'example.com', backend!.entry, 30);
    watch.marked(route(2), backend!, 'ECONNREFUSED');
    expect(told).toEqual(['example.com http://10.0.0.0:80 dead ECONNREFUSED']);
    await markDead(30);
    await eventually('the look', () => reads() > 0);
    expect(told).toHaveLength(1);
  });

  it('tells of a revival when the mark has run out, though nobody says so', async () => {
    const { told, markDead } = await setUp();
    await markDead(1);
    await eventually('the revival', () => told.at(-1)?.endsWith('alive'));
    expect(told).toHaveLength(2);
  });

  it('tells that a person took a backend out, and gave it back', async () => {
    const { store, told, backends } = await setUp();
    const maintain = (on: boolean) => store.maintain({ frontend: 'example.com', backend: backends[1]!, on, ttl: 30 });
    await maintain(true);
    await eventually('the event', () => told.length > 0);
    await maintain(false);
    await eventually('the second event', () => told.length > 1);
    expect(told).toEqual(['example.com http://10.0.0.1:80 dead by hand', 'example.com http://10.0.0.1:80 alive']);
  });

  it('says nothing of a dead backend that leaves the list', async () => {
    const { store, told, markDead, reads } = await setUp();
    await markDead(30);
    await eventually('the event', () => told.length > 0);
    const before = reads();
    await store.writeFrontend('example.com', 'id', [entries[1]!]);
    await eventually('the look', () => reads() > before);
    await store.writeFrontend('example.com', 'id', [entries[1]!, 'http://10.0.0.9:80']);
    expect(told).toHaveLength(1);
  });

  it('reads nothing while nobody listens', async () => {
    const { told, listen, markDead, reads } = await setUp({ listening: false });
    await markDead(30);
    expect(reads()).toBe(0);
    listen();
    await markDead(30);
    await eventually('the event', () => told.length > 0);
  });
});
