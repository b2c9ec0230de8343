// How many connections one address has, so that one client cannot take all there are.
import { addressKey } from './tier-key.js';

/** Remembers addresses only while they have a connection: no flood of addresses can fill it beyond the connections that exist. */
export class AddressCaps {
  readonly #most: number;
  readonly #held = new Map<string, number>();

  /** @param most connections of an address; IPv6 is counted by /64 */
  constructor(most: number) {
    this.#most = most;
  }

  /** Addresses that have a connection. */
  get size(): number {
    return this.#held.size;
  }

  /** Takes a place. @returns what to give back at the end, or null: the address has as many as it may */
  take(address: string): string | null {
    const key = addressKey(address);
    const held = this.#held.get(key) ?? 0;
    if (held >= this.#most) return null;
    this.#held.set(key, held + 1);
    return key;
  }

  /** @param key what `take` gave; once for each */
  give(key: string): void {
    const held = this.#held.get(key) ?? 0;
    if (held > 1) this.#held.set(key, held - 1);
    else this.#held.delete(key);
  }
}
