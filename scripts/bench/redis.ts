// A Redis of the bench: on the core of load and backend, nothing kept on disk.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../test/helpers/free-port.js';
import { loadCore, type Processes, type StartedProcess } from './processes.js';
import { waitUntilReady } from './ready.js';

const run = promisify(execFile);

/** A server that runs. */
export interface BenchRedis {
  readonly port: number;
  readonly server: StartedProcess;
  /** Runs `redis-cli`; gives what it printed. */
  cli(...words: readonly string[]): Promise<string>;
}

/** It is idle while requests run, because nothing cached asks it. */
export async function startRedis(processes: Processes, folder: string): Promise<BenchRedis> {
  const port = await freePort();
  const output = join(folder, 'redis.out');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = processes.start('redis-server', args, { core: loadCore, stdout: output, stderr: output });
  const cli = async (...words: readonly string[]): Promise<string> =>
    (await run('redis-cli', ['-p', String(port), ...words])).stdout.trim();
  await waitUntilReady('redis-server', server, async () => (await cli('ping')) === 'PONG');
  return { port, server, cli };
}
