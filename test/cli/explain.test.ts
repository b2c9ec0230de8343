// `cjs-proxy explain`: what a person is told about where a request goes.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from '../helpers/management.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import type { Ended } from '../helpers/run-cli.js';
import { runMain } from '../helpers/run-main.js';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
  await redis.cli('rpush', 'frontend:example.com', 'site', 'http://10.0.0.1:80#id=one', 'http://10.0.0.2:80#id=two&weight=3');
  await redis.cli('rpush', 'frontend:*.example.com/api', 'api', 'http://10.0.0.3:80');
  const policy = [
    'strategy',
    'IP_HASH',
    'retries',
    'many',
    'deny',
    '192.0.2.7',
    'headers',
    '{"X-Key": "s3cret"}',
    'reqQueueLength',
    '100',
  ];
  await redis.cli('hset', 'route:example.com', ...policy);
  await redis.cli('hset', 'health:example.com', 'two', '{"manual": true}');
  await redis.cli('rpush', 'frontend:closed.test', 'closed', 'http://10.0.0.1:80');
  await redis.cli('hset', 'route:closed.test', 'alow', '10.0.0.0/8');
});

afterAll(() => redis.stop());

/** In this process: that the command is one, other tests show. */
function explain(...words: string[]): Promise<Ended> {
  return runMain(['explain', ...words]);
}

async function document(url: string, ...words: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await explain(url, '--driver', redis.url, '--json', ...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

it('names a wrong field with its value and what is allowed', async () => {
  const { faults } = await document('http://example.com/');
  expect(faults).toEqual(['route:example.com: retries is "many"; allowed: a whole number from 0 to 100']);
});

it('tells how backends stand, and shows what differs from the defaults, but no secret', async () => {
  const told = await document('http://example.com/page');
  expect(told).toMatchObject({ frontend: 'example.com', identifier: 'site', pattern: '' });
  expect(told.tried).toEqual([{ name: 'example.com', found: 'list' }]);
  expect(told.backends).toMatchObject([
    { id: 'one', standing: 'alive', weight: 1 },
    { id: 'two', standing: 'maintenance', weight: 3 },
  ]);
  expect(told.policy).toEqual({ strategy: 'IP_HASH', deny: '192.0.2.7', headers: 'CENSORED' });
});

it('follows the look-up over names that nobody has, to a prefix of a wildcard', async () => {
  const { tried, frontend } = await document('https://a.example.com:8443/API/x');
  expect(frontend).toBe('*.example.com/api');
  expect(tried).toContainEqual({ name: 'a.example.com:8443', found: 'nothing' });
  expect((tried as { name: string }[]).at(-1)).toEqual({ name: '*.example.com/api', found: 'list' });
});

it('says who is refused, and who is not', async () => {
  expect((await document('http://example.com/', '--from', '192.0.2.7')).steps).toEqual(['403 address-denied: 192.0.2.7']);
  expect((await document('http://example.com/', '--from', '192.0.2.8')).steps).toEqual(['goes to one, by IP_HASH']);
});

it('says why a frontend is closed, and that nobody serves a host', async () => {
  expect((await document('http://closed.test/')).steps).toEqual([
    '502 bad-frontend-record: route:closed.test: alow is not a known field; the nearest known one is allow',
  ]);
  expect((await document('http://nobody.test/')).steps).toEqual(['400 unknown-frontend: nobody serves this host and path']);
});

it('takes the host from a header', async () => {
  expect(await document('http://127.0.0.1/', '--header', 'Host: example.com')).toMatchObject({ frontend: 'example.com' });
});

it.each([
  [['http://'], '"http://" is no URL; write it as http://example.com/path'],
  [['http://a.test/', '--header', 'X-Group'], '"X-Group" is no header; write it as \'Name: value\''],
])('refuses %j', async (words, text) => {
  expect(await explain(...words, '--driver', redis.url)).toEqual({ code: 2, stdout: '', stderr: `cjs-proxy: ${text}\n` });
});

it('says that the store cannot be asked', async () => {
  const { code, stderr } = await explain('http://a.test/', '--driver', 'redis://:s3cret@127.0.0.1:1');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^cjs-proxy: redis:\/\/:CENSORED@127\.0\.0\.1:1 cannot be asked: .+\n$/);
});

it('asks the management API where no store is named', async () => {
  const api = await startApi(redis.url);
  const words = ['http://example.com/', '--from', '192.0.2.7', '--header', 'X-One: 1', '--header', 'X-Two: 2'];
  try {
    const { code, stdout } = await explain(...words, '--api', api.url);
    expect({ code, stdout }).toEqual(
      await explain(...words, '--driver', redis.url).then((ended) => ({ code: 0, stdout: ended.stdout })),
    );
    expect(stdout).toContain('403 address-denied: 192.0.2.7');
  } finally {
    await api.close();
  }
});
