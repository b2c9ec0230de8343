// A worker of `npm run bench:stats`: a real one, but for the requests. They are counted as the pipeline counts them, a hundred times
// a second some, and served by nobody.
import { performance } from 'node:perf_hooks';
import { tuneEngine } from '../../../src/base/engine-flags.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';
import { Tally } from '../../../src/observe/tally.js';
import type { OpenProxy } from '../../../src/proxy/served-proxy.js';
import { runWorker } from '../../../src/proxy/worker.js';
import { createStore } from '../../../src/store/create-store.js';
import { type BenchOrder, orderVariable } from './order.js';

tuneEngine();
const { frontends, perSecond, tellsFrom } = JSON.parse(process.env[orderVariable] ?? '') as BenchOrder;
const slices = 100;

const tally = new Tally();
const nothing = Buffer.alloc(0);
const held = Array.from({ length: frontends }, () => new RouteCounts());
const names = held.map((_, at) => `site-${at}.example`);
let next = 0;

/** A request that took one to twelve milliseconds, most of them less than four. */
function count(at: number): void {
  const route = held[at] as RouteCounts;
  const counts = tally.frontend(route, names[at] as string);
  const backend = route.backend(counts, 0, '10.0.0.1:8080');
  const milliseconds = 1 + 3 * Math.random() + (Math.random() < 0.1 ? 8 : 0);
  counts.begins();
  counts.forwarded();
  backend.begins();
  counts.requests++;
  counts.bytesIn += 400;
  counts.bytesOut += 2_000;
  counts.codes.add(200, 1);
  counts.active--;
  counts.running--;
  backend.active--;
  backend.attempts++;
  backend.codes.add(200, 1);
  backend.latency.record(milliseconds - 0.5);
  counts.latency.record(milliseconds);
}

const open: OpenProxy = async (config, { logger, closing }) => {
  const store = createStore(config, (level, text) => logger[level](text), { worker: 0 });
  await store.start({ changed: () => {}, everythingChanged: () => {} });
  const begun = performance.now();
  let counted = 0;
  const timer = setInterval(() => {
    // As many as are due, however late the timer is.
    const due = Math.floor(((performance.now() - begun) / 1000) * frontends * perSecond);
    for (; counted < due; counted++) {
      count(next);
      next = (next + 1) % frontends;
    }
  }, 1000 / slices);
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await closing?.();
    await store.close();
  };
  return {
    ...{ addresses: [], activeExchanges: 0, openConnections: 0, overloaded: false, store, close, drain: close },
    collectCounts: () => (Date.now() < tellsFrom ? nothing : tally.collect()),
    readFigures: () => ({ counters: {}, gauges: {} }),
    reopenLogs: () => {},
  };
};

runWorker(open);
