// Frontends of which so much is stored that reading it holds others up: read now and then only, however often they are asked for or changed.
import { BoundedMap } from '../base/bounded-map.js';
import type { FrontendRecord } from '../model/frontend.js';
import { ExpiryWatch } from './expiry-watch.js';

/** Milliseconds before such a record is read again. */
const pause = 10_000;
/** Milliseconds for which sizes are asked for first, after something was found, or after a reply took too long. */
const carefulFor = 60_000;
/** Names that are remembered; one that is forgotten is read when it is asked for. */
const maxNames = 1_000;

interface Held {
  readonly record: FrontendRecord;
  /** Somebody wanted to read it meanwhile: it may be another one by now. */
  asked: boolean;
}

export class OversizeWatch {
  readonly #held = new BoundedMap<string, Held>(maxNames);
  readonly #pauses: ExpiryWatch;
  readonly #now: () => number;
  #carefulUntil = 0;

  /** @param changed told of a name that was asked for in vain and may be read again */
  constructor(changed: (name: string) => void, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#pauses = new ExpiryWatch((name) => {
      const held = this.#held.get(name);
      this.#held.delete(name);
      if (held?.asked === true) changed(name);
    });
  }

  /** Sizes should be asked for before anything is read: a second large record would hold others up again. */
  get careful(): boolean {
    return this.#now() < this.#carefulUntil;
  }

  /** A reply took too long, which may have been a large one. */
  beCareful(): void {
    this.#carefulUntil = this.#now() + carefulFor;
  }

  /** A record was too large: what is left of it is what there is of that name for a while. */
  hold(record: FrontendRecord): void {
    this.#held.set(record.name, { record, asked: false });
    this.#pauses.watch(record.name, pause);
    this.beCareful();
  }

  /** What there is of a name that is not to be read now. */
  heldOf(name: string): FrontendRecord | undefined {
    const held = this.#held.get(name);
    if (held !== undefined) held.asked = true;
    return held?.record;
  }

  close(): void {
    this.#pauses.close();
  }
}
