// `npm run soak`: a proxy with a real Redis, honest clients at 1,000 requests a second, and among them 5 % that are not. It fails when an honest
// answer is missing or wrong, or when the memory of the proxy does not stay within 10 % once it is warm.
//   npm run soak -- [--minutes 15] [--rate 1000] [--seed N]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { requestTexts } from '../test/fuzz/http-texts.js';
import { eventually, pause } from '../test/helpers/eventually.js';
import { freePort } from '../test/helpers/free-port.js';
import { KeepAliveLoad, startEchoBackend } from '../test/helpers/keep-alive-load.js';
import { startRedis } from '../test/helpers/redis.js';
import { seeded } from '../test/helpers/seeded.js';

const { values } = parseArgs({ options: { minutes: { type: 'string' }, rate: { type: 'string' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes ?? 15);
const rate = Number(values.rate ?? 1_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 0x7fff_ffff));
const hostileShare = 0.05;
/** This part of the time is for warming up: code is compiled, buffers and caches find their size. */
const warming = 0.2;
const mostGrowth = 1.1;
/** Milliseconds after which a hostile client goes, if the proxy has not closed before. */
const patience = 5_000;

const random = seeded(seed);
const texts = fc.sample(requestTexts, { seed, numRuns: 3_000 });
const anyText = (): string => texts[Math.floor(random() * texts.length)] as string;

/** What a hostile client sends, and whether it reads. */
const attacks: readonly (() => { readonly pieces: readonly string[]; readonly reads: boolean })[] = [
  () => ({ pieces: [anyText(), anyText(), anyText()], reads: true }),
  // A head, or a body, that never ends.
  () => ({ pieces: ['GET / HTTP/1.1\r\n', 'Host: soak\r\n', 'X: '], reads: true }),
  () => ({ pieces: ['POST /10/1 HTTP/1.1\r\nHost: soak\r\nContent-Length: 100000\r\n\r\n', 'abc'], reads: true }),
  // An answer that nobody takes, and many requests at once.
  () => ({ pieces: ['GET /1000000/1 HTTP/1.1\r\nHost: soak\r\n\r\n'.repeat(3)], reads: false }),
  () => ({ pieces: ['GET /100/1 HTTP/1.1\r\nHost: soak\r\n\r\n'.repeat(200)], reads: false }),
  // Hosts that nobody serves.
  () => ({ pieces: [`GET / HTTP/1.1\r\nHost: h${Math.floor(random() * 5_000)}.example\r\n\r\n`], reads: true }),
];

let attacked = 0;
function attack(port: number): void {
  const { pieces, reads } = (attacks[attacked++ % attacks.length] as (typeof attacks)[number])();
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  if (reads) socket.resume();
  for (const piece of pieces) socket.write(piece, 'latin1');
  const timer = setTimeout(() => (attacked % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()), patience);
  socket.on('close', () => clearTimeout(timer));
}

/** Mebibytes that a process holds. */
const rssOf = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-soak-'));
const redis = await startRedis();
const backend = await startEchoBackend();
const port = await freePort();
const config = join(folder, 'config.json');
writeFileSync(
  config,
  JSON.stringify({
    driver: redis.url,
    http: { bind: ['127.0.0.1'], port },
    server: { workers: 0, accessLog: join(folder, 'access.log'), headTimeout: 3, bodyTimeout: 3, idleTimeout: 30 },
    user: 'root',
  }),
);
await redis.client.rpush('frontend:soak', 'soak', backend.url);
const program = fileURLToPath(new URL('../dist/bin/cjs-proxy.js', import.meta.url));
const proxy = spawn(process.execPath, [program, '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
let said = '';
proxy.stderr.setEncoding('utf8').on('data', (text: string) => {
  said += text;
});
const pid = proxy.pid ?? 0;
try {
  await eventually('the proxy to serve', () => said.includes('Serving http'), 30_000);
  process.stdout.write(`soak: ${minutes} minutes, ${rate} requests a second, seed ${seed}\n`);
  const load = new KeepAliveLoad({ port, host: 'soak', clients: 50, rate: rate * (1 - hostileShare) });
  const begun = performance.now();
  const length = minutes * 60_000;
  const sizes: number[] = [];
  let told = 0;
  for (let passed = 0; passed < length; passed = performance.now() - begun) {
    // As many as are due by now: a busy machine makes this loop late.
    while (attacked < (passed / 1000) * rate * hostileShare) attack(port);
    if (sizes.length < passed / 1000) sizes.push(rssOf(pid));
    if (passed >= told * 60_000)
      process.stdout.write(
        `${told++} min: ${load.answered} answered, ${load.failures.length} failed, ${rssOf(pid).toFixed(0)} MiB\n`,
      );
    await pause(10);
  }
  await load.stop();
  const warm = sizes.slice(Math.floor(sizes.length * warming));
  const first = median(warm.slice(0, Math.ceil(warm.length / 4)));
  const last = median(warm.slice(-Math.ceil(warm.length / 4)));
  const result = {
    seed,
    minutes,
    answered: load.answered,
    /** Requests a second that there were, all together. */
    rate: Math.round(((load.answered + attacked) * 1000) / length),
    attacked,
    failed: load.failures.length,
    firstMiB: Math.round(first),
    lastMiB: Math.round(last),
    growth: Number((last / first).toFixed(3)),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.rate < 0.9 * rate)
    throw new Error(`there were ${result.rate} requests a second: the machine is too busy, or the proxy too slow`);
  if (load.failures.length > 0) throw new Error(`an honest client was failed: ${load.failures[0]?.reason}`);
  if (last > first * mostGrowth) throw new Error(`the memory grew from ${first.toFixed(0)} to ${last.toFixed(0)} MiB`);
  if (proxy.exitCode !== null) throw new Error('the proxy has ended');
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).message}\n${said.slice(-2_000)}\n`);
  process.exitCode = 1;
} finally {
  proxy.kill('SIGKILL');
  await backend.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
}
