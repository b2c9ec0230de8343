// One job on all peers: they are started, warmed up, loaded in turn, round by round, and stopped.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readUsage } from './cpu-time.js';
import { type LoadResult, runLoad } from './load.js';
import type { Peer, PeerName, PeerSetup, RunningPeer } from './peers/peer.js';
import { checkJob, checkLog } from './same-job.js';
import type { Scenario } from './scenarios.js';

/** How long things take: whole seconds. */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  /** Load before the first round, for peers that run on JavaScript; the others get one second. */
  readonly warmupSeconds: number;
}

/** One peer in one round. */
export interface Sample {
  /** CPU-microseconds a request. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** MiB at the end of the load. */
  readonly rss: number;
  readonly requestsPerSecond: number;
  /** Share of its core that the proxy used: 1 means that the proxy was the bottleneck. */
  readonly busy: number;
  readonly errors: number;
}

/** All rounds of one peer on one job. */
export interface Measurement {
  readonly scenario: string;
  /** The job that this one was measured beside, to be compared with it; null: measured for its own sake. */
  readonly beside: string | null;
  readonly peer: PeerName;
  readonly samples: readonly Sample[];
  readonly median: Sample;
}

/** What is the same for all jobs. */
export type SharedSetup = Omit<PeerSetup, 'prefixes' | 'limit' | 'policy'>;

const ourName: PeerName = 'cjs-proxy';

interface Entry {
  readonly scenario: Scenario;
  readonly peer: Peer;
  readonly running: RunningPeer;
  readonly samples: Sample[];
  requests: number;
}

/**
 * Measures one job, and beside it our node on the job that it is compared with: a shared machine is not as fast in one minute as in
 * the next. Peers are fresh for each job, so that no figure hangs on which jobs ran before; all are up during the job but only one
 * has load at a time. Throws when a peer does not start or does not do the whole job.
 * @param peers all of them; a job that is for our node alone leaves the others out
 */
export async function measureScenario(
  scenario: Scenario,
  peers: readonly Peer[],
  setup: SharedSetup,
  effort: Effort,
  say: (line: string) => void,
): Promise<Measurement[]> {
  const folder = join(setup.folder, scenario.name);
  const entries: Entry[] = [];
  const { baseline } = scenario;
  const jobs = baseline === undefined ? [scenario] : [baseline, scenario];
  for (const job of jobs) {
    const able = job === baseline || isForUsAlone(scenario) ? peers.filter(({ name }) => name === ourName) : peers;
    for (const peer of able) entries.push(await start(job, peer, setup, join(folder, job.name), effort));
  }
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const entry of entries) {
      const before = readUsage(entry.running.pid);
      const result = await load(entry, setup, folder, effort.seconds);
      const after = readUsage(entry.running.pid);
      const sample = toSample(result, after.cpuMicroseconds - before.cpuMicroseconds, after.residentMebibytes);
      entry.samples.push(sample);
      const beside = entry.scenario === scenario ? '' : ` beside ${scenario.name}`;
      say(`${entry.scenario.name}${beside} round ${round} ${entry.peer.name}: ${describe(sample)}`);
    }
  }
  for (const entry of entries) {
    await entry.running.stop();
    await checkLog(entry.peer.name, entry.running, entry.requests);
  }
  // Logs of some hundred MB; the next job needs none of them.
  rmSync(folder, { recursive: true, force: true });
  return entries.map((entry) => ({
    scenario: entry.scenario.name,
    beside: entry.scenario === scenario ? null : scenario.name,
    peer: entry.peer.name,
    samples: entry.samples,
    median: medianSample(entry.samples),
  }));
}

/** Starts a peer for a job and lets it warm up. */
async function start(scenario: Scenario, peer: Peer, setup: SharedSetup, folder: string, effort: Effort): Promise<Entry> {
  const home = join(folder, peer.name);
  mkdirSync(home, { recursive: true });
  const { prefixes = 0, limit = null, policy = null } = scenario;
  const running = await peer.start({ ...setup, folder: home, prefixes, limit, policy });
  await checkJob(peer.name, running, scenario);
  const entry: Entry = { scenario, peer, running, samples: [], requests: 0 };
  await load(entry, setup, folder, peer.needsWarmup ? effort.warmupSeconds : 1);
  return entry;
}

async function load(entry: Entry, setup: SharedSetup, folder: string, seconds: number): Promise<LoadResult> {
  const result = await runLoad(setup.processes, folder, entry.scenario, entry.running.port, seconds);
  entry.requests += result.requests;
  return result;
}

/** Others have no such thing as a frontend of a prefix, a limit or a policy; and what is compared with ourselves needs nobody else. */
function isForUsAlone({ prefixes, limit, policy, baseline }: Scenario): boolean {
  return prefixes !== undefined || limit !== undefined || policy !== undefined || baseline !== undefined;
}

function toSample(result: LoadResult, cpuMicroseconds: number, rss: number): Sample {
  return {
    cpu: cpuMicroseconds / Math.max(1, result.requests),
    p50: result.p50Milliseconds,
    p99: result.p99Milliseconds,
    rss,
    requestsPerSecond: result.requests / result.seconds,
    busy: cpuMicroseconds / 1e6 / result.seconds,
    errors: result.errors,
  };
}

function medianSample(samples: readonly Sample[]): Sample {
  const of = (key: keyof Sample) => median(samples.map((sample) => sample[key]));
  return {
    cpu: of('cpu'),
    p50: of('p50'),
    p99: of('p99'),
    rss: of('rss'),
    requestsPerSecond: of('requestsPerSecond'),
    busy: of('busy'),
    // Errors are not noise: all of them count.
    errors: samples.reduce((sum, sample) => sum + sample.errors, 0),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

function describe(sample: Sample): string {
  const errors = sample.errors === 0 ? '' : `, ${sample.errors} ERRORS`;
  return `${sample.cpu.toFixed(1)} us, p50 ${sample.p50.toFixed(2)} ms, p99 ${sample.p99.toFixed(2)} ms, ${sample.rss.toFixed(0)} MiB, ${Math.round(sample.requestsPerSecond)}/s${errors}`;
}
