// A real redis-server for a test: its own port, nothing kept on disk, ended with the test.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';

export interface TestRedis {
  readonly port: number;
  /** Driver URL of the server: `redis://127.0.0.1:PORT`. */
  readonly url: string;
  /** A folder of the server's own, e.g. for sockets and certificates. */
  readonly dir: string;
  /** Connects on first use, without a password. */
  readonly client: Redis;
  /** Runs `redis-cli` as a person would; gives what it printed. */
  cli(...args: string[]): Promise<string>;
  /** Stops the process without ending it, as if the machine hung; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Kills the server, which forgets everything. */
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** Further arguments, e.g. `['--requirepass', 'secret']`; `DIR` in them stands for the server's folder. */
  readonly args?: readonly string[];
  /** To start again where an earlier server was; else a free port. */
  readonly port?: number;
}

const run = promisify(execFile);

/** Resolves when the server accepts connections. */
export async function startRedis({ args = [], port }: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'cjs-proxy-redis-'));
  const own = args.map((arg) => arg.replaceAll('DIR', dir));
  const usedPort = port ?? (await freePort());
  const child = await spawnServer(dir, usedPort, own);
  const client = new Redis({ port: usedPort, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined);
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  return {
    port: usedPort,
    url: `redis://127.0.0.1:${usedPort}`,
    dir,
    client,
    cli: async (...command) => (await run('redis-cli', ['-p', String(usedPort), ...command])).stdout.trim(),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      client.disconnect();
      process.off('exit', killAtExit);
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function spawnServer(dir: string, port: number, args: readonly string[]): Promise<ChildProcess> {
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', [...fixed, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
      if (output.includes('Ready to accept connections')) resolve(child);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server did not start:\n${output}`)));
  });
}
