// Commands for what the fleet serves, by the API and by the store itself: the same words do the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
  folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-cli-'));
});

afterAll(async () => {
  await api.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

describe.each([
  ['the API', () => ['--api', api.url]],
  ['the store', () => ['--driver', redis.url]],
])('by %s', (_who, place) => {
  const run = (...words: string[]): Promise<Ended> => runMain([...words, ...place()]);
  /** What a command prints that is done without a word of warning. */
  const printed = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };

  beforeEach(() => redis.cli('flushall'));

  it('makes a frontend, shows it as a table and as JSON, changes and removes it', async () => {
    const backends = ['http://10.0.0.1:3000', 'https://10.0.0.2#id=two&weight=3', 'h2c://10.0.0.3:50051#id=rpc'];
    expect(await printed('frontend', 'add', 'example.com', ...backends, '--set', 'tier=premium')).toBe(
      'added example.com with 3 backends\n',
    );
    expect(await redis.cli('lrange', 'frontend:example.com', '0', '-1')).toMatch(/^example\.com\nhttp:\/\/10\.0\.0\.1:3000\S*\n/);
    expect(await printed('frontend', 'ls')).toBe(
      'FRONTEND     NAME         BACKENDS  DEAD  STRATEGY  TIER     TLS  FAULTS\n' +
        'example.com  example.com         3        RANDOM    premium\n',
    );
    expect(await printed('frontend', 'set', 'example.com', 'retries=3', 'headers={"X-Team": "shop"}', 'tier=')).toBe(
      'changed retries, headers, tier of example.com\n',
    );
    expect(await printed('frontend', 'show', 'example.com')).toBe(
      [
        'frontend  example.com',
        'name      example.com',
        'strategy  RANDOM',
        'headers   {"X-Team":"shop"}',
        'retries   3',
        '',
        'BACKEND        ADDRESS               STATE  WEIGHT  GROUP',
        '10.0.0.1:3000  10.0.0.1:3000         alive  1',
        'two            https://10.0.0.2:443  alive  3',
        'rpc            h2c://10.0.0.3:50051  alive  1',
        '',
      ].join('\n'),
    );
    const [told] = JSON.parse(await printed('frontend', 'ls', 'example', '--json')) as [Record<string, unknown>];
    expect(told).toMatchObject({
      vHost: 'example.com',
      retries: 3,
      backends: [{ id: '10.0.0.1:3000' }, { id: 'two' }, { id: 'rpc', protocol: 'h2c' }],
    });
    expect(await printed('frontend', 'rm', 'example.com')).toBe('removed example.com\n');
    expect(await redis.cli('exists', 'frontend:example.com', 'route:example.com')).toBe('0');
  });

  it('adds, takes out, drains, gives back and removes backends, named by id or address', async () => {
    await redis.cli('rpush', 'frontend:example.com', 'site', 'http://10.0.0.1:3000', 'http://10.0.0.3:80');
    expect(await printed('backend', 'add', 'example.com', '10.0.0.2:3000')).toBe('added 10.0.0.2:3000 to example.com\n');
    await printed('backend', 'dead', 'example.com', '10.0.0.2:3000');
    await printed('backend', 'drain', 'example.com', 'http://10.0.0.3:80');
    const states = async () => (await printed('backend', 'ls', 'example.com')).split('\n').map((line) => line.split(/ {2,}/)[2]);
    expect(await states()).toEqual(['STATE', 'alive', 'draining', 'maintenance', undefined]);
    await printed('backend', 'alive', 'example.com', '10.0.0.2:3000');
    await printed('backend', 'alive', 'example.com', '10.0.0.3:80');
    expect(await states()).toEqual(['STATE', 'alive', 'alive', 'alive', undefined]);
    expect(await printed('backend', 'rm', 'example.com', '10.0.0.3:80', '--json')).toBe('{"removed":"http://10.0.0.3:80"}\n');
    await redis.cli('rpush', 'frontend:example.com', 'http://10.0.0.1:3000');
    expect((await run('backend', 'rm', 'example.com', '10.0.0.1:3000')).stderr).toBe(
      'cjs-proxy: 10.0.0.1:3000 is the address of several backends; say which: http://10.0.0.1:3000, http://10.0.0.1:3000~2\n',
    );
    expect((await run('backend', 'dead', 'example.com', '10.9.9.9')).stderr).toBe(
      'cjs-proxy: example.com has no backend 10.9.9.9; it has http://10.0.0.1:3000, 10.0.0.2:3000, http://10.0.0.1:3000~2\n',
    );
  });

  it('stores a certificate, lists it with its end, and removes it; the key is shown nowhere', async () => {
    const { cert, key } = selfSigned('www.example.com');
    const files = [join(folder, 'site.pem'), join(folder, 'site.key')] as const;
    writeFileSync(files[0], cert);
    writeFileSync(files[1], key);
    const words = ['cert', 'add', 'www.example.com', '--cert', files[0], '--key', files[1], '--json'];
    const secret = key.split('\n')[1] as string;
    const told = await printed(...words);
    expect(JSON.parse(told)).toMatchObject({ domain: 'www.example.com', keyType: expect.any(String) });
    const listed = await printed('cert', 'ls');
    expect(listed).toMatch(/^DOMAIN +NAMES +KEY +EXPIRES +STATE\nwww\.example\.com .* \d{4}-\d\d-\d\d {2}good\n$/);
    expect(told + listed).not.toContain(secret);
    expect(await redis.cli('hget', 'tls:www.example.com', 'certificate')).toBe(cert.trim());
    expect(await printed('cert', 'rm', 'www.example.com')).toBe('removed the certificate of www.example.com\n');
    expect(await run('cert', 'add', 'a.test', '--cert', files[1], '--key', files[0])).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^cjs-proxy: (cert|key) holds no /),
    });
  });

  it('makes a tier, lists and removes it', async () => {
    const words = ['--points', '1000', '--duration', '60', '--scope', 'frontend', '--set', 'cost={"POST": 5}'];
    expect(await printed('tier', 'set', 'shop', ...words)).toBe('tier shop: 1000 points in 60 s\n');
    expect(await redis.cli('hget', 'tier:shop', 'cost')).toBe('{"POST":5}');
    expect(await printed('tier', 'ls')).toBe('TIER  POINTS  SECONDS  BURST  SCOPE\nshop    1000       60         frontend\n');
    expect((await run('tier', 'set', 'shop', '--points', 'many')).stderr).toMatch(/^cjs-proxy: points /);
    expect(await printed('tier', 'rm', 'shop')).toBe('removed the tier shop\n');
    expect(await run('tier', 'rm', 'shop')).toMatchObject({ code: 1, stderr: 'cjs-proxy: Tier not found\n' });
  });

  it('says what is odd about what it has done, and what is wrong with what it has not', async () => {
    const { code, stdout, stderr } = await run('frontend', 'add', 'a.test', '10.0.0.1:80', '--set', 'tier=nobody');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'added a.test with 1 backend\n' });
    expect(stderr).toBe('warning: there is no tier nobody: the numbers of anonymous are in force\n');
    expect(await run('frontend', 'add', 'a.test')).toMatchObject({
      code: 1,
      stderr: 'cjs-proxy: there is a frontend a.test already: change it by `frontend set` and `backend add`, or remove it\n',
    });
    expect(await run('frontend', 'add', 'bad host')).toMatchObject({ code: 1, stderr: expect.stringContaining('"bad host"') });
    expect(await run('frontend', 'set', 'a.test', 'retrys=3')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the nearest known one is retries'),
    });
    expect(await run('frontend', 'add', 'b.test', 'ftp://10.0.0.1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has the scheme ftp; write http, https'),
    });
    expect(await run('frontend', 'show', 'none.test')).toMatchObject({
      code: 1,
      stderr: 'cjs-proxy: there is no frontend none.test\n',
    });
  });

  it('finds what is wrong with records, says how to mend it, and ends with 3', async () => {
    await redis.cli('rpush', 'frontend:no-name.test', 'http://10.0.0.1:80', 'http://10.0.0.2:80');
    await redis.cli('rpush', 'frontend:Upper.test', 'upper', 'http://10.0.0.1:80');
    await redis.cli('rpush', 'frontend:junk.test', 'junk', 'http://10.0.0.1:80', 'ftp://10.0.0.1');
    await redis.cli('hset', 'route:junk.test', 'retries', 'many');
    await redis.cli('set', 'frontend:text.test', 'no list');
    await redis.cli('hset', 'route:gone.test', 'retries', '1');
    await redis.cli('hset', 'tls:half.test', 'certificate', 'x');
    await redis.cli('set', 'member:ip:10.0.0.1', 'nobody');
    await redis.cli('sadd', 'blocklist:smtp', '10.0.0.0/8', 'everybody');
    await redis.cli('rpush', 'fronted:shop.test', 'shop', 'http://10.0.0.1:80');
    await redis.cli('set', 'session:of-another-program', '1');
    await redis.cli('hset', 'stream:smtp', 'maxConection', '5', 'retries', '2');
    const { code, stdout } = await run('lint', '--json');
    expect(code).toBe(3);
    const { findings } = JSON.parse(stdout) as { findings: { key: string; level: string; text: string; mend: string }[] };
    const told = findings.map(({ key, level, mend }) => [key, level, mend]).sort();
    expect(told).toEqual(
      [
        ['blocklist:smtp', 'error', 'redis-cli srem blocklist:smtp everybody'],
        ['fronted:shop.test', 'warning', 'redis-cli renamenx fronted:shop.test frontend:shop.test'],
        ['frontend:Upper.test', 'error', 'redis-cli rename frontend:Upper.test frontend:upper.test'],
        ['frontend:junk.test', 'error', 'redis-cli lrem frontend:junk.test 1 ftp://10.0.0.1'],
        ['frontend:no-name.test', 'error', 'redis-cli lpush frontend:no-name.test NAME'],
        ['frontend:text.test', 'error', 'redis-cli del frontend:text.test, then write it as a list: a name, then backends'],
        ['member:ip:10.0.0.1', 'error', 'cjs-proxy tier set nobody --points NUMBER'],
        ['route:gone.test', 'warning', 'redis-cli del route:gone.test'],
        ['route:junk.test', 'error', 'redis-cli hdel route:junk.test retries'],
        ['stream:smtp', 'error', 'redis-cli hdel stream:smtp maxConection'],
        ['tls:half.test', 'error', 'cjs-proxy cert add half.test --cert FILE --key FILE'],
      ].sort(),
    );
    const texts = new Map(findings.map(({ key, text }) => [key, text]));
    expect(texts.get('fronted:shop.test')).toContain('the nearest known one is frontend');
    expect(texts.get('stream:smtp')).toContain('the nearest known one is maxConnections');
    await redis.cli('flushall');
    expect(await run('lint')).toMatchObject({ code: 0, stdout: '' });
  });
});
