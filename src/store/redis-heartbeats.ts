// Heartbeats of nodes in Redis: a hash each that lives for some seconds, so that a node that is gone goes from the list as well.
import { heartbeatFields, type NodeHeartbeat } from '../model/node.js';
import type { Command } from '../redis/commands.js';

/** The first reply says whose heartbeat was there before: the `boot` of a node. */
export function heartbeatCommands(key: string, beat: NodeHeartbeat, milliseconds: number): Command[] {
  return [
    ['HGET', key, 'boot'],
    ['DEL', key],
    ['HSET', key, ...heartbeatFields(beat)],
    ['PEXPIRE', key, Math.ceil(milliseconds)],
  ];
}

/** Removes a heartbeat unless another node of the same name has taken it over. */
export function removeHeartbeatCommand(key: string, boot: string): Command {
  return ['EVAL', removeScript, 1, key, boot];
}

const removeScript = `if redis.call('HGET', KEYS[1], 'boot') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;
