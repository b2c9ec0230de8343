// A million frontends for the bench of scale: what they are called, and how they get into Redis.
import type { BenchRedis } from '../redis.js';

/** Written by the script below too. */
export function hostOf(number: number): string {
  return `site-${number}.example`;
}

/** All of it is under this wildcard, which has a frontend. */
export const wildcardSuffix = 'wild.example';

const perCall = 50_000;

const fillScript = `for at = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  local host = 'site-' .. at .. '.example'
  local url = 'http://127.0.0.1:' .. ARGV[3] .. '#id=' .. at
  redis.call('RPUSH', 'frontend:' .. host, host, url .. '-a', url .. '-b')
end`;

/** Writes that many frontends, each with two backends at one address. */
export async function fill(redis: BenchRedis, count: number, backendPort: number): Promise<void> {
  for (let from = 0; from < count; from += perCall) {
    await redis.cli('eval', fillScript, '0', String(from), String(Math.min(count, from + perCall)), String(backendPort));
  }
  await redis.cli('rpush', `frontend:*.${wildcardSuffix}`, 'wild', `http://127.0.0.1:${backendPort}`);
}

/** Commands of one kind that a server has been asked so far: each name that is looked up is one LRANGE, and nothing else is. */
export async function callsOf(redis: BenchRedis, command: string): Promise<number> {
  const text = await redis.cli('info', 'commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(text)?.[1] ?? 0);
}
