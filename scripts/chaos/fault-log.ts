// Which faults there were, from when to when: what a request met can be held against it.
import { performance } from 'node:perf_hooks';
import type { FaultName } from './faults.js';

export interface LoggedFault {
  readonly name: FaultName;
  /** Whom it hit: the name of a backend or a node, or `redis`. */
  readonly place: string;
  readonly began: number;
  /** Infinity: it lasts. */
  ended: number;
}

/** Milliseconds for which a fault that has ended may still be felt: by requests that were on their way, on a busy machine. */
const aftermath = 1_000;

export class FaultLog {
  readonly #faults: LoggedFault[] = [];

  /** A fault begins now. Told before it is done, and ended after it is undone. */
  begin(name: FaultName, place: string): LoggedFault {
    const fault = { name, place, began: performance.now(), ended: Number.POSITIVE_INFINITY };
    this.#faults.push(fault);
    return fault;
  }

  end(fault: LoggedFault): void {
    fault.ended = performance.now();
  }

  /**
   * The faults of some names that were felt at a time.
   * @param place whom they hit; absent: anybody
   */
  during(from: number, to: number, names: readonly FaultName[], place?: string): LoggedFault[] {
    return this.#faults.filter(
      ({ name, place: hit, began, ended }) =>
        names.includes(name) && (place === undefined || hit === place) && began <= to && from <= ended + aftermath,
    );
  }

  /** How often there was each, and for how long on average in milliseconds. */
  summary(): { name: FaultName; times: number; lasted: number }[] {
    const sums = new Map<FaultName, { times: number; sum: number }>();
    for (const { name, began, ended } of this.#faults) {
      const sum = sums.get(name) ?? { times: 0, sum: 0 };
      sums.set(name, { times: sum.times + 1, sum: sum.sum + (ended - began) });
    }
    return [...sums].map(([name, { times, sum }]) => ({ name, times, lasted: sum / times }));
  }

  /** Those that were felt then, for people. */
  describe(from: number, to: number): string {
    const felt = this.#faults.filter(({ began, ended }) => began <= to && from <= ended + aftermath);
    if (felt.length === 0) return 'no fault at the time';
    return felt
      .map(({ name, place, began, ended }) => {
        const until = ended === Number.POSITIVE_INFINITY ? 'on' : `to ${Math.round(ended - from)}`;
        return `${name} (${place}, from ${Math.round(began - from)} ${until} ms)`;
      })
      .join(', ');
  }
}
