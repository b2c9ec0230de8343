// `npm run soak:funnel`: many clients over few connections to a real Redis, through a funnel, with every byte of every reply checked.
//   node --import tsx scripts/soak-funnel.ts [seconds a mode: 60] [clients: 200] [connections: 4]
import { runCheckedLoad } from '../test/helpers/checked-load.js';
import { startRedis, type TestRedis } from '../test/helpers/redis.js';
import { startStreams } from '../test/helpers/streams.js';

const [seconds = 60, clients = 200, connections = 4] = process.argv.slice(2).map(Number);

async function soak(redis: TestRedis, async: boolean): Promise<void> {
  const accepted = async (): Promise<number> =>
    Number(/^total_connections_received:(\d+)/m.exec(await redis.client.info('stats'))?.[1]);
  await redis.client.flushall();
  const targets = [`tcp://127.0.0.1:${redis.port}`];
  const started = await startStreams({
    streams: [{ name: 'soak', mode: 'funnel', framing: 'resp', connections, async, targets }],
  });
  try {
    const before = await accepted();
    const load = await runCheckedLoad({ port: started.port(), clients, milliseconds: seconds * 1000 });
    const used = (await accepted()) - before;
    const result = {
      async,
      seconds,
      clients,
      connections: used,
      ...load,
      rssMiB: Math.round(process.memoryUsage.rss() / (1 << 20)),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (load.fewest === 0) throw new Error('a client was never answered');
    if (used !== Math.min(connections, clients)) throw new Error(`${used} connections were opened instead of ${connections}`);
    const warned = started.lines.filter(({ level }) => level === 'warn' || level === 'error');
    if (warned.length > 0) throw new Error(`the proxy complained: ${warned[0]?.msg}`);
  } finally {
    await started.close();
  }
}

const redis = await startRedis();
try {
  for (const async of [false, true]) await soak(redis, async);
  process.stdout.write('Every reply was whole and given to the client that asked.\n');
} catch (error) {
  process.stderr.write(`soak-funnel: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await redis.stop();
}
