// The machine of a run: what must be there, and what it is, for the head of the report.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCore } from './processes.js';

const installer = fileURLToPath(new URL('../ensure-bench.sh', import.meta.url));
const commands = ['nginx', 'haproxy', 'wrk', 'redis-server', 'redis-cli', 'taskset', 'getconf'];

/** Installs what is missing where that is possible, and moves this process to the core of the load. Throws naming what is missing. */
export function prepareMachine(): void {
  if (process.platform !== 'linux') throw new Error('the bench needs Linux: it reads /proc and pins processes to cores');
  if (availableParallelism() < 2) throw new Error('the bench needs two cores: one for the proxy, one for load and backend');
  // Debian puts servers where the PATH of an ordinary user does not look.
  process.env.PATH = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
  if (existsSync(installer) && spawnSync('bash', [installer], { stdio: 'inherit' }).status !== 0) {
    throw new Error('scripts/ensure-bench.sh could not provide what the bench needs');
  }
  const missing = commands.filter((command) => !isOnPath(command));
  if (missing.length > 0)
    throw new Error(
      `missing for the bench: ${missing.join(', ')} (Debian packages nginx, haproxy, wrk, redis-server, util-linux)`,
    );
  execFileSync('taskset', ['-a', '-c', '-p', String(loadCore), String(process.pid)], { stdio: 'ignore' });
}

/** One line: processor, kernel and the versions of all programs. */
export function describeMachine(): string {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown processor';
  return [
    `${cpu}, ${cpus().length} cores`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    version('nginx', ['-v'], /nginx\/(\S+)/),
    version('haproxy', ['-v'], /version (\d+\.\d+\.\d+)/),
    version('wrk', ['-v'], /^wrk (?:debian\/)?([\d.]+)/),
  ].join(' · ');
}

function version(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return `${command} ${pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'of unknown version'}`;
}

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
