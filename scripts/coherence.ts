// `npm run coherence`: two nodes with two workers each follow a Redis in which 10,000 frontends change 200 times a second.
//
// npm run coherence -- [--minutes N]: begins when every worker has served each of them once, prints its seed and how long it took from a
// write to the last worker's first right answer; fails when an answer had been out of date for a second (two where the server refuses to
// tell changes), or a promise does not hold.
import { parseArgs } from 'node:util';
import { runCoherence } from '../test/helpers/coherence.js';
import { startEchoBackend } from '../test/helpers/keep-alive-load.js';
import { startRedis } from '../test/helpers/redis.js';
import { newSeed } from '../test/helpers/seeded.js';
import { type NodeProcess, startNode } from './node-process.js';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' } } });
const milliseconds = Number(values.minutes) * 60_000;
const seed = newSeed('coherence');

/** @returns what does not hold */
async function run(what: string, mostP99: number, bound: number, account: string): Promise<string[]> {
  const redis = await startRedis();
  const backend = await startEchoBackend();
  const nodes: NodeProcess[] = [];
  try {
    await redis.client.call('ACL', 'SETUSER', 'polled', 'reset', 'on', '>pw', '~*', '&*', '+@all', '-client|tracking');
    const driver = `redis://${account}127.0.0.1:${redis.port}`;
    const server = { workers: 2, debugHeaders: 'everyone', accessLog: 'none', drainTimeout: 5 };
    for (let at = 0; at < 2; at += 1) nodes.push(await startNode({ driver, server }));
    const result = await runCoherence({
      // The supervisor deals connections out in turn: each of two workers has two of four.
      ...{ redis: redis.client, ports: nodes.map(({ port }) => port), connections: 4, backend: backend.url, bound },
      ...{ frontends: 10_000, changes: 200, milliseconds, seed, warm: true },
    });
    const { writes, reads, followed, p50, p99, longest, stall, wrong } = result;
    process.stdout.write(
      `${what}: ${writes} writes, ${reads} reads; the last worker's first right answer to ${followed} of them p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ` +
        `(at most ${mostP99}), longest ${longest.toFixed(1)} ms; the observer was late by up to ${stall.toFixed(1)} ms; ${wrong.length} wrong answers\n`,
    );
    return [...wrong.slice(0, 10), ...(p99 > mostP99 ? [`${what}: p99 is ${p99.toFixed(1)} ms`] : [])];
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await backend.close();
    await redis.stop();
  }
}

const faults = [...(await run('told by Redis', 20, 1_000, '')), ...(await run('polled for', 1_500, 2_000, 'polled:pw@'))];
for (const fault of faults) process.stderr.write(`DOES NOT HOLD: ${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
