// How a worker tells its node what it has counted: only of what has changed, and by the numbers that it gives to frontends and
// backends when it first names them, so that no name is told twice. `ToldCounts` hears it.
import { Numbers } from '../base/numbers.js';
import { ByteWriter } from '../base/varints.js';
import { writeBackendNumbers, writeOwnNumbers } from './counts-bytes.js';
import type { BackendCounts, FrontendCounts } from './frontend-counts.js';
import type { LatencyCounts } from './latency-counts.js';

export class Telling {
  readonly #out = new ByteWriter();
  readonly #frontends = new Numbers();
  readonly #backends = new Numbers();

  /** @param backends those that have changed */
  frontend(counts: FrontendCounts, backends: readonly BackendCounts[]): void {
    const out = this.#out;
    if (counts.number < 0) {
      counts.number = this.#frontends.take();
      this.#introduce(counts.number, counts.name);
    } else {
      out.number(counts.number * 2);
    }
    writeOwnNumbers(out, counts);
    this.#latency(counts.latency);
    out.number(backends.length);
    for (const backend of backends) this.#backend(backend);
  }

  /** Nothing more is told of it: its number may become that of another one. */
  forget(counts: FrontendCounts): void {
    for (const backend of counts.backends.values()) this.forgetBackend(backend);
    if (counts.number >= 0) this.#frontends.giveBack(counts.number);
    counts.number = -1;
  }

  forgetBackend(counts: BackendCounts): void {
    if (counts.number >= 0) this.#backends.giveBack(counts.number);
    counts.number = -1;
  }

  /** All that was told since the last call; empty: nothing. Valid until something is told again. */
  take(): Buffer {
    return this.#out.takeView();
  }

  #backend(counts: BackendCounts): void {
    const out = this.#out;
    if (counts.number < 0) {
      counts.number = this.#backends.take();
      this.#introduce(counts.number, counts.id);
    } else {
      out.number(counts.number * 2);
    }
    writeBackendNumbers(out, counts);
    this.#latency(counts.latency);
  }

  /** An odd number is followed by what it stands for from now on. */
  #introduce(number: number, name: string): void {
    this.#out.number(number * 2 + 1);
    this.#out.text(name);
  }

  /** Buckets in use, each by how far it is from the one before. */
  #latency({ first, buckets, count, sum, used }: LatencyCounts): void {
    const out = this.#out;
    if (count === 0) {
      out.number(0);
      return;
    }
    out.number(used);
    out.number(sum);
    let before = 0;
    for (let at = 0; at < buckets.length; at++) {
      if (buckets[at] === 0) continue;
      out.number(first + at - before);
      out.number(buckets[at] as number);
      before = first + at;
    }
  }
}
