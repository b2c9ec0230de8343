// A whole node as a user starts it: the command in a process of its own, with its supervisor, workers, signals and logs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ourCommand } from './compiled.js';
import { writeConfigFile } from './config-file.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

/** How a process ended. */
interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a test wants different from a node with two workers on a free port of 127.0.0.1. */
export interface NodeSettings {
  readonly server?: Readonly<Record<string, unknown>>;
  readonly [section: string]: unknown;
}

export interface SpawnedNode {
  readonly pid: number;
  readonly port: number;
  /** Its configuration file, and what stands there. */
  readonly file: string;
  readonly settings: NodeSettings;
  /** Everything that it wrote to stderr so far. */
  stderr(): string;
  /** Process ids of its workers, in no order. */
  workers(): number[];
  /** Resolves when all that is configured serves. */
  serving(): Promise<void>;
  /** Resolves when a text stands on stderr. */
  says(text: string, limit?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ending>;
  /** Ends it and its workers at once, if they still run. */
  destroy(): Promise<void>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
/** A start compiles the sources, on a machine that runs other tests as well. */
const patience = 20_000;

/** Starts a node; the caller destroys it. */
export async function spawnNode(
  settings: NodeSettings = {},
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<SpawnedNode> {
  const port = await freePort();
  const written = {
    http: { bind: ['127.0.0.1'], port },
    driver: 'redis://127.0.0.1:1',
    user: 'root',
    ...settings,
    server: { workers: 2, accessLog: 'none', drainTimeout: 10, drainGrace: 1, ...settings.server },
  };
  const file = writeConfigFile(written);
  const child = spawn(process.execPath, [ourCommand()[1], '-c', file, ...flags], {
    cwd: root,
    // A busy machine is no Redis that hangs.
    env: { CJS_PROXY_REDIS_LOOKUP_WAIT: '2', ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // 'close' comes when stderr was read to its end.
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as Ending);
  const pid = child.pid ?? 0;
  const says = async (text: string, limit = patience) => {
    await eventually(`"${text}" on stderr`, () => stderr.includes(text) || endedEarly(child.exitCode, stderr), limit);
  };
  let known: number[] = [];
  const workers = () => {
    known = [...new Set([...known, ...childWorkers(pid)])];
    return childWorkers(pid);
  };
  return {
    pid,
    port,
    file,
    settings: written,
    stderr: () => stderr,
    workers,
    serving: () => says('Serving http'),
    says,
    kill: (signal) => void child.kill(signal),
    ended,
    destroy: async () => {
      workers();
      child.kill('SIGKILL');
      for (const worker of known) {
        if (isWorker(worker)) process.kill(worker, 'SIGKILL');
      }
      await ended;
    },
  };
}

/** Waiting for a process that has ended only hides what it said. */
function endedEarly(code: number | null, stderr: string): false {
  if (code !== null) throw new Error(`the node ended with exit code ${code}:\n${stderr}`);
  return false;
}

/** Whether a process runs, and is a worker: a number may have been given to another process since. */
export function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-main') && !/^State:\s+Z/m.test(processStatus(pid));
  } catch {
    return false;
  }
}

/** The text of /proc/<pid>/status. */
export function processStatus(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

function childWorkers(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isWorker(pid) && parentOf(pid) === parent);
}

/** 0 for a process that has just gone. */
function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(processStatus(pid))?.[1]);
  } catch {
    return 0;
  }
}
