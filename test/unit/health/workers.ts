// Workers over one memory store, on a clock that the test moves: what a fleet knows of its backends, without a request.
import { onTestFinished, vi } from 'vitest';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { createHealthView } from '../../../src/health/health-view.js';
import { LocalMarks } from '../../../src/health/local-marks.js';
import { createPassiveHealth } from '../../../src/health/passive.js';
import { Trials } from '../../../src/health/trials.js';
import type { Backend } from '../../../src/model/backend.js';
import type { Route } from '../../../src/model/frontend.js';
import { createMetrics } from '../../../src/observe/metrics.js';
import { compileRoute } from '../../../src/routing/compile-route.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import type { StoreListener } from '../../../src/store/store.js';
import { entries } from './routes.js';

export const name = 'example.com';

/** One worker: what it would send a request to, and what becomes of requests. */
export class TestWorker {
  readonly marks = new LocalMarks();
  readonly trials: Trials;
  readonly logged: string[] = [];
  readonly store: MemoryStore;
  readonly view;
  readonly #passive;

  constructor(store: MemoryStore) {
    this.store = store;
    this.trials = new Trials({ store, now: Date.now });
    this.view = createHealthView(this.marks, this.trials);
    const note = (text: string) => void this.logged.push(text);
    this.#passive = createPassiveHealth({
      store,
      marks: this.marks,
      trials: this.trials,
      hchecker: { active: false },
      rules: { deadOn500: false, deadOn503: 'without-retry-after', deadOn5xx: true, deadBackendOn500: true, deadBackendTTL: 30 },
      log: { debug: note, info: note, warn: note, error: note },
      metrics: createMetrics(),
    });
  }

  async route(): Promise<Route> {
    return compileRoute(name, await this.store.readFrontends([name])).route;
  }

  /**
   * Indexes of the backends that a request may go to now.
   * @param tried indexes of those that it has tried
   */
  async candidates(tried: readonly number[] = []): Promise<number[]> {
    const route = await this.route();
    const before = tried.length === 0 ? null : route.backends.filter((backend) => tried.includes(backend.index));
    return this.view.candidates(route, before).map((backend) => backend.index);
  }

  /** An attempt begins; the test says how it ends. */
  async begin(index: number): Promise<{ status(status: number): Promise<void>; error(): Promise<void>; left(): Promise<void> }> {
    const route = await this.route();
    const backend = route.backends.find((one) => one.index === index) as Backend;
    this.trials.started(route, backend);
    const end = async (): Promise<void> => {
      this.trials.ended(route, backend);
      await settle();
    };
    return {
      status: (status) => {
        this.#passive.answered(route, backend, status, false);
        return end();
      },
      error: () => {
        this.#passive.failed(route, backend, new ProxyError('backend-refused'));
        return end();
      },
      left: end,
    };
  }

  async fail(index: number, times = 1): Promise<void> {
    for (let turn = 0; turn < times; turn++) await (await this.begin(index)).error();
  }
}

/** Lets promises that nothing holds up come to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Moves the clock. */
export function pass(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

/** @param policy the field `health`, or null for none */
export async function startWorkers(backends: number, policy: object | null, count = 2) {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  onTestFinished(() => void vi.useRealTimers());
  const store = new MemoryStore(null, () => undefined);
  const workers = Array.from({ length: count }, () => new TestWorker(store));
  const tell = (what: (marks: LocalMarks) => void) => {
    for (const worker of workers) what(worker.marks);
  };
  const listener: StoreListener = {
    changed: (changed) => tell((marks) => marks.changed(changed)),
    everythingChanged: () => tell((marks) => marks.everythingChanged()),
  };
  await store.start(listener);
  await store.writeFrontend(name, 'id', entries(backends));
  if (policy !== null) await store.writeRecord('route', name, ['health', JSON.stringify(policy)]);
  return { store, workers, one: workers[0] as TestWorker, two: workers[1] as TestWorker };
}
