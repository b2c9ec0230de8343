// A real Redis Cluster of six nodes: three primaries, each with a replica.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { startRedis, type TestRedis } from './redis.js';

export interface TestRedisCluster {
  /** `redis+cluster://…`, naming two of the nodes. */
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  /** Runs a command with `redis-cli -c`, as a person would. */
  cli(...args: string[]): Promise<string>;
  /** The node that serves a key now. */
  ownerOf(key: string): Promise<TestRedis>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** Resolves when the cluster serves all slots and each primary has its replica. */
export async function startRedisCluster(): Promise<TestRedisCluster> {
  const args = (bus: number) => ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', String(bus)];
  const nodes: TestRedis[] = [];
  for (let at = 0; at < 6; at++) nodes.push(await startRedis({ args: args(await freePort()) }));
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...places, '--cluster-replicas', '1', '--cluster-yes']);
  await eventually(
    'the cluster to be whole',
    async () => {
      for (const node of nodes) {
        if (!(await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok')) return false;
        const replication = await node.cli('INFO', 'replication');
        if (!replication.includes('connected_slaves:1') && !replication.includes('master_link_status:up')) return false;
      }
      return true;
    },
    20_000,
  );
  const alive = async (): Promise<TestRedis> => nodes[1]!;
  const cli = async (...command: string[]): Promise<string> =>
    (await run('redis-cli', ['-c', '-p', String((await alive()).port), ...command])).stdout.trim();
  return {
    url: `redis+cluster://${places[0]},${places[1]}`,
    nodes,
    cli,
    ownerOf: async (key) => {
      const slot = Number(await cli('CLUSTER', 'KEYSLOT', key));
      const shards = await nodes[1]!.client.cluster('SLOTS');
      const range = shards.find(([from, to]) => Number(from) <= slot && slot <= Number(to));
      const port = Number((range?.[2] as [string, number] | undefined)?.[1]);
      const owner = nodes.find((node) => node.port === port);
      if (owner === undefined) throw new Error(`no node has the slot of ${key}`);
      return owner;
    },
    stop: async () => {
      for (const node of nodes) {
        node.resume();
        await node.stop();
      }
    },
  };
}
