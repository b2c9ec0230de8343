// The Redis of the fleet: it keeps its data on disk, so that it can be killed and started again with them.
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { Killable } from './killable.js';

const run = promisify(execFile);
/** Milliseconds that a command may take, and a start. */
const patience = 20_000;

export class ChaosRedis extends Killable {
  readonly port: number;
  readonly #folder: string;

  /** @param folder where its data are */
  constructor(port: number, folder: string) {
    super();
    this.port = port;
    this.#folder = folder;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves when it takes commands. */
  async start(): Promise<void> {
    const settings = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''];
    const child = spawn('redis-server', [...settings, '--appendonly', 'yes', '--appendfsync', 'always'], { stdio: 'ignore' });
    this.child = child;
    const until = performance.now() + patience;
    while ((await this.ask('PING').catch(() => '')) !== 'PONG') {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      if (performance.now() > until) throw new Error(`redis-server takes no commands after ${patience / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Runs a command with `redis-cli`; gives what it printed. */
  async ask(...command: string[]): Promise<string> {
    return (await run('redis-cli', ['-p', String(this.port), ...command], { timeout: patience })).stdout.trim();
  }
}
