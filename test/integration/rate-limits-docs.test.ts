// docs/rate-limits.md: its examples, typed into a shell, are understood without a fault; its numbers are those of the program.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockOf, firstBlock, largestBlock } from '../../src/limits/block.js';
import { parsePolicy } from '../../src/model/policy/policy.js';
import { parseTier } from '../../src/model/tier.js';
import { head } from '../contract/engine/world.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { compiledProgram } from '../helpers/compiled.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const page = readFileSync('docs/rate-limits.md', 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join('');
const run = promisify(execFile);
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
  const here = `redis-cli() { command redis-cli -p ${redis.port} "$@"; }`;
  await run('bash', ['-euc', `${here}\nKEY=k3y\n${commands}`]);
});

afterAll(() => redis.stop());

const hash = async (key: string): Promise<string[]> => Object.entries(await redis.client.hgetall(key)).flat();

describe('docs/rate-limits.md', () => {
  it('has examples', () => {
    expect(commands.split('\n').length).toBeGreaterThan(10);
  });

  it.each(['gold', 'search', 'whole-site'])('tier:%s has no fault', async (name) => {
    const { faults, tier } = parseTier(name, { values: await hash(`tier:${name}`), fault: '' });
    expect(faults).toEqual([]);
    expect(tier.points).toBeGreaterThan(500);
  });

  it('the policies have no fault', async () => {
    const keys = await redis.client.keys('route:*');
    expect(keys.length).toBe(4);
    for (const key of keys) expect(parsePolicy(await hash(key)).faults).toEqual([]);
  });

  it('the member is found by the digest of its key', async () => {
    expect(await redis.client.get(`member:key:${createHash('sha256').update('k3y').digest('hex')}`)).toBe('gold');
  });

  it('the numbers of blocks are those of the program', () => {
    expect([largestBlock(6_400), largestBlock(63), firstBlock(6_400)]).toEqual([100, 0, 8]);
    expect([blockOf(6_400, 6_384, 100), blockOf(6_400, 6_385, 100)]).toEqual([1, 0]);
  });

  it('an answer has the fields that are shown', async () => {
    const shown = /^ {4}(RateLimit-Policy: .*)\n {4}(RateLimit: .*)$/m.exec(page) ?? [];
    const backend: RawBackend = await startBackend(ok());
    const proxy: StartedProxy = await startProxy({ driver: redis.url });
    try {
      await redis.client.rpush('frontend:example.com', 'an identifier', backend.url);
      const client = await connectClient(proxy.port);
      client.send(head('GET', '/', 'example.com'));
      const { head: answer } = await client.response();
      client.close();
      expect(shown).toHaveLength(3);
      for (const line of shown.slice(1)) expect(answer).toContain(`${line}\r\n`);
    } finally {
      await proxy.close();
      await backend.close();
    }
  });

  it('a million addresses cost less memory than is said', async () => {
    const { stdout } = await run(process.execPath, [compiledProgram('scripts/limit-memory')]);
    const measured: unknown = JSON.parse(stdout);
    expect(measured).toMatchObject({ addresses: 1_000_000, known: 200_000 });
    expect((measured as { growthMiB: number }).growthMiB).toBeLessThanOrEqual(200);
  });
});
