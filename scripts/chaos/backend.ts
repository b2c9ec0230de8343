// A backend process that can be killed, frozen, started again at its port, and told to misbehave.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Killable } from './killable.js';

/**
 * `slow`: answers late. `silent`: takes requests and says nothing. `half-closes`: closes its sending side instead of an answer.
 * `resets`: resets before a byte of the answer; `resets-within`: in the middle of each body.
 */
export type Behaviour = 'well' | 'slow' | 'silent' | 'half-closes' | 'resets' | 'resets-within';

export class ChaosBackend extends Killable {
  readonly name: string;
  readonly port: number;
  readonly #command: readonly string[];

  /** @param command arguments of `node` before the port */
  constructor(name: string, port: number, command: readonly string[]) {
    super();
    this.name = name;
    this.port = port;
    this.#command = command;
  }

  /** Its entry in a list of backends. */
  get url(): string {
    return `http://127.0.0.1:${this.port}#id=${this.name}`;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [...this.#command, String(this.port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    // Who writes to one that was killed meanwhile means the one before it.
    child.stdin.on('error', () => {});
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the backend ${this.name} ended with ${code}`);
      }),
    ]);
  }

  behave(how: Behaviour): void {
    this.child?.stdin?.write(`${how}\n`);
  }
}
