// The contract of a proxy that is measured: started with a backend behind it, stopped after its job.
import type { BenchPolicy } from '../policy.js';
import type { Processes } from '../processes.js';
import type { ScenarioLimit } from '../scenarios.js';

export const peerNames = ['nginx', 'haproxy', 'http-proxy', 'cjs-proxy'] as const;
export type PeerName = (typeof peerNames)[number];

/** What a peer is started with. */
export interface PeerSetup {
  readonly processes: Processes;
  /** An empty folder of its own. */
  readonly folder: string;
  readonly backendPort: number;
  /** Folder for CPU profiles of our node; null: none. */
  readonly profiles: string | null;
  /** `server.workers` of our node. */
  readonly workers: number;
  /** Path prefixes that our node's host has. */
  readonly prefixes: number;
  /** Rate limit of our node's host; null: none. */
  readonly limit: ScenarioLimit | null;
  /** Policy of our node's frontend; null: none. */
  readonly policy: BenchPolicy | null;
}

/** A proxy that takes requests. */
export interface RunningPeer {
  readonly port: number;
  /** The process whose tree is accounted. */
  readonly pid: number;
  /** File with a line for each request, complete after `stop`. */
  readonly accessLog: string;
  stop(): Promise<void>;
}

/** One proxy of the comparison. */
export interface Peer {
  readonly name: PeerName;
  /** Runs on JavaScript: is given time to be compiled before it is measured. */
  readonly needsWarmup: boolean;
  /** Resolves when it forwards requests; throws with what it said when it does not start. */
  start(setup: PeerSetup): Promise<RunningPeer>;
}
