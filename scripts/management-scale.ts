// `npm run management:scale -- [routes]`: the management API over a Redis with a million routes: how long a page takes, how much Redis is
// asked for it, what a search takes, and the memory of the process.
import { performance } from 'node:perf_hooks';
import { startApi } from '../test/helpers/management.js';
import { startRedis } from '../test/helpers/redis.js';

const routes = Number(process.argv[2] ?? 1_000_000);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mebibytes = (): number => Math.round(process.memoryUsage.rss() / 1024 / 1024);

const redis = await startRedis();
let begun = performance.now();
const chunk = 50_000;
for (let from = 0; from < routes; from += chunk) {
  const to = Math.min(routes, from + chunk) - 1;
  const script = `for at = ${from}, ${to} do redis.call('RPUSH', 'frontend:site-' .. at .. '.example.com', 'site', 'http://10.0.0.1:80') end`;
  await redis.client.eval(script, 0);
}
say(`${routes} routes written in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
const api = await startApi(redis.url);
const before = mebibytes();
let most = before;

/** Milliseconds, and the SCANs that Redis was asked for. */
async function measured(path: string): Promise<{ ms: number; scans: number; names: number; cursor: string }> {
  const scans = await scansSoFar();
  const from = performance.now();
  const { status, body, headers } = await api.call('GET', path);
  const ms = performance.now() - from;
  if (status !== 200) throw new Error(`${path} was answered ${status}`);
  most = Math.max(most, mebibytes());
  return { ms, scans: (await scansSoFar()) - scans, names: body.length, cursor: headers.get('x-next-cursor') ?? '' };
}

async function scansSoFar(): Promise<number> {
  return Number(/cmdstat_scan:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
}

function summary(values: readonly number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number).toFixed(1);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}`;
}

begun = performance.now();
const times: number[] = [];
const scans: number[] = [];
let names = 0;
let cursor = '';
do {
  const page = await measured(`/routes?limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
  times.push(page.ms);
  scans.push(page.scans);
  names += page.names;
  cursor = page.cursor;
} while (cursor !== '' && performance.now() - begun < 60_000);
say(`${times.length} pages of 1000 with ${names} routes, ${cursor === '' ? 'all of them' : 'as many as a minute holds'}`);
say(`  a page, ms: ${summary(times)}; SCANs of Redis for it: ${summary(scans)}`);

for (const search of [`site-${routes - 1}.`, 'nobody-has-this']) {
  const turns: number[] = [];
  let found = 0;
  let next = '';
  const from = performance.now();
  do {
    const page = await measured(`/routes?search=${search}&limit=100${next === '' ? '' : `&cursor=${encodeURIComponent(next)}`}`);
    turns.push(page.ms);
    found += page.names;
    next = page.cursor;
  } while (next !== '');
  say(
    `a search for "${search}": ${found} found in ${(performance.now() - from).toFixed(0)} ms and ${turns.length} pages, the longest ${summary(turns)} ms`,
  );
}
say(`memory: ${before} MiB before, ${most} MiB at most`);
await api.close();
await redis.stop();
