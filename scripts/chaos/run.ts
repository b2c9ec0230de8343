// One run: a fleet under load while faults are done to it, and what all of that came to.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { eventually, pause } from '../../test/helpers/eventually.js';
import { seeded } from '../../test/helpers/seeded.js';
import { FaultLog } from './fault-log.js';
import { deadTime, idleTime, type Programs, type StartedFleet, silenceTime, startFleet } from './fleet.js';
import { connectionsOf, MemoryWatch, timersOf, unfinished } from './leaks.js';
import { ChaosLoad } from './load.js';
import { Plan } from './plan.js';
import { Tally } from './tally.js';
import { WebSockets } from './web-sockets.js';

export interface ChaosOptions {
  readonly programs: Programs;
  readonly seed: number;
  /** Requests a second. */
  readonly rate: number;
  /** What speaks to the backends, as in `server.engine`; absent: the default. */
  readonly engine?: string;
  /** `each`: every fault once, for so many milliseconds. Else faults by chance for so many. */
  readonly faults: { readonly each: number } | { readonly milliseconds: number };
  /** Told once a second. @param passed milliseconds since the load began */
  readonly progress?: (passed: number, tally: Tally) => void;
}

export interface ChaosResult {
  readonly tally: Tally;
  readonly log: FaultLog;
  readonly memory: ReturnType<MemoryWatch['growth']>;
}

/** Connections to each node. */
const clients = 16;
/** Longer than every attempt of a request may take together with a freeze of the worker. */
const patience = 20_000;
/** Milliseconds before the first fault, once snapshots are written, and after the last one: every worker has been asked for everything. */
const calm = { byChance: 10_000, each: 500 };
/** From when on the memory of a worker must not grow any more. */
const warmAfter = 120_000;
/** Milliseconds within which everything has to be closed once nobody asks any more. */
const closing = idleTime * 1000 + 10_000;

/** Rejects only when the run itself could not be done; what did not hold stands in the tally. */
export async function runChaos({ programs, seed, rate, engine, faults, progress }: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'cjs-proxy-chaos-'));
  const log = new FaultLog();
  const tally = new Tally();
  const memory = new MemoryWatch();
  let fleet: StartedFleet | null = null;
  try {
    fleet = await startFleet(folder, programs, engine);
    const { nodes } = fleet;
    const timersBefore = await timersAtRest(fleet);
    const load = new ChaosLoad({ nodes, clients, rate, seed, patience, log, tally });
    const sockets = new WebSockets({ nodes, seed, patience, log, tally });
    const endedNodes = 'each' in faults ? 2 : 1;
    // A silent backend is marked when a request that came last has waited for it, and revived a moment later.
    const silenceRecovery = (silenceTime + deadTime) * 1000 + 500;
    const recovery = { backend: deadTime * 1000 + 500, node: 'each' in faults ? 300 : 3_000, redis: 500 };
    const plan = new Plan({ fleet, log, random: seeded(seed), recovery, silenceRecovery, endedNodes });
    const begun = performance.now();
    const watch = setInterval(() => {
      const passed = performance.now() - begun;
      for (const node of nodes) memory.look(passed, node.name, node.workers);
      progress?.(passed, tally);
    }, 1_000);
    let ended: number;
    try {
      await eventually('every node to have written what it knows', fleet.remembersAll, 30_000);
      await pause('each' in faults ? calm.each : calm.byChance);
      if ('each' in faults) await plan.runEach(faults.each);
      else await plan.runFor(faults.milliseconds);
      await pause('each' in faults ? calm.each : calm.byChance);
    } finally {
      ended = performance.now() - begun;
      clearInterval(watch);
      await Promise.all([load.stop(), sockets.stop()]);
    }
    const growth = memory.growth(warmAfter, ended);
    for (const { worker, before, after, leaks } of growth) {
      if (leaks) tally.fault(`worker ${worker} grew from ${before.toFixed(0)} to ${after.toFixed(0)} MiB`);
    }
    await findLeftovers(fleet, timersBefore, tally);
    for (const node of nodes) for (const line of node.crashes) tally.fault(`${node.name} said: ${line}`);
    return { tally, log, memory: growth };
  } finally {
    await fleet?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The most timers that a worker has which nobody has asked for anything. */
async function timersAtRest({ nodes, resources }: StartedFleet): Promise<number> {
  const counts = await eventually('every worker to tell its resources', () => {
    const told = nodes.flatMap(({ workers }) => workers.map((worker) => timersOf(worker, resources)));
    return told.every((count) => count !== null) && told.length > 0 ? told : null;
  });
  return Math.max(...counts.map((count) => count ?? 0));
}

/** Nobody asks any more: what is open still is a leak. */
async function findLeftovers({ nodes, redis, resources }: StartedFleet, timersBefore: number, tally: Tally): Promise<void> {
  const left = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const node of nodes) {
      for (const metric of await unfinished(node.adminPort)) found.push(`${node.name} tells ${metric}`);
      for (const worker of node.workers) {
        const open = connectionsOf(worker, redis.port);
        if (open.length > 0)
          found.push(`worker ${node.name}, ${worker} has ${open.length} connections open: ${open.slice(0, 3).join(', ')}`);
        const timers = timersOf(worker, resources) ?? 0;
        if (timers > timersBefore) found.push(`worker ${node.name}, ${worker} has ${timers} timers instead of ${timersBefore}`);
      }
    }
    return found;
  };
  const until = performance.now() + closing;
  let found = await left();
  while (found.length > 0 && performance.now() < until) {
    await pause(100);
    found = await left();
  }
  for (const text of found) tally.fault(`when nobody asked any more: ${text}`);
}
