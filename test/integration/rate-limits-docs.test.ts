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
let addresses = 0;

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

  describe('on a node', () => {
    let backend: RawBackend;
    let proxy: StartedProxy;

    beforeAll(async () => {
      backend = await startBackend(ok());
      proxy = await startProxy({ driver: redis.url, trustedProxies: ['127.0.0.1'], limits: { referer: true } });
      const hosts = ['example.com', 'api.example.com', 'shop.example.com', 'old.example.com', 'search.example.com'];
      for (const host of hosts) await redis.client.rpush(`frontend:${host}`, 'an identifier', backend.url);
      await redis.client.hset('route:search.example.com', 'tier', 'search');
    });

    afterAll(async () => {
      await proxy.close();
      await backend.close();
    });

    async function answer(host: string, address: string, lines: readonly string[] = [], method = 'GET', target = '/') {
      const client = await connectClient(proxy.port);
      client.send(head(method, target, host, `X-Forwarded-For: ${address}`, ...lines));
      const response = await client.response(method);
      client.close();
      return response;
    }

    it('answers have the fields that are shown, those that are served and those that are refused', async () => {
      const [served = [], refused = []] = [...page.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.trim().split(/\n */));
      expect([served[0], refused[0]]).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 429 Too Many Requests']);
      expect([served.length, refused.length]).toEqual([3, 4]);
      const first = await answer('example.com', '203.0.113.1');
      for (const line of served) expect(first.head).toContain(`${line}\r\n`);
      // As if others had spent the rest 19 s ago.
      await redis.client.set('limit:gold:203.0.113.2', 1_000, 'EX', 41);
      let last = await answer('example.com', '203.0.113.2');
      for (let turn = 0; last.status !== 429 && turn < 20; turn++) last = await answer('example.com', '203.0.113.2');
      const seconds = /^Retry-After: (\d+)\r$/m.exec(last.head)?.[1] ?? '';
      expect(Number(seconds)).toBeGreaterThan(30);
      for (const line of refused) expect(last.head).toContain(`${line.replace('41', seconds)}\r\n`);
    });

    it.each([
      ['GET', '/', 1],
      ['POST', '/', 5],
      ['POST', '/search', 10],
      ['GET', '//Search', 10],
      ['GET', '/s%65arch/more', 10],
      ['GET', '/searches', 1],
      ['GET', '/export', 50],
      ['PUT', '/export', 1],
      ['OPTIONS', '/', 0],
    ])('%s %s costs as much as the example says: %d', async (method, target, cost) => {
      const from = `198.51.100.${++addresses}`;
      const { head: text } = await answer('search.example.com', from, [], method, target);
      expect(/^RateLimit: "search";r=(\d+);/m.exec(text)?.[1] ?? 'not counted').toBe(
        cost === 0 ? 'not counted' : String(600 - cost),
      );
    });

    it.each([
      ['api.example.com', '192.0.2.1', [], 'anonymous'],
      ['api.example.com', '10.1.2.3', [], 'none'],
      ['api.example.com', '192.0.2.1', ['X-API-Key: k3y'], 'gold'],
      ['api.example.com', '192.0.2.1', ['X-API-Key: made up'], 'anonymous'],
      ['shop.example.com', '192.0.2.1', [], 'anonymous'],
      ['old.example.com', '192.0.2.7', [], 'premium'],
      ['old.example.com', '2001:db8:7::99', [], 'premium'],
      ['old.example.com', '192.0.2.8', [], 'premium'],
    ])('%s limits %s %j by the tier that the examples name: %s', async (host, address, lines, tier) => {
      const { head: text } = await answer(host, address, lines);
      expect(/^RateLimit-Policy: "([\w-]+)"/m.exec(text)?.[1] ?? 'none').toBe(tier);
    });

    it('every rule of the table is understood', () => {
      const rows = [...page.matchAll(/^\| (`\{.*?\}`(?:, `\{.*?\}`)*) \|/gm)].flatMap(([, rules = '']) => rules.split(/`, `/));
      expect(rows).toHaveLength(7);
      for (const rule of rows) expect(parsePolicy(['limits', `[${rule.replaceAll('`', '')}]`]).faults).toEqual([]);
    });
  });

  it('a million addresses cost less memory than is said', async () => {
    const { stdout } = await run(process.execPath, [compiledProgram('scripts/limit-memory')]);
    const measured: unknown = JSON.parse(stdout);
    expect(measured).toMatchObject({ addresses: 1_000_000, known: 200_000 });
    expect((measured as { growthMiB: number }).growthMiB).toBeLessThanOrEqual(200);
  });
});
