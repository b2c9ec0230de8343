// The processes of a bench run: each is started on one core and stopped by its own pid, whatever happens.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** The measured proxy has this core for itself; load generator, backend, Redis and the bench share the other one. */
export const proxyCore = 0;
export const loadCore = 1;

/** How long a process may take to end after SIGTERM: a profiled node writes its profile then. */
const stopMilliseconds = 20_000;

/** How to start a process. */
export interface StartOptions {
  readonly core: number;
  /** Files for what it prints; they are appended to. */
  readonly stdout: string;
  readonly stderr: string;
}

/** One process that we started. */
export interface StartedProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Fulfilled when it has ended, with its exit code (null: a signal ended it). */
  readonly ended: Promise<number | null>;
  /** Asks it to end, insists after a while, and waits until it has. */
  stop(): Promise<void>;
  /** The last lines that it wrote to standard error, for messages. */
  complaint(): string;
}

/** Starts processes and remembers them until they have ended; a signal to the bench ends them. */
export class Processes {
  /** A signal has come. */
  interrupted = false;
  readonly #running = new Set<StartedProcess>();
  #closing = false;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        this.interrupted = true;
        // What runs ends, what waits for it fails, and whoever started it cleans up on its way out.
        void this.stopAll();
      });
    }
  }

  /** Starts `command`, pinned to a core (children and threads inherit that). Throws once `stopAll` was called. */
  start(command: string, args: readonly string[], options: StartOptions): StartedProcess {
    if (this.#closing) throw new Error('the bench was interrupted');
    const stdout = openSync(options.stdout, 'a');
    const stderr = openSync(options.stderr, 'a');
    // taskset replaces itself by the command, so the pid is the command's own.
    const child = spawn('taskset', ['-c', String(options.core), command, ...args], { stdio: ['ignore', stdout, stderr] });
    closeSync(stdout);
    closeSync(stderr);
    const started = describe(child, command, options.stderr);
    this.#running.add(started);
    const forget = () => this.#running.delete(started);
    started.ended.then(forget, forget);
    return started;
  }

  /** Stops everything that still runs; nothing can be started afterwards. */
  async stopAll(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#running].map((started) => started.stop()));
  }
}

function describe(child: ChildProcess, command: string, stderr: string): StartedProcess {
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  let running = true;
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      running = false;
      resolve(code);
    });
  });
  return {
    pid,
    get running() {
      return running;
    },
    ended,
    async stop() {
      if (!running) return;
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
      await ended;
      clearTimeout(insist);
    },
    complaint: () => readFileSync(stderr, 'utf8').trim().split('\n').slice(-5).join('\n'),
  };
}
