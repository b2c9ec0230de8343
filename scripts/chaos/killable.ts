// A process that chaos stops, lets go on and kills.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export abstract class Killable {
  /** Null before the first start and after a kill. */
  protected child: ChildProcess | null = null;

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
