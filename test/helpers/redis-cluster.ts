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
  /** The steps of a slot's move to another primary: it begins, the keys go over, everybody is told. */
  moveOf(key: string): Promise<SlotMove>;
  stop(): Promise<void>;
}

/** What `redis-cli --cluster reshard` does, one step after the other. */
export interface SlotMove {
  begin(): Promise<void>;
  moveKeys(): Promise<void>;
  end(): Promise<void>;
}

const run = promisify(execFile);

/**
 * Resolves when the cluster serves all slots and each primary has its replica.
 * @param nodeTimeout milliseconds after which a primary that does not reply is given up; a replica then takes its place
 */
export async function startRedisCluster({ nodeTimeout = 1000 } = {}): Promise<TestRedisCluster> {
  const args = (bus: number) => [
    ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeout), '--cluster-port', String(bus)],
  ];
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
  const ownerOf = async (key: string): Promise<TestRedis> => {
    const slot = await nodes[1]!.client.cluster('KEYSLOT', key);
    const shards = await nodes[1]!.client.cluster('SLOTS');
    const range = shards.find(([from, to]) => Number(from) <= slot && slot <= Number(to));
    const port = Number((range?.[2] as [string, number] | undefined)?.[1]);
    const owner = nodes.find((node) => node.port === port);
    if (owner === undefined) throw new Error(`no node has the slot of ${key}`);
    return owner;
  };
  return {
    url: `redis+cluster://${places[0]},${places[1]}`,
    nodes,
    cli,
    ownerOf,
    moveOf: async (key) => {
      const slot = await cli('CLUSTER', 'KEYSLOT', key);
      const from = await ownerOf(key);
      const primaries: TestRedis[] = [];
      for (const node of nodes) if ((await node.cli('ROLE')).startsWith('master')) primaries.push(node);
      const to = primaries.find((node) => node !== from);
      if (to === undefined) throw new Error('there is no other primary');
      const [fromId, toId] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')];
      const slotOf = (node: TestRedis, ...words: string[]): Promise<string> => node.cli('CLUSTER', 'SETSLOT', slot, ...words);
      return {
        begin: async () => {
          await slotOf(to, 'IMPORTING', fromId);
          await slotOf(from, 'MIGRATING', toId);
        },
        moveKeys: async () => {
          const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '1000')).split('\n').filter((name) => name !== '');
          if (keys.length > 0) await from.cli('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
        },
        end: async () => {
          for (const node of [to, from, ...primaries]) await slotOf(node, 'NODE', toId);
        },
      };
    },
    stop: async () => {
      for (const node of nodes) {
        node.resume();
        await node.stop();
      }
    },
  };
}
