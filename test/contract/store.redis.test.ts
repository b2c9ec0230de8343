// The Redis store: the contract over every way to reach a server, what it writes, and how it starts.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { StartError } from '../../src/errors/start-error.js';
import { parseBackends } from '../../src/model/parse-backends.js';
import { RedisStore } from '../../src/store/redis-store.js';
import type { StoreListener } from '../../src/store/store.js';
import { compiledProgram } from '../helpers/compiled.js';
import { freePort } from '../helpers/free-port.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { storeContract } from './store.contract.js';

const run = promisify(execFile);
const nobody: StoreListener = { changed: () => undefined, everythingChanged: () => undefined };
let redis: TestRedis;
let logged: string[] = [];

beforeAll(async () => {
  redis = await startRedis({ args: ['--unixsocket', 'DIR/redis.sock'] });
});

afterAll(async () => {
  await redis.stop();
});

beforeEach(async () => {
  logged = [];
  await redis.client.flushall();
});

function storeAt(readUrl: string, writeUrl = readUrl): RedisStore {
  const read = parseDriverUrl(readUrl);
  const write = writeUrl === readUrl ? read : parseDriverUrl(writeUrl);
  if (read.kind !== 'redis' || write.kind !== 'redis') throw new Error('no Redis URL');
  return new RedisStore({ read, write, timeout: 1000, log: (level, text) => void logged.push(`${level}: ${text}`) });
}

/** A started store that is closed with the test. */
async function started(readUrl = redis.url, writeUrl = readUrl): Promise<RedisStore> {
  const store = storeAt(readUrl, writeUrl);
  onTestFinished(() => store.close());
  await store.start(nobody);
  return store;
}

/** Why a store did not start. */
async function startFailure(url: string): Promise<unknown> {
  const store = storeAt(url);
  onTestFinished(() => store.close());
  return store.start(nobody).then(
    () => null,
    (error: unknown) => error,
  );
}

/** An account for the proxy with what redis-errors names, and nothing else. */
async function createUser(name: string, ...rules: string[]): Promise<void> {
  await redis.client.call('ACL', 'SETUSER', name, 'reset', 'on', '>pass:w@rd', '&*', ...rules);
}

const proxyRules = [
  ...['~p:frontend:*', '~p:dead:*', '~p:health:*', '~p:route:*', '~p:lease:*', '~p:healthcheck:*', '~p:patterns'],
  ...[
    '~p:tls:*',
    '~p:tier:*',
    '~p:member:*',
    '~p:registered',
    '~p:premium',
    '~p:auth:*',
    '~p:stream:*',
    '~p:blocklist*',
    '~p:node:*',
    '~p:stats:*',
    '~p:revision',
  ],
  ...['~hchecker_ping', '-@all', '+@connection', '+multi', '+exec', '+scan', '+eval'],
  ...[
    '+lrange',
    '+set',
    '+smembers',
    '+hgetall',
    '+sscan',
    '+hscan',
    '+hget',
    '+hmget',
    '+pttl',
    '+get',
    '+del',
    '+rpush',
    '+sadd',
    '+hset',
    '+expire',
    '+pexpire',
    '+publish',
    '+subscribe',
    '+srem',
    '+hdel',
    '+persist',
  ],
];

storeContract('Redis by host and port', async () => storeAt(redis.url));
storeContract('Redis with a database and a prefix', async () => storeAt(`${redis.url}/3#p1:`));
storeContract('Redis by a unix socket', async () => storeAt(`redis+unix://${redis.dir}/redis.sock`));
storeContract('Redis with an account of few rights', async () => {
  await createUser('proxy', ...proxyRules);
  return storeAt(`redis://proxy:${encodeURIComponent('pass:w@rd')}@127.0.0.1:${redis.port}#p:`);
});
storeContract('Redis with a read side and a write side', async () => storeAt(redis.url, `redis://localhost:${redis.port}`));

describe('a Redis with a password', () => {
  let guarded: TestRedis;

  beforeAll(async () => {
    guarded = await startRedis({ args: ['--requirepass', 'se/cret'] });
  });

  afterAll(async () => {
    await guarded.stop();
  });

  it('is served with it, in the form of Hipache', async () => {
    const store = await started(`redis://:${encodeURIComponent('se/cret')}@127.0.0.1:${guarded.port}`);
    expect(store.state).toBe('live');
    await store.writeFrontend('example.com', 'id', []);
    expect((await store.readFrontends(['example.com']))[0]?.list).toEqual(['id']);
  });

  it.each([
    ['without one', '', 'asks for a password'],
    ['with a wrong one', ':wrong-one@', 'refuses the user or password'],
    ['with an unknown user', 'nobody:wrong-one@', 'refuses the user or password'],
  ])('ends the start %s, in one line without the password', async (_how, userinfo, text) => {
    const failure = await startFailure(`redis://${userinfo}127.0.0.1:${guarded.port}`);
    expect(failure).toBeInstanceOf(StartError);
    expect(String(failure)).toContain(text);
    expect(String(failure)).toContain(`127.0.0.1:${guarded.port}`);
    expect(String(failure)).not.toMatch(/wrong-one|\n/);
  });
});

