// The commands that write, take back and hold dead marks in Redis.
import type { Command } from '../redis/commands.js';
import { deadChannel, type RedisKeys } from '../redis/keys.js';
import { addMarkScript, addMemberScript, dropMarkScript, endMaintenanceScript } from './mark-scripts.js';
import type { DeadMarkRequest, MaintenanceRequest, RevivalRequest } from './store.js';

/** What a mark is in `health:<name>`: JSON without the members that it does not need. Milliseconds since the epoch. */
interface StoredMark {
  readonly index: number;
  readonly since: number;
  readonly until?: number;
  readonly manual?: true;
  readonly probed?: true;
  readonly retryAt?: number;
  readonly opens?: number;
  readonly frontend?: string;
}

/** The records that a request marks; none where it only publishes. */
export function markedNames({ host, frontend, ttl, write }: DeadMarkRequest): readonly string[] {
  return write && ttl > 0 ? [...new Set([host, frontend])] : [];
}

/** @param now milliseconds since the epoch */
export function markCommands(keys: RedisKeys, mark: DeadMarkRequest, now: number): Command[] {
  const { host, backend, size } = mark;
  const commands = markedNames(mark).flatMap((name) => commandsOfName(keys, name, mark, now));
  if (mark.quiet !== true) commands.push(['PUBLISH', deadChannel, `${host};${backend.publishedUrl};${backend.index};${size}`]);
  return commands;
}

/** Which backend is meant stands in the hash; PlanB reads anything but an index in the set as 0. */
function commandsOfName(keys: RedisKeys, name: string, mark: DeadMarkRequest, now: number): Command[] {
  const { backend, frontend, since = now, probed, retryAt, opens } = mark;
  const seconds = Math.ceil(mark.ttl);
  const stored: StoredMark = {
    index: backend.index,
    since,
    until: now + seconds * 1000,
    ...(probed === true ? { probed } : {}),
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(opens === undefined ? {} : { opens }),
    ...(name === frontend ? {} : { frontend }),
  };
  return [
    ['EVAL', addMemberScript, 1, keys.dead(name), backend.index, seconds],
    ['EVAL', addMarkScript, 1, keys.health(name), backend.entry, JSON.stringify(stored), seconds, backend.index, now],
  ];
}

export function reviveCommands(keys: RedisKeys, revivals: readonly RevivalRequest[]): Command[] {
  return revivals.flatMap(({ name, entry, members }): Command[] => [
    ...(members.length === 0 ? [] : [['SREM', keys.dead(name), ...members] as const]),
    ['EVAL', dropMarkScript, 1, keys.health(name), entry],
  ]);
}

/**
 * @param members of the dead set that go when maintenance ends
 * @param now milliseconds since the epoch
 */
export function maintenanceCommands(
  keys: RedisKeys,
  { frontend, backend, on, ttl }: MaintenanceRequest,
  members: readonly string[],
  now: number,
): Command[] {
  const [dead, health] = [keys.dead(frontend), keys.health(frontend)];
  const seconds = Math.ceil(ttl);
  if (on) {
    const mark: StoredMark = { manual: true, index: backend.index, since: now };
    return [
      ['HSET', health, backend.entry, JSON.stringify(mark)],
      ['PERSIST', health],
      ['EVAL', addMemberScript, 1, dead, backend.index, seconds],
    ];
  }
  const names = [backend.entry, backend.id, backend.publishedUrl, backend.origin];
  const end: Command = ['EVAL', endMaintenanceScript, 1, health, seconds, ...names];
  return members.length === 0 ? [end] : [end, ['SREM', dead, ...members]];
}
