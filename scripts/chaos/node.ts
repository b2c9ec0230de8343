// A node of the fleet: the built command at a port that stays the same, its workers, and what is done to them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

export interface ChaosNodeParts {
  readonly name: string;
  readonly port: number;
  readonly adminPort: number;
  /** Its configuration, a file. */
  readonly config: string;
  /** Arguments of `node` before those of the command. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Milliseconds that a start may take. */
const patience = 60_000;
/** Of what it said on stderr, so much is kept. */
const kept = 20_000;

export class ChaosNode {
  readonly name: string;
  readonly port: number;
  readonly adminPort: number;
  readonly #parts: ChaosNodeParts;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #said = '';
  /** Lines about processes that ended by themselves. */
  readonly crashes: string[] = [];

  constructor(parts: ChaosNodeParts) {
    this.name = parts.name;
    this.port = parts.port;
    this.adminPort = parts.adminPort;
    this.#parts = parts;
  }

  /** The last that it said. */
  get said(): string {
    return this.#said;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const { command, config, env } = this.#parts;
    const child = spawn(process.execPath, [...command, '-c', config], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#ended = once(child, 'exit');
    await new Promise<void>((resolve, reject) => {
      let own = '';
      const late = setTimeout(
        () => reject(new Error(`${this.name} does not serve after ${patience / 1000} s:\n${own}`)),
        patience,
      );
      child.once('exit', () => {
        clearTimeout(late);
        reject(new Error(`${this.name} ended:\n${own}`));
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-kept);
        for (const line of text.split('\n'))
          if (/ended \((?:exit code|signal (?!SIGKILL))|[Uu]ncaught/.test(line)) this.crashes.push(line);
        own = (own + text).slice(-kept);
        if (!own.includes('Serving http')) return;
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Process ids of its workers, those that are leaving among them. */
  get workers(): number[] {
    const supervisor = this.#child?.pid;
    return supervisor === undefined ? [] : childrenOf(supervisor);
  }

  /** To its supervisor. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Stops all its processes without ending them. */
  freeze(): void {
    this.signal('SIGSTOP');
    for (const worker of this.workers) signalTo(worker, 'SIGSTOP');
  }

  thaw(): void {
    for (const worker of this.workers) signalTo(worker, 'SIGCONT');
    this.signal('SIGCONT');
  }

  /** Ends all its processes at once, as if the machine were gone. */
  async kill(): Promise<void> {
    const { workers } = this;
    this.signal('SIGKILL');
    for (const worker of workers) signalTo(worker, 'SIGKILL');
    await this.#ended;
    for (const worker of workers) while (isAlive(worker)) await new Promise((resolve) => setTimeout(resolve, 10));
    this.#child = null;
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.#ended;
    this.#child = null;
  }
}

/** Nothing is done to a process that is gone. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether a process runs: one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function childrenOf(parent: number): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      if (Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]) !== parent || /^State:\s+Z/m.test(status)) continue;
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('worker-main')) found.push(Number(name));
    } catch {
      // It has just gone.
    }
  }
  return found;
}