describe('a Redis over TLS', () => {
  let guarded: TestRedis;
  let certificate: string;
  let tlsPort: number;

  beforeAll(async () => {
    const dir = redis.dir;
    certificate = join(dir, 'redis.crt');
    const key = join(dir, 'redis.key');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      certificate,
      ...subject,
    ]);
    tlsPort = await freePort();
    const tls = [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      certificate,
      '--tls-key-file',
      key,
      '--tls-auth-clients',
      'no',
    ];
    guarded = await startRedis({ args: tls });
  });

  afterAll(async () => {
    await guarded.stop();
  });

  /** Trust is a matter of the process: NODE_EXTRA_CA_CERTS is read when Node starts. */
  async function useStore(url: string, trusted: string): Promise<{ state?: string; list?: string[]; error?: string }> {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
    const { stdout } = await run(process.execPath, [compiledProgram('test/fixtures/use-store'), url], { env });
    return JSON.parse(stdout);
  }

  it('is served when its certificate is trusted', async () => {
    expect(await useStore(`rediss://localhost:${tlsPort}`, certificate)).toEqual({
      state: 'live',
      list: ['id', 'http://10.0.0.1:80'],
    });
  });

  it('ends the start when its certificate is not trusted, and says what to do', async () => {
    const failure = await startFailure(`rediss://localhost:${tlsPort}`);
    expect(failure).toBeInstanceOf(StartError);
    expect(String(failure)).toContain('NODE_EXTRA_CA_CERTS');
  });

  it('ends the start when its certificate is for another name', async () => {
    const { error } = await useStore(`rediss://127.0.0.1:${tlsPort}`, certificate);
    expect(error).toMatch(/^StartError: .*certificate for another name/);
  });

  it('ends the start when the port speaks something else', async () => {
    const plain = createServer((socket) => socket.on('error', () => undefined).end('220 mail.example.com\r\n'));
    onTestFinished(() => void plain.close());
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const failure = await startFailure(`rediss://127.0.0.1:${(plain.address() as AddressInfo).port}`);
    expect(failure).toBeInstanceOf(StartError);
    expect(String(failure)).toContain('does not speak TLS');
  });
});

describe('the start', () => {
  it('fails when the database does not exist, rather than using another one', async () => {
    const failure = await startFailure(`${redis.url}/99`);
    expect(failure).toBeInstanceOf(StartError);
    expect(String(failure)).toContain('no database of that number');
  });

  it('fails when the account may not read, and names what it needs', async () => {
    await createUser('blind', '-@all', '+@connection', '+multi', '+exec', '~*');
    const failure = await startFailure(`redis://blind:${encodeURIComponent('pass:w@rd')}@127.0.0.1:${redis.port}`);
    expect(failure).toBeInstanceOf(StartError);
    expect(String(failure)).toContain('+lrange');
  });

  it('succeeds when nobody listens, and goes on trying', async () => {
    const port = await freePort();
    const store = await started(`redis://127.0.0.1:${port}`);
    expect(store.state).toBe('away');
    await expect(store.readFrontends(['example.com'])).rejects.toThrow(`Redis at 127.0.0.1:${port} is away (ECONNREFUSED)`);
    const late = await startRedis({ port });
    onTestFinished(() => late.stop());
    await vi.waitFor(() => expect(store.state).toBe('live'), { interval: 5, timeout: 5000 });
    expect(logged).toEqual([
      expect.stringMatching(/^warn: .* is away: ECONNREFUSED/),
      expect.stringMatching(/^info: .* is back after \d+ s$/),
    ]);
  });

  it('takes no longer than the timeout when the server hangs', async () => {
    const hung = await startRedis();
    onTestFinished(() => hung.stop());
    hung.pause();
    const begin = performance.now();
    const store = await started(hung.url);
    expect(performance.now() - begin).toBeLessThan(5000);
    expect(store.state).toBe('away');
    hung.resume();
    await vi.waitFor(() => expect(store.state).toBe('live'), { interval: 5, timeout: 10_000 });
  });

  it('leaves no connection behind after close', async () => {
    const store = await started();
    const names = async () => (String(await redis.client.client('LIST')).match(/name=cjs-proxy-\w+/g) ?? []).sort();
    expect(await names()).toEqual(['name=cjs-proxy-read', 'name=cjs-proxy-tracking']);
    await store.close();
    await vi.waitFor(async () => expect(await names()).toEqual([]));
  });
});

