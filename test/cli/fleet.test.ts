// Commands that ask how the fleet is: nodes, statistics, the busiest frontends.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeHeartbeat } from '../../src/model/node.js';
import { statsVersion } from '../../src/model/node-stats.js';
import { NodeCounts } from '../../src/observe/node-counts.js';
import { RouteCounts } from '../../src/observe/route-counts.js';
import { Tally } from '../../src/observe/tally.js';
import { ToldCounts } from '../../src/observe/told-counts.js';
import { ourCommand } from '../helpers/compiled.js';
import { startApi, type TestApi } from '../helpers/management.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { runMain } from '../helpers/run-main.js';

let redis: TestRedis;
let api: TestApi;

const beat: NodeHeartbeat = {
  ...{ id: 'edge-1', boot: 'b', host: 'edge-1', addresses: ['http://10.0.0.1:80'], version: '0.1.0', pid: 1 },
  ...{ startedAt: Date.now() - 3_725_000, beatAt: Date.now(), phase: 'serving', workers: 2, revision: 0, staleness: 0 },
  ...{ active: 3, connections: 12 },
};

beforeAll(async () => {
  redis = await startRedis();
  api = await startApi(redis.url);
  await api.store.writeHeartbeat(beat, 600_000);
  await api.management.fleet.load();
  await redis.cli('rpush', 'frontend:busy.test', 'busy', 'http://10.0.0.9:80');
  const tally = new Tally();
  for (const [name, requests] of [
    ['idle.test', 1],
    ['busy.test', 1_500],
  ] as const) {
    const counts = tally.frontend(new RouteCounts(), name);
    counts.requests = requests;
    counts.latency.record(5);
  }
  const node = new NodeCounts();
  new ToldCounts([node.merged]).hear(1, tally.collect());
  const now = Date.now();
  await api.store.writeStats('edge-1', { version: statsVersion, boot: 'b', since: now, at: now }, node.takeChanged());
});

afterAll(async () => {
  await api.close();
  await redis.stop();
});

describe.each([
  ['the API', () => ['--api', api.url]],
  ['the store', () => ['--driver', redis.url]],
])('by %s', (_who, place) => {
  const printed = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runMain([...words, ...place()]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };

  it('lists nodes with what they do', async () => {
    expect((await printed('node', 'ls')).split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NODE', 'STATE', 'VERSION', 'UP', 'WORKERS', 'REVISION', 'ACTIVE', 'CLIENTS', 'ADDRESSES'],
      ['edge-1', 'serving', '0.1.0', '1h2m', '2', '0', '3', '12', 'http://10.0.0.1:80'],
      [''],
    ]);
    expect(JSON.parse(await printed('node', 'ls', '--json'))).toMatchObject([{ id: 'edge-1', phase: 'serving' }]);
  });

  it('takes a node out and gives it back', async () => {
    expect(await printed('node', 'drain', 'edge-1')).toBe('edge-1 is out until `node alive`\n');
    expect(await redis.cli('smembers', 'drained')).toBe('edge-1');
    expect(await printed('node', 'alive', 'edge-1')).toBe('edge-1 is given back\n');
    expect(await redis.cli('exists', 'drained')).toBe('0');
    expect(await runMain(['node', 'drain', 'edge-9', ...place()])).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: 'cjs-proxy: Node not found\n',
    });
  });

  it('adds up what was counted, and of one frontend', async () => {
    const all = await printed('stats');
    expect(all).toMatch(/^requests {2}1\.5k, /);
    expect(
      all
        .split('\n')
        .filter((line) => /\.test /.test(line))
        .map((line) => line.split(' ')[0]),
    ).toEqual(['busy.test', 'idle.test']);
    expect(await printed('stats', 'busy.test')).toMatch(/\nBACKEND +ATTEMPTS/);
    expect(JSON.parse(await printed('stats', '--json'))).toMatchObject({ requestsTotal: 1_501 });
  });

  it('shows the busiest frontends again and again', async () => {
    const pages = await printed('top', '--times', '2', '--every', '0.05', '--rows', '1');
    expect(pages.match(/^\d+ nodes? .*\n\nFRONTEND .*\nbusy\.test .* 1\.5k .*$/gm)).toHaveLength(2);
    expect(pages).not.toContain('idle.test');
  });
});

it('has a terminal to itself while it shows them, and gives it back', async () => {
  const [node, command] = ourCommand();
  const words = [node, command, 'top', '--times', '2', '--every', '0.05', '--api', api.url].map((word) => `'${word}'`).join(' ');
  const { stdout } = await promisify(execFile)('script', ['-qec', words, '/dev/null']);
  expect(stdout.startsWith('\x1b[?1049h')).toBe(true);
  expect(stdout.trimEnd().endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
  expect(stdout.match(/\x1b\[H\d+ nodes? /g)).toHaveLength(2);
});
