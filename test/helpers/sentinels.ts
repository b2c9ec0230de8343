// A primary, a replica and three sentinels that watch them, all real.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { startRedis, type TestRedis } from './redis.js';

export interface TestSentinels {
  /** `redis+sentinel://…/mymaster` */
  readonly url: string;
  readonly servers: readonly TestRedis[];
  /** The server that the sentinels call the primary now. */
  primary(): Promise<TestRedis>;
  /** Stops everything. */
  stop(): Promise<void>;
}

const quorum = 2;

/** Resolves when all sentinels know the primary, its replica and one another. */
export async function startSentinels({ downAfter = 300 } = {}): Promise<TestSentinels> {
  const first = await startRedis();
  const second = await startRedis({ args: ['--replicaof', '127.0.0.1', String(first.port)] });
  const servers = [first, second];
  const folder = await mkdtemp(join(tmpdir(), 'cjs-proxy-sentinels-'));
  const sentinels: { port: number; child: ChildProcess; client: Redis }[] = [];
  for (let at = 0; at < 3; at++) sentinels.push(await startSentinel(folder, first.port, downAfter));
  const ask = (client: Redis): Promise<string[] | null> =>
    client.call('SENTINEL', 'get-master-addr-by-name', 'mymaster') as Promise<string[] | null>;
  await eventually(
    'the sentinels to know one another and the replica',
    async () => {
      for (const { client } of sentinels) {
        const [others, replicas] = await Promise.all([
          client.call('SENTINEL', 'sentinels', 'mymaster') as Promise<unknown[]>,
          client.call('SENTINEL', 'replicas', 'mymaster') as Promise<unknown[]>,
        ]);
        if (others.length < 2 || replicas.length < 1) return false;
      }
      return (await second.cli('INFO', 'replication')).includes('master_link_status:up');
    },
    20_000,
  );
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join()}/mymaster`,
    servers,
    primary: async () => {
      const [, port] = (await ask(sentinels[0]!.client)) ?? [];
      return servers.find((server) => String(server.port) === port) ?? first;
    },
    stop: async () => {
      for (const { client, child } of sentinels) {
        client.disconnect();
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
      for (const server of servers) {
        server.resume();
        await server.stop();
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startSentinel(folder: string, primary: number, downAfter: number) {
  const port = await freePort();
  const file = join(folder, `${port}.conf`);
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor mymaster 127.0.0.1 ${primary} ${quorum}`,
      `sentinel down-after-milliseconds mymaster ${downAfter}`,
      'sentinel failover-timeout mymaster 5000',
      'sentinel parallel-syncs mymaster 1',
      '',
    ].join('\n'),
  );
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  const client = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  await client.connect().catch(() => undefined);
  await client.ping();
  return { port, child, client };
}