describe('a dead mark in Redis', () => {
  const { backends } = parseBackends(['http://10.0.0.1:80', 'http://10.0.0.2:80#weight=2']);
  const mark = { host: 'a.example.com', frontend: '*.example.com', backend: backends[1]!, size: 2, ttl: 30, write: true };

  async function messages(work: (store: RedisStore) => Promise<void>): Promise<string[]> {
    const subscriber = redis.client.duplicate();
    onTestFinished(() => subscriber.disconnect());
    const heard: string[] = [];
    subscriber.on('message', (channel, message) => heard.push(`${channel} ${message}`));
    await subscriber.subscribe('dead', 'p1:dead', 'end');
    await work(await started(`${redis.url}#p1:`));
    await redis.client.publish('end', '');
    await vi.waitFor(() => expect(heard.at(-1)).toBe('end '));
    return heard.slice(0, -1);
  }

  it('is what Hipache and PlanB read, with the entry beside it, and is published unprefixed', async () => {
    const heard = await messages((store) => store.markDead(mark));
    expect(heard).toEqual(['dead a.example.com;http://10.0.0.2:80/;1;2']);
    expect((await redis.client.keys('*')).filter((key) => !key.includes('probe:')).sort()).toEqual([
      'p1:dead:*.example.com',
      'p1:dead:a.example.com',
      'p1:health:*.example.com',
      'p1:health:a.example.com',
    ]);
    for (const name of ['a.example.com', '*.example.com']) {
      expect(await redis.client.smembers(`p1:dead:${name}`)).toEqual(['1']);
      expect(await redis.client.ttl(`p1:dead:${name}`)).toBeGreaterThan(28);
      expect(await redis.client.ttl(`p1:health:${name}`)).toBeGreaterThan(28);
      const health = await redis.client.hgetall(`p1:health:${name}`);
      expect(Object.keys(health)).toEqual(['http://10.0.0.2:80#weight=2']);
      const { index, since, until } = JSON.parse(Object.values(health)[0]!);
      expect([index, until - since]).toEqual([1, 30_000]);
    }
  });

  it('is published only, where an active checker owns the marks', async () => {
    const heard = await messages((store) => store.markDead({ ...mark, write: false }));
    expect(heard).toEqual(['dead a.example.com;http://10.0.0.2:80/;1;2']);
    expect((await redis.client.keys('*')).filter((key) => !key.includes('probe:'))).toEqual([]);
  });

  it('that cannot be written is an error that says why', async () => {
    await redis.client.set('dead:a.example.com', 'a string');
    await expect((await started()).markDead(mark)).rejects.toThrow(
      /marking a backend of a.example.com dead in Redis failed: WRONGTYPE/,
    );
  });
});

