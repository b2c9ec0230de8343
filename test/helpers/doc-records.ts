// What a command of the documentation writes to Redis is a record that the proxy understands, field by field.
import { expect } from 'vitest';
import { parseHealthcheck } from '../../src/model/healthcheck.js';
import { parseBackends } from '../../src/model/parse-backends.js';
import { parsePolicy } from '../../src/model/policy/policy.js';
import type { StoredRecord } from '../../src/model/record-kind.js';
import { parseTier } from '../../src/model/tier.js';
import type { TestRedis } from './redis.js';

/** Reads back what `redis-cli hset …` or `rpush frontend:…` has written, by the parser of its kind. Other commands are not looked at. */
export async function checkRecord(redis: TestRedis, command: string): Promise<void> {
  const [, verb, kind = '', name = ''] = /redis-cli (hset|rpush) '?(\w+):([^\s']+)/.exec(command) ?? [];
  const key = `${kind}:${name}`;
  if (verb === 'hset') {
    const values = Object.entries(await redis.client.hgetall(key)).flat();
    expect(values.length, `fields of ${key}`).toBeGreaterThan(0);
    expect(faultsOf(kind, name, { values, fault: '' }), command).toEqual([]);
  }
  if (verb === 'rpush' && kind === 'frontend') {
    const [, ...backends] = await redis.client.lrange(key, 0, -1);
    expect(parseBackends(backends).faults, command).toEqual([]);
  }
}

function faultsOf(kind: string, name: string, record: StoredRecord): readonly string[] {
  switch (kind) {
    case 'route': {
      const { faults, refusal } = parsePolicy(record.values);
      return refusal === '' ? faults : [...faults, refusal];
    }
    case 'healthcheck':
      return parseHealthcheck(record).faults;
    case 'tier':
      return parseTier(name, record).faults;
    // What a node says of these is looked at by tests of their own.
    case 'stream':
    case 'tls':
      return [];
    default:
      throw new Error(`nobody reads ${kind}:${name}`);
  }
}
