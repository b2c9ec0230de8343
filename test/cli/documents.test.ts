// plan, apply, export and import: everything as one document, and what other proxies have.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { selfSigned } from '../helpers/certs.js';
import { startApi, type TestApi } from '../helpers/management.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import type { Ended } from '../helpers/run-cli.js';
import { runMain } from '../helpers/run-main.js';

let redis: TestRedis;
let api: TestApi;
let folder: string;

beforeAll(async () => {
  redis = await startRedis();
  api = await startApi(redis.url);
  folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-documents-'));
});

afterAll(async () => {
  await api.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

beforeEach(() => redis.cli('flushall'));

const byApi = (...words: string[]): Promise<Ended> => runMain([...words, '--api', api.url]);
const byStore = (...words: string[]): Promise<Ended> => runMain([...words, '--driver', redis.url]);

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it('shows what differs, ends with 3, applies it, and then nothing differs', async () => {
  await redis.cli('rpush', 'frontend:a.test', 'a', 'http://10.0.0.1:80#id=one');
  await redis.cli('hset', 'route:a.test', 'tier', 'premium');
  await redis.cli('rpush', 'frontend:old.test', 'old', 'http://10.0.0.1:80');
  const file = write(
    'fleet.yaml',
    [
      'cjsProxy: 1',
      'tiers: {shop: {points: 1000}}',
      'routes:',
      '  a.test: {id: a, strategy: RANDOM, tier: shop, backends: [{id: one, hostname: 10.0.0.1, port: 80, weight: 3}]}',
      '  b.test: {id: b, strategy: IP_HASH, backends: [{hostname: 10.0.0.2, port: 8080}]}',
      '',
    ].join('\n'),
  );
  const told = [
    '+ tiers/shop',
    '    points: 1000',
    '~ routes/a.test',
    '    tier: premium -> shop',
    '    backends[0].weight: nothing -> 3',
    '+ routes/b.test',
  ];
  const planned = await byApi('plan', file);
  expect(planned).toMatchObject({ code: 3, stderr: '' });
  for (const line of told) expect(planned.stdout.split('\n')).toContain(line);
  expect(planned.stdout).toMatch(/\n2 new, 1 changed, 0 removed\n$/);
  expect(await redis.cli('exists', 'tier:shop', 'frontend:b.test')).toBe('0');

  expect(await byStore('plan', file)).toEqual(planned);
  expect(await byStore('apply', file)).toMatchObject({ code: 0, stderr: '', stdout: `${planned.stdout}done\n` });
  expect(await byApi('plan', file)).toEqual({ code: 0, stdout: 'nothing differs\n', stderr: '' });
  expect(await redis.cli('exists', 'frontend:old.test')).toBe('1');

  expect((await byApi('plan', file, '--prune')).stdout).toContain('- routes/old.test\n');
  expect((await byApi('apply', file, '--prune', '--json')).code).toBe(0);
  expect(await redis.cli('exists', 'frontend:old.test')).toBe('0');
});

it('exports what it can apply to another fleet, but no private key', async () => {
  const { cert, key } = selfSigned('a.test');
  await redis.cli('hset', 'tls:a.test', 'certificate', cert, 'key', key);
  await redis.cli('rpush', 'frontend:a.test', 'a', 'http://10.0.0.1:80#id=one', 'unix:/run/app.sock');
  await redis.cli('hset', 'route:a.test', 'headers', '{"X-Team": "shop"}', 'retries', '2');
  const file = join(folder, 'export.yaml');
  expect(await byApi('export', '--output', file)).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain('PRIVATE KEY');
  const { stdout } = await byStore('export');
  expect(stdout).toBe(text);
  await redis.cli('del', 'frontend:a.test', 'route:a.test');
  expect((await byStore('apply', file)).code).toBe(0);
  expect(await redis.cli('hget', 'route:a.test', 'retries')).toBe('2');
  expect((await byApi('export', '--json')).stdout).toMatch(/"cjsProxy": 1/);
});

it('names everything that is wrong with a document, and writes nothing of it', async () => {
  const file = write('wrong.yaml', 'cjsProxy: 1\nroutes:\n  a.test: {strategy: BEST}\n  b.test: {strategy: RANDOM, retrys: 1}\n');
  const { code, stderr } = await byApi('apply', file);
  expect(code).toBe(1);
  expect(stderr).toContain('routes.a.test.strategy');
  expect(stderr).toContain('the nearest known one is retries');
  expect(await redis.cli('dbsize')).toBe('0');
  expect(await byApi('plan', join(folder, 'none.yaml'))).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') });
  expect(await byApi('plan', write('list.yaml', '- a\n'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is no document'),
  });
});

it('imports the Redis of a Hipache and PlanB as it stands', async () => {
  const old = await startRedis();
  try {
    const { cert, key } = selfSigned('www.old.test');
    await old.cli('rpush', 'frontend:www.old.test', 'site', 'http://10.0.0.1:3000', 'http://10.0.0.1:3000', 'junk junk');
    await old.cli('rpush', 'frontend:*.old.test', 'all', 'http://10.0.0.2:3000');
    await old.cli('set', 'frontend:broken.test', 'text');
    await old.cli('hset', 'tls:www.old.test', 'certificate', cert, 'key', key);
    await old.cli('hset', 'healthcheck:www.old.test', 'path', '/health');
    const { code, stderr, stdout } = await byApi('import', old.url);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('+ routes/www.old.test\n') });
    expect(stdout).not.toContain('PRIVATE KEY');
    expect(stderr).toContain('frontend:broken.test is not a list: it is left out\n');
    expect((await redis.cli('lrange', 'frontend:www.old.test', '0', '-1')).split('\n')).toHaveLength(3);
    expect(await redis.cli('hget', 'healthcheck:www.old.test', 'path')).toBe('/health');
    expect(await redis.cli('hget', 'tls:www.old.test', 'key')).toBe(key.trim());
    // A frontend of Hipache has no limits.
    expect(await redis.cli('hexists', 'route:www.old.test', 'reqActiveLength')).toBe('0');
    expect((await byApi('import', old.url)).stdout).toBe('nothing differs\n');
  } finally {
    await old.stop();
  }
});

it('imports proxima.json behind the patterns that are there, and hosts of nginx', async () => {
  await redis.cli('rpush', 'patterns', '{"hostname":"first.test","to":8001}');
  const proxima = write(
    'proxima.json',
    '{"listeners": [{"port": 80}], "routes": [{"hostname": "a.?.com", "to": {"port": 8090}}]}',
  );
  const imported = await byStore('import', proxima);
  expect(imported).toMatchObject({ code: 0, stderr: expect.stringContaining('warning: listeners is left out') });
  expect(await redis.cli('lrange', 'patterns', '0', '-1')).toBe(
    '{"hostname":"first.test","to":8001}\n{"hostname":"a.?.com","to":{"port":8090}}',
  );
  const nginx = write('hosts.conf', 'a.example 10.0.0.1:3000;\nb.example 10.0.0.2;\n');
  expect((await byStore('import', nginx, '--print')).stdout).toMatch(/^cjsProxy: 1\nroutes:\n {2}a\.example:\n/);
  expect((await byStore('import', nginx)).stdout).toContain('2 new, 0 changed, 0 removed\n');
  expect(await redis.cli('lindex', 'frontend:b.example', '1')).toMatch(/^http:\/\/10\.0\.0\.2:80/);
});
