// What a node tells of itself in Redis (`node:<id>`), once a second: the heartbeat by which the fleet knows who is there.

/** How a node is: `stopping` nodes take nothing new and finish what they have. */
export type NodePhase = 'starting' | 'serving' | 'reloading' | 'stopping';

/** A heartbeat. */
export interface NodeHeartbeat {
  /** Name of the node in the fleet; the same after a restart. */
  readonly id: string;
  /** Drawn anew at each start, so that two nodes of one name are noticed. */
  readonly boot: string;
  /** Name of the machine. */
  readonly host: string;
  /** Where it serves, as URLs. */
  readonly addresses: readonly string[];
  readonly version: string;
  /** Process that is asked to stop or reload. */
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly beatAt: number;
  readonly phase: NodePhase;
  /** Somebody has taken it out: it says that it is not ready. */
  readonly drained?: boolean;
  /** Workers that serve. */
  readonly workers: number;
  /** The last revision that is in force in all of them. */
  readonly revision: number;
  /** Milliseconds for which the worker that has been cut off longest has not heard of the store. */
  readonly staleness: number;
  /** Requests that run now, in all workers, and connections of clients. */
  readonly active: number;
  readonly connections: number;
}

const numbers = ['pid', 'startedAt', 'beatAt', 'workers', 'revision', 'staleness', 'active', 'connections'] as const;
const phases: readonly NodePhase[] = ['starting', 'serving', 'reloading', 'stopping'];

/** Names and values in turn, as they stand in the hash; the id is in its key. */
export function heartbeatFields(beat: NodeHeartbeat): string[] {
  const { boot, host, addresses, version, phase } = beat;
  const fields = ['boot', boot, 'host', host, 'addresses', addresses.join(' '), 'version', version, 'phase', phase];
  if (beat.drained === true) fields.push('drained', 'true');
  for (const name of numbers) fields.push(name, String(beat[name]));
  return fields;
}

/**
 * Reads the hash; null for one that is no heartbeat. Numbers that make no sense are 0.
 * @param fields names and values in turn
 */
export function parseHeartbeat(id: string, fields: readonly string[]): NodeHeartbeat | null {
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) values.set(fields[at]!, fields[at + 1]!);
  const boot = values.get('boot');
  if (boot === undefined) return null;
  const number = (name: (typeof numbers)[number]): number => {
    const value = Number(values.get(name));
    return Number.isFinite(value) ? value : 0;
  };
  return {
    id,
    boot,
    host: values.get('host') ?? '',
    addresses: (values.get('addresses') ?? '').split(' ').filter((address) => address !== ''),
    version: values.get('version') ?? '',
    ...(values.get('drained') === 'true' ? { drained: true } : {}),
    phase: phases.find((phase) => phase === values.get('phase')) ?? 'serving',
    pid: number('pid'),
    startedAt: number('startedAt'),
    beatAt: number('beatAt'),
    workers: number('workers'),
    revision: number('revision'),
    staleness: number('staleness'),
    active: number('active'),
    connections: number('connections'),
  };
}
