// A real PostgreSQL for a test: its own port and folder, nothing synced to disk, one user with a password, ended with the test.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { programPath } from './programs.js';

export interface TestPostgres {
  readonly port: number;
  /** What clients of PostgreSQL need in their environment to reach a port as the only user, who has to give a password. */
  env(port: number): NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

const password = 'of ann';
const run = promisify(execFile);

/** Resolves when the server accepts connections; the caller stops it. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-postgres-'));
  const secret = join(folder, 'password');
  writeFileSync(secret, password);
  const who = await unprivileged();
  if (who.uid !== undefined) for (const path of [folder, secret]) chownSync(path, who.uid, who.gid);
  const options = { cwd: folder, env: { ...process.env, PATH: programPath }, ...who };
  const data = join(folder, 'data');
  const setUp = ['-D', data, '-U', 'ann', '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await run('initdb', setUp, options);
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'max_connections=60',
  ];
  const server = spawn('postgres', ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const killAtExit = () => server.kill('SIGQUIT');
  process.once('exit', killAtExit);
  await ready(server);
  return {
    port,
    env: (other) => ({
      PATH: programPath,
      PGHOST: '127.0.0.1',
      PGPORT: String(other),
      PGUSER: 'ann',
      PGPASSWORD: password,
      PGDATABASE: 'postgres',
      PGCONNECT_TIMEOUT: '10',
    }),
    async stop() {
      process.off('exit', killAtExit);
      if (server.exitCode === null) {
        const exited = once(server, 'exit');
        // Ends at once, and its sessions with it.
        server.kill('SIGQUIT');
        await exited;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root: tests of root run it as `nobody`. */
async function unprivileged(): Promise<{ uid: number; gid: number } | { uid?: undefined }> {
  if (process.getuid?.() !== 0) return {};
  const idOf = async (what: string): Promise<number> => Number((await run('id', [what, 'nobody'])).stdout);
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
      if (output.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}:\n${output}`)));
  });
}