describe('what others wrote', () => {
  it('is read as Hipache writes it', async () => {
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:3000');
    await redis.cli('sadd', 'dead:example.com', '0');
    await redis.cli('set', 'hchecker_ping', '1700000000');
    const store = await started();
    const [record] = await store.readFrontends(['example.com']);
    expect(record).toMatchObject({
      list: ['example', 'http://127.0.0.1:3000'],
      dead: ['0'],
      deadUntil: Number.POSITIVE_INFINITY,
    });
    expect(await store.readHcheckerPing()).toBe(1_700_000_000);
  });

  it('of the wrong type is a fault of that record alone', async () => {
    await redis.cli('set', 'frontend:bad.com', 'x');
    await redis.cli('set', 'dead:odd.com', 'x');
    await redis.cli('set', 'health:odd.com', 'x');
    await redis.cli('rpush', 'frontend:odd.com', 'id', 'http://127.0.0.1:1');
    await redis.cli('rpush', 'frontend:good.com', 'id', 'http://127.0.0.1:1');
    const store = await started();
    const read = async () => await store.readFrontends(['bad.com', 'good.com', 'odd.com']);
    expect(await read()).toMatchObject([
      { list: [], fault: 'frontend:bad.com is not a list' },
      { list: ['id', 'http://127.0.0.1:1'], fault: '' },
      { list: ['id', 'http://127.0.0.1:1'], fault: '', dead: [], marks: [] },
    ]);
    await read();
    expect(logged).toEqual([
      expect.stringContaining('dead:odd.com is not a set'),
      expect.stringContaining('health:odd.com is not a hash'),
    ]);
  });

  it('with a value of more than a megabyte is a fault of that record, whatever it is about', async () => {
    const long = 'x'.repeat((1 << 20) + 1);
    await redis.client.hset('tls:a.com', 'certificate', long, 'key', 'k');
    await redis.client.hset('tls:b.com', 'certificate', long.slice(1), 'key', 'k');
    await redis.client.sadd('blocklist', '10.0.0.1', long);
    await redis.client.rpush('patterns', '{}', long);
    const store = await started();
    const fault = 'has a value of more than 1 MiB';
    expect(await store.readRecord('tls', 'a.com')).toEqual({ values: [], fault: `tls:a.com ${fault}` });
    expect((await store.readRecord('tls', 'b.com')).values).toHaveLength(4);
    expect((await store.readRecord('blocklist', '')).fault).toBe(`blocklist ${fault}`);
    expect((await store.readRecord('patterns', '')).fault).toBe(`patterns ${fault}`);
  });

  it('as a health mark of maintenance needs no more than that, and does not expire with older marks (D.4 requirement 20)', async () => {
    const store = await started();
    const { backends } = parseBackends(['http://10.0.0.1:80', 'http://10.0.0.2:80#id=blue']);
    await store.markDead({ host: 'a.com', frontend: 'a.com', backend: backends[0]!, size: 2, ttl: 30, write: true });
    await redis.cli('hset', 'health:a.com', 'blue', '{"manual":true}');
    const [record] = await store.readFrontends(['a.com']);
    expect(record?.marks.find((mark) => mark.manual === true)).toMatchObject({ entry: 'blue', index: -1 });
    await vi.waitFor(async () => expect(await redis.client.ttl('health:a.com')).toBe(-1));
    await redis.cli('hset', 'health:a.com', 'http://10.0.0.1:80', '{"manual":true,"by":"me"}');
    const before = Date.now();
    await store.markDead({ host: 'a.com', frontend: 'a.com', backend: backends[0]!, size: 2, ttl: 30, write: true });
    expect(await redis.client.ttl('health:a.com')).toBe(-1);
    // Whoever made it by hand is spared the index and the moment, and keeps what else was written.
    const written = JSON.parse((await redis.client.hget('health:a.com', 'http://10.0.0.1:80')) ?? '');
    expect(written).toEqual({ manual: true, by: 'me', index: 0, since: expect.any(Number) });
    expect(written.since).toBeGreaterThanOrEqual(before);
  });

  it.each(['', '{', 'null', '1', '{}', '{"index":"0","until":1}', '{"index":0.5,"until":1}', '{"index":0,"until":"soon"}'])(
    'as a health mark of %j is no mark',
    async (json) => {
      await redis.client.sadd('dead:example.com', '0');
      await redis.client.hset('health:example.com', 'http://a:1', json);
      expect((await (await started()).readFrontends(['example.com']))[0]).toMatchObject({ dead: ['0'], marks: [] });
    },
  );

  it('as hchecker_ping of junk counts as none', async () => {
    const store = await started();
    await redis.client.set('hchecker_ping', 'junk');
    expect(await store.readHcheckerPing()).toBe(0);
  });

  it('as a list of 100,000 entries is read in part', async () => {
    const items = Array.from({ length: 100_000 }, (_, at) => `http://10.0.0.1:${at}`);
    for (let at = 0; at < items.length; at += 10_000)
      await redis.client.rpush('frontend:huge.com', ...items.slice(at, at + 10_000));
    expect((await (await started()).readFrontends(['huge.com']))[0]?.list).toHaveLength(4097);
  });

  it('as a lock of PlanB beside the dead set harms nothing', async () => {
    await redis.client.set('dead:example.com:http://10.0.0.1:80', 'planb-host', 'EX', 30);
    expect((await (await started()).readFrontends(['example.com', 'example.com:80']))[1]).toMatchObject({ dead: [], fault: '' });
  });
});

it('a server that does not answer any more is away, and its commands fail in time', async () => {
  const own = await startRedis();
  onTestFinished(() => own.stop());
  const store = await started(own.url);
  own.pause();
  const begin = performance.now();
  await expect(store.readFrontends(['example.com'])).rejects.toThrow(/Command timed out|no reply/);
  expect(performance.now() - begin).toBeLessThan(3000);
  await expect(store.readFrontends(['example.com'])).rejects.toThrow('is away');
  expect(store.state).toBe('away');
  own.resume();
  await vi.waitFor(() => expect(store.state).toBe('live'), { interval: 5, timeout: 10_000 });
});

it('the test program ends by itself: no timer or socket of a closed store keeps a process', async () => {
  const child = execFile(process.execPath, [compiledProgram('test/fixtures/use-store'), redis.url]);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});
