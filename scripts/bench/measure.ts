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

/** How often each client has come, on average, when the first round begins. */
const visits = 4;

/** One peer on one job. */
interface Entry {
  readonly scenario: Scenario;
  readonly peer: Peer;
  readonly samples: Sample[];
}

/** A peer that was started for a job. */
interface Started {
  readonly running: RunningPeer;
  /** That it was sent since. */
  requests: number;
}

/**
 * Measures one job, and beside it our node on the job that it is compared with: a shared machine is not as fast in one minute as in
 * the next. Peers are fresh for each job, so that no figure hangs on which jobs ran before; all are up during the job but only one
 * has load at a time. Where our node is compared with itself it is fresh for each round, alone, and who comes first changes with
 * each round: two processes that do the same job for long may differ by more than the jobs do. Throws when a peer does not start or
 * does not do the whole job.
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
  const { baseline } = scenario;
  const jobs = baseline === undefined ? [scenario] : [baseline, scenario];
  const able = isForUsAlone(scenario) ? peers.filter(({ name }) => name === ourName) : peers;
  const entries = jobs.flatMap((job) => able.map((peer): Entry => ({ scenario: job, peer, samples: [] })));
  const report = (round: number, { scenario: job, peer }: Entry, sample: Sample) =>
    say(`${job.name}${job === scenario ? '' : ` beside ${scenario.name}`} round ${round} ${peer.name}: ${describe(sample)}`);

  const startFor = ({ scenario: job, peer }: Entry) => start(job, peer, setup, join(folder, job.name, peer.name), effort);
  const measure = async (round: number, entry: Entry, started: Started) => {
    const sample = await sampleOf(started, entry.scenario, setup, folder, effort.seconds);
    entry.samples.push(sample);
    report(round, entry, sample);
  };
  const rounds = Array.from({ length: effort.rounds }, (_, at) => at + 1);
  if (baseline === undefined) {
    const all: [Entry, Started][] = [];
    for (const entry of entries) all.push([entry, await startFor(entry)]);
    for (const round of rounds) for (const [entry, started] of all) await measure(round, entry, started);
    for (const [entry, started] of all) await stop(entry.peer, started);
  } else {
    for (const round of rounds) {
      for (const entry of round % 2 === 1 ? entries : entries.toReversed()) {
        const started = await startFor(entry);
        await measure(round, entry, started);
        await stop(entry.peer, started);
        rmSync(join(folder, entry.scenario.name), { recursive: true });
      }
    }
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

/**
 * Starts a peer for a job and lets it warm up: for a while, and until clients have come so often on average that those who come for
 * the first time are as few, and those whose points are due to be told as many, as later on.
 */
async function start(scenario: Scenario, peer: Peer, setup: SharedSetup, home: string, effort: Effort): Promise<Started> {
  mkdirSync(home, { recursive: true });
  const { prefixes = 0, limit = null, policy = null } = scenario;
  const running = await peer.start({ ...setup, folder: home, prefixes, limit, policy });
  await checkJob(peer.name, running, scenario);
  const started: Started = { running, requests: 0 };
  do await load(started, scenario, setup, home, peer.needsWarmup ? effort.warmupSeconds : 1);
  while (started.requests < visits * (limit?.clients ?? 0));
  return started;
}

/** Loads a peer once, and reads what that has cost it. */
async function sampleOf(
  started: Started,
  scenario: Scenario,
  setup: SharedSetup,
  folder: string,
  seconds: number,
): Promise<Sample> {
  const { pid } = started.running;
  const before = readUsage(pid);
  const result = await load(started, scenario, setup, folder, seconds);
  const after = readUsage(pid);
  return toSample(result, after.cpuMicroseconds - before.cpuMicroseconds, after.residentMebibytes);
}

async function load(
  started: Started,
  scenario: Scenario,
  setup: SharedSetup,
  folder: string,
  seconds: number,
): Promise<LoadResult> {
  const result = await runLoad(setup.processes, folder, scenario, started.running.port, seconds);
  started.requests += result.requests;
  return result;
}

async function stop(peer: Peer, { running, requests }: Started): Promise<void> {
  await running.stop();
  await checkLog(peer.name, running, requests);
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
