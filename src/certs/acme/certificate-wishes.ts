// Names that clients ask for and that have no certificate: told to whoever orders, if a frontend serves them.
import { BoundedMap } from '../../base/bounded-map.js';
import type { Store } from '../../store/store.js';
import { isPublicName } from './public-name.js';

export interface WishParts {
  readonly store: Pick<Store, 'writeRecord'>;
  /** Whether a frontend other than `*` serves a name. */
  readonly served: (name: string) => Promise<boolean>;
}

/** A wish is repeated after this many milliseconds, and lasts as long in the store. */
const lasts = 600_000;
/** Names that clients may invent. */
const mostNames = 10_000;
/** Looked into at a time: a flood of invented names must not become one of questions. */
const mostAtOnce = 32;

export class CertificateWishes {
  readonly #parts: WishParts;
  /** When each name may be looked into again, in milliseconds since the epoch. */
  readonly #next = new BoundedMap<string, number>(mostNames);
  #asking = 0;

  constructor(parts: WishParts) {
    this.#parts = parts;
  }

  /** Called in a handshake; waits for nothing. */
  add(name: string): void {
    const now = Date.now();
    if (this.#asking >= mostAtOnce || (this.#next.get(name) ?? 0) > now || !isPublicName(name)) return;
    this.#next.set(name, now + lasts);
    this.#asking++;
    this.#tell(name).finally(() => this.#asking--);
  }

  /** Never rejects: while the store is away nobody orders. */
  async #tell(name: string): Promise<void> {
    try {
      if (await this.#parts.served(name)) await this.#parts.store.writeRecord('acme', `wanted:${name}`, ['by', 'client'], lasts);
    } catch {
      this.#next.set(name, 0);
    }
  }
}
