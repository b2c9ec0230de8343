// How far long work is: one line on a terminal that is written anew, and nothing anywhere else.

const every = 100;

export class Progress {
  readonly #output: NodeJS.WriteStream;
  readonly #what: string;
  #next = 0;
  #shown = false;

  /** @param what is being done: `checking` */
  constructor(what: string, output: NodeJS.WriteStream = process.stderr) {
    this.#what = what;
    this.#output = output;
  }

  /** @param total unknown where absent */
  at(done: number, total?: number): void {
    const now = performance.now();
    if (this.#output.isTTY !== true || now < this.#next) return;
    this.#next = now + every;
    this.#shown = true;
    const share = total === undefined || total === 0 ? '' : ` of ${total} (${Math.floor((100 * done) / total)} %)`;
    this.#output.write(`\r\x1b[K${this.#what} ${done}${share}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#output.write('\r\x1b[K');
    this.#shown = false;
  }
}
