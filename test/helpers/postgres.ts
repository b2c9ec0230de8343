// A real PostgreSQL for a test: its own port and folder, nothing synced to disk, one user with a password, ended with the test.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './redis.js';

export interface TestPostgres {
  readonly port: number;
  /** Its user is `ann`, who has to give the password of `env`. */
  readonly database: string;
  /** What clients of PostgreSQL need in their environment to reach another port as ann. */
  env(port: number): NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** Debian keeps the server's programs by version, out of the path. */
export const postgresPath = [process.env.PATH ?? '', ...debianFolders()].join(delimiter);
const password = 'of ann';
const run = promisify(execFile);

function debianFolders(): string[] {
  const versions = '/usr/lib/postgresql';
  try {
    return readdirSync(versions).map((version) => join(versions, version, 'bin'));
  } catch {
    return [];
  }
}

/** Resolves when the server accepts connections; the caller stops it. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-postgres-'));
  const secret = join(folder, 'password');
  writeFileSync(secret, password);
  const who = await unprivileged();
  if (who.uid !== undefined) for (const path of [folder, secret]) chownSync(path, who.uid, who.gid);
  const options = { cwd: folder, env: { ...process.env, PATH: postgresPath }, ...who };
  const data = join(folder, 'data');
  const setUp = ['-D', data, '-U', 'ann', '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await run('initdb', setUp, options);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`, 'fsync=off', 'max_connections=60'];
  const server = spawn('postgres', ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const killAtExit = () => server.kill('SIGQUIT');
  process.once('exit', killAtExit);
  await ready(server);
  return {
    port,
    database: 'postgres',
    env: (other) => ({
      PATH: postgresPath,
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
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (what) => Number((await run('id', [what, 'nobody'])).stdout)));
  return { uid: uid as number, gid: gid as number };
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
