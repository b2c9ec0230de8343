// A real Redis behind streams, asked by redis-cli and redis-benchmark: a connection each, and all over a few.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCheckedLoad } from '../helpers/checked-load.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedStreams, startStreams } from '../helpers/streams.js';

let redis: TestRedis;
const open: { close(): Promise<void> }[] = [];
const run = promisify(execFile);

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await redis.stop();
});

async function streamTo(stream: object): Promise<StartedStreams> {
  const started = await startStreams({ streams: [{ name: 'cache', targets: [`tcp://127.0.0.1:${redis.port}`], ...stream }] });
  open.push(started);
  return started;
}

/** What redis-cli prints. */
async function cli(port: number, ...args: readonly string[]): Promise<string> {
  return (await run('redis-cli', ['-p', String(port), ...args], { maxBuffer: 1 << 26 })).stdout.trimEnd();
}

/** Requests a second by test. It ends with an error when a reply is an error (`-e`). */
async function benchmark(port: number, ...args: readonly string[]): Promise<Map<string, number>> {
  const { stdout } = await run('redis-benchmark', ['-p', String(port), '-e', '--csv', ...args]);
  return new Map([...stdout.matchAll(/^"([^"]+)","([\d.]+)"/gm)].map(([, test = '', perSecond]) => [test, Number(perSecond)]));
}

async function infoOf(field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await redis.client.info())?.[1]);
}

/** Connections that Redis accepted since; the one that asks is not counted. */
async function connectionsSince(before: number): Promise<number> {
  return (await infoOf('total_connections_received')) - before;
}

describe('Redis behind a stream in proxy mode', () => {
  it('answers redis-cli as itself: transactions, scripts, values of megabytes, errors', async () => {
    const { port } = await streamTo({});
    expect(await cli(port(), 'set', 'a', '1')).toBe('OK');
    expect(await cli(port(), 'eval', "return redis.call('incr', KEYS[1])", '1', 'a')).toBe('2');
    expect(await cli(port(), 'nosuch')).toContain('ERR unknown command');
    const large = 'x'.repeat(3_000_000);
    await redis.client.set('large', large);
    expect(await cli(port(), 'get', 'large')).toBe(large);
    const child = spawn('redis-cli', ['-p', String(port())]);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdin.end('multi\nset b two\nget b\nexec\n');
    await once(child, 'close');
    expect(said.trim().split('\n')).toEqual(['OK', 'QUEUED', 'QUEUED', 'OK', 'two']);
  });

  it('passes on what Redis says by itself: messages to a subscriber', async () => {
    const { port } = await streamTo({});
    const child = spawn('redis-cli', ['-p', String(port()), 'subscribe', 'news']);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    try {
      await eventually('the subscription', () => said.includes('subscribe'));
      expect(await cli(port(), 'publish', 'news', 'something happened')).toBe('1');
      await eventually('the message', () => said.includes('something happened'));
    } finally {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
  });

  it('carries redis-benchmark -P 16, each of its clients over a connection of its own', async () => {
    const { port } = await streamTo({});
    await redis.client.ping();
    const before = await infoOf('total_connections_received');
    const figures = await benchmark(
      port(),
      '-P',
      '16',
      '-c',
      '50',
      '-n',
      '40000',
      '-r',
      '1000',
      '-d',
      '100',
      '-t',
      'set,get,incr,lpush,mset',
    );
    expect([...figures.keys()]).toEqual(['SET', 'GET', 'INCR', 'LPUSH', 'MSET (10 keys)']);
    for (const perSecond of figures.values()) expect(perSecond).toBeGreaterThan(1_000);
    // 50 a test, and those by which redis-benchmark asks for the configuration.
    expect(await connectionsSince(before)).toBeGreaterThanOrEqual(250);
    expect(await redis.client.llen('mylist')).toBe(40_000);
  });
});

describe('Redis behind a funnel with resp framing', () => {
  it.each([false, true])('answers redis-cli and redis-benchmark -P 16 over 4 connections (async: %s)', async (async) => {
    const { port } = await streamTo({ mode: 'funnel', framing: 'resp', connections: 4, async });
    await redis.client.ping();
    const before = await infoOf('total_connections_received');
    expect(await cli(port(), 'set', 'a', '1')).toBe('OK');
    expect(await cli(port(), '--raw', 'lrange', 'none', '0', '-1')).toBe('');
    expect(await cli(port(), 'nosuch')).toContain('ERR unknown command');
    const figures = await benchmark(
      port(),
      '-P',
      '16',
      '-c',
      '50',
      '-n',
      '20000',
      '-r',
      '1000',
      '-d',
      '100',
      '-t',
      'set,get,incr,lpush,mset',
    );
    expect([...figures.keys()]).toEqual(['SET', 'GET', 'INCR', 'LPUSH', 'MSET (10 keys)']);
    for (const perSecond of figures.values()) expect(perSecond).toBeGreaterThan(1_000);
    expect(await redis.client.llen('mylist')).toBe(20_000);
    expect(await connectionsSince(before)).toBe(4);
  });

  it.each([false, true])('gives 200 clients over 4 connections every reply whole and their own (async: %s)', async (async) => {
    const { port } = await streamTo({ mode: 'funnel', framing: 'resp', connections: 4, async });
    await redis.client.ping();
    const before = await infoOf('total_connections_received');
    const { replies, bytes, fewest } = await runCheckedLoad({ port: port(), clients: 200, milliseconds: 2_500 });
    expect(replies).toBeGreaterThan(2_000);
    expect(bytes).toBeGreaterThan(10_000_000);
    expect(fewest).toBeGreaterThan(0);
    expect(await connectionsSince(before)).toBe(4);
  });
});
