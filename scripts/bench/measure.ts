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
  readonly peer: PeerName;
  readonly samples: readonly Sample[];
  readonly median: Sample;
}

interface Entry {
  readonly peer: Peer;
  readonly running: RunningPeer;
  readonly samples: Sample[];
  requests: number;
}

/**
 * Measures one job. Peers are fresh for each job, so that no figure hangs on which jobs ran before; all are up during the job
 * but only one has load at a time. Throws when a peer does not start or does not do the whole job.
 */
export async function measureScenario(
  scenario: Scenario,
  peers: readonly Peer[],
  setup: PeerSetup,
  effort: Effort,
  say: (line: string) => void,
): Promise<Measurement[]> {
  const folder = join(setup.folder, scenario.name);
  const load = (entry: Entry, seconds: number) => runLoad(setup.processes, folder, scenario, entry.running.port, seconds);
  const entries: Entry[] = [];
  for (const peer of peers) {
    const home = join(folder, peer.name);
    mkdirSync(home, { recursive: true });
    const running = await peer.start({ ...setup, folder: home });
    await checkJob(peer.name, running, scenario);
    const entry: Entry = { peer, running, samples: [], requests: 0 };
    entries.push(entry);
    entry.requests += (await load(entry, peer.needsWarmup ? effort.warmupSeconds : 1)).requests;
  }
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const entry of entries) {
      const before = readUsage(entry.running.pid);
      const result = await load(entry, effort.seconds);
      const after = readUsage(entry.running.pid);
      const sample = toSample(result, after.cpuMicroseconds - before.cpuMicroseconds, after.residentMebibytes);
      entry.samples.push(sample);
      entry.requests += result.requests;
      say(`${scenario.name} round ${round} ${entry.peer.name}: ${describe(sample)}`);
    }
  }
  for (const entry of entries) {
    await entry.running.stop();
    await checkLog(entry.peer.name, entry.running, entry.requests);
  }
  // Logs of some hundred MB; the next job needs none of them.
  rmSync(folder, { recursive: true, force: true });
  return entries.map(({ peer, samples }) => ({
    scenario: scenario.name,
    peer: peer.name,
    samples,
    median: medianSample(samples),
  }));
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
