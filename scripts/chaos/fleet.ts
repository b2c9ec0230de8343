// The fleet that faults are done to: a Redis, backends, and nodes with two workers each, all processes of their own.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/helpers/free-port.js';
import { ChaosBackend } from './backend.js';
import type { Fleet } from './faults.js';
import { ChaosNode } from './node.js';
import { ChaosRedis } from './redis.js';
import { patientHost, plainHost, tryTimeout } from './requests.js';

/** How the parts of a fleet are started: arguments of `node`. */
export interface Programs {
  /** The command `cjs-proxy`. */
  readonly node: readonly string[];
  readonly backend: readonly string[];
  /** What each process of a node loads first: `tell-resources.mjs`. */
  readonly preload: string;
}

export interface StartedFleet extends Fleet {
  /** Where each process of a node tells its resources. */
  readonly resources: string;
  /** Whether the snapshot of every node holds all that clients ask for. */
  remembersAll(): Promise<boolean>;
  /** Ends everything at once. */
  stop(): Promise<void>;
}

/** Seconds that a backend stays marked dead, that it may be silent, and that an idle connection to it is kept. */
export const deadTime = 1;
export const silenceTime = 2;
export const idleTime = 3;
const backendCount = 4;
const nodeCount = 2;

/**
 * Resolves when everything serves.
 * @param folder for all files
 * @param engine as in `server.engine`
 */
export async function startFleet(folder: string, programs: Programs, engine = 'wire'): Promise<StartedFleet> {
  const redisFolder = join(folder, 'redis');
  const resources = join(folder, 'resources');
  await mkdir(redisFolder);
  await mkdir(resources);
  const redis = new ChaosRedis(await freePort(), redisFolder);
  const backends: ChaosBackend[] = [];
  for (let at = 0; at < backendCount; at++) backends.push(new ChaosBackend(`b${at + 1}`, await freePort(), programs.backend));
  const nodes: ChaosNode[] = [];
  for (let at = 0; at < nodeCount; at++) {
    const name = `n${at + 1}`;
    const [port, adminPort] = [await freePort(), await freePort()];
    const config = join(folder, `${name}.json`);
    const settings = settingsOf({ name, engine, port, adminPort, driver: redis.url, snapshot: join(folder, `${name}.snapshot`) });
    await writeFile(config, JSON.stringify(settings));
    const env = { NODE_OPTIONS: `--import=${programs.preload}`, CHAOS_RESOURCES: resources };
    nodes.push(new ChaosNode({ name, port, adminPort, config, command: programs.node, env }));
  }
  const writeRecords = async (): Promise<void> => {
    const urls = backends.map(({ url }) => url);
    // Silence is found out by the limit of an attempt, long before that of the backend.
    const policy = ['tryTimeout', `${tryTimeout}ms`, 'backendTimeout', '10s', 'retries', '3', 'retryBudget', 'false'];
    // In one transaction: the first frontend that is written says that all that are missing are meant to be.
    const script = `redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
for _, key in ipairs({KEYS[1], KEYS[2]}) do redis.call('RPUSH', key, 'chaos', unpack(ARGV, ${policy.length + 1})) end
redis.call('HSET', KEYS[3], unpack(ARGV, 1, ${policy.length}))`;
    const keys = [`frontend:${plainHost}`, `frontend:${patientHost}`, `route:${patientHost}`];
    await redis.ask('EVAL', script, String(keys.length), ...keys, ...policy, ...urls);
  };
  const stop = async (): Promise<void> => {
    redis.thaw();
    for (const backend of backends) backend.thaw();
    for (const node of nodes) node.thaw();
    await Promise.all([...nodes.map((node) => node.kill()), ...backends.map((backend) => backend.kill()), redis.kill()]);
  };
  try {
    await redis.start();
    await Promise.all(backends.map((backend) => backend.start()));
    await writeRecords();
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const remembersAll = async (): Promise<boolean> => {
    const snapshots = await snapshotsIn(folder);
    return nodes.every(({ name }) => [plainHost, patientHost].every((host) => (snapshots.get(name) ?? '').includes(host)));
  };
  return { redis, backends, nodes, writeRecords, resources, remembersAll, stop };
}

/** What the snapshots of each node hold, those of its workers one after the other. */
async function snapshotsIn(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const file of await readdir(folder)) {
    const node = /^(n\d+)\.snapshot(?:\.\d+)?$/.exec(file)?.[1];
    if (node === undefined) continue;
    texts.set(node, (texts.get(node) ?? '') + (await readFile(join(folder, file), 'utf8')));
  }
  return texts;
}

interface NodeSettings {
  readonly name: string;
  readonly engine: string;
  readonly port: number;
  readonly adminPort: number;
  /** URL of Redis. */
  readonly driver: string;
  readonly snapshot: string;
}

/** Short limits, so that what they end happens often. */
function settingsOf({ name, engine, port, adminPort, driver, snapshot }: NodeSettings) {
  return {
    driver,
    http: { bind: ['127.0.0.1'], port },
    admin: { port: adminPort },
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    server: {
      ...{ engine, workers: 2, accessLog: 'none', nodeId: name, deadBackendTTL: deadTime, backendIdleTimeout: idleTime },
      ...{ connectTimeout: 1, backendTimeout: silenceTime, drainTimeout: 15, drainGrace: 1 },
    },
    // How busy the machine is otherwise must not decide what is answered.
    frontDoor: { overloadDelay: 0 },
    redis: { timeout: 2, lookupWait: 1, emptyMeans: 'keep', snapshot },
  };
}
