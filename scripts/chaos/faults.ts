// Every fault there is: whom it hits, how it begins and how it ends.
import type { Behaviour, ChaosBackend } from './backend.js';
import { type ChaosNode, isAlive, signalTo } from './node.js';
import type { ChaosRedis } from './redis.js';

export type FaultName =
  | 'backend killed'
  | 'backend frozen'
  | 'backend slow'
  | 'backend silent'
  | 'backend half-closes'
  | 'backend resets'
  | 'backend resets within'
  | 'worker killed'
  | 'worker frozen'
  | 'node killed'
  | 'node frozen'
  | 'node stopped and started'
  | 'supervisor killed'
  | 'workers replaced'
  | 'configuration taken over'
  | 'redis killed'
  | 'redis frozen'
  | 'redis cut off'
  | 'redis flushed'
  | 'redis read only'
  | 'redis out of memory';

/** What faults are done to. */
export interface Fleet {
  readonly backends: readonly ChaosBackend[];
  readonly nodes: readonly ChaosNode[];
  readonly redis: ChaosRedis;
  /** Writes every record that clients ask for. */
  writeRecords(): Promise<void>;
}

/** One fault that has begun. Awaited at its end: all is as before then. */
export type EndFault = () => Promise<void>;

/** What a fault hits. At most one fault is done to one of them at a time. */
export interface Place {
  readonly kind: 'backend' | 'node' | 'redis';
  readonly name: string;
  readonly at: number;
}

export interface FaultKind {
  readonly name: FaultName;
  readonly hits: Place['kind'];
  /** It ends processes of a node. */
  readonly ends?: boolean;
  /** Requests wait for it until their patience is over: what it did is felt for longer. */
  readonly silences?: boolean;
  /** Drawn so many times as often as others. */
  readonly weight: number;
  /** @param random from 0 to below 1 */
  begin(fleet: Fleet, place: Place, random: () => number): Promise<EndFault>;
}

const nothing: EndFault = async () => {};

function misbehaving(name: FaultName, how: Behaviour): FaultKind {
  return {
    name,
    hits: 'backend',
    weight: 2,
    begin: async ({ backends }, { at }) => {
      const backend = backends[at] as ChaosBackend;
      backend.behave(how);
      return async () => backend.behave('well');
    },
  };
}

/** A change of Redis by commands, and the one that takes it back. */
function commanded(name: FaultName, begin: readonly string[], end: readonly string[]): FaultKind {
  return {
    name,
    hits: 'redis',
    weight: 1,
    begin: async ({ redis }) => {
      await redis.ask(...begin);
      return async () => void (await redis.ask(...end));
    },
  };
}

/** What all that can be hit has in common. */
type Victim = Pick<ChaosBackend, 'start' | 'kill' | 'freeze' | 'thaw'>;

function victimAt({ backends, nodes, redis }: Fleet, { kind, at }: Place): Victim {
  return kind === 'redis' ? redis : ((kind === 'backend' ? backends : nodes)[at] as Victim);
}

function killed(hits: Place['kind'], weight: number): FaultKind {
  return {
    ...{ name: `${hits} killed`, hits, weight },
    begin: async (fleet, place) => {
      const victim = victimAt(fleet, place);
      await victim.kill();
      return () => victim.start();
    },
  };
}

function frozen(hits: Place['kind'], weight: number): FaultKind {
  return {
    ...{ name: `${hits} frozen`, hits, weight },
    begin: async (fleet, place) => {
      const victim = victimAt(fleet, place);
      victim.freeze();
      return async () => victim.thaw();
    },
  };
}

export const faultKinds: readonly FaultKind[] = [
  {
    name: 'redis flushed',
    hits: 'redis',
    weight: 1,
    begin: async ({ redis, writeRecords }) => {
      await redis.ask('FLUSHALL');
      return writeRecords;
    },
  },
  killed('backend', 4),
  { ...frozen('backend', 4), silences: true },
  misbehaving('backend slow', 'slow'),
  { ...misbehaving('backend silent', 'silent'), silences: true },
  misbehaving('backend half-closes', 'half-closes'),
  misbehaving('backend resets', 'resets'),
  misbehaving('backend resets within', 'resets-within'),
  {
    name: 'worker killed',
    hits: 'node',
    weight: 3,
    ends: true,
    begin: async ({ nodes }, { at }, random) => {
      const node = nodes[at] as ChaosNode;
      const { workers } = node;
      const victim = workers[Math.floor(random() * workers.length)];
      if (victim !== undefined) signalTo(victim, 'SIGKILL');
      return nothing;
    },
  },
  {
    name: 'worker frozen',
    hits: 'node',
    weight: 3,
    begin: async ({ nodes }, { at }, random) => {
      const { workers } = nodes[at] as ChaosNode;
      const victim = workers[Math.floor(random() * workers.length)];
      if (victim === undefined) return nothing;
      signalTo(victim, 'SIGSTOP');
      return async () => signalTo(victim, 'SIGCONT');
    },
  },
  { ...killed('node', 2), ends: true },
  frozen('node', 1),
  {
    name: 'node stopped and started',
    hits: 'node',
    weight: 1,
    ends: true,
    begin: async ({ nodes }, { at }) => {
      const node = nodes[at] as ChaosNode;
      await node.stop();
      return () => node.start();
    },
  },
  {
    name: 'supervisor killed',
    hits: 'node',
    weight: 1,
    ends: true,
    begin: async ({ nodes }, { at }) => {
      const node = nodes[at] as ChaosNode;
      const orphans = node.workers;
      node.signal('SIGKILL');
      return async () => {
        // They finish what they have; their ports are free when they have left.
        while (orphans.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
        await node.start();
      };
    },
  },
  {
    name: 'workers replaced',
    hits: 'node',
    weight: 1,
    ends: true,
    begin: async ({ nodes }, { at }) => {
      const node = nodes[at] as ChaosNode;
      return leaving(node, 'SIGUSR2');
    },
  },
  {
    name: 'configuration taken over',
    hits: 'node',
    weight: 1,
    ends: true,
    begin: async ({ nodes }, { at }) => {
      const node = nodes[at] as ChaosNode;
      return leaving(node, 'SIGHUP');
    },
  },
  killed('redis', 2),
  frozen('redis', 2),
  {
    name: 'redis cut off',
    hits: 'redis',
    weight: 1,
    begin: async ({ redis }) => {
      await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal');
      await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
      return nothing;
    },
  },
  commanded('redis read only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
  commanded(
    'redis out of memory',
    ['CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction'],
    ['CONFIG', 'SET', 'maxmemory', '0'],
  ),
];

/** The workers that are there make way for others; ended when they have left. */
async function leaving(node: ChaosNode, signal: NodeJS.Signals): Promise<EndFault> {
  const old = node.workers;
  node.signal(signal);
  return async () => {
    while (old.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  };
}
