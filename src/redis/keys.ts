// Every name in Redis, on one page.

/** Channels carry no prefix and know no database number. */
export const deadChannel = 'dead';
export const invalidateChannel = '__redis__:invalidate';
/** Written by hchecker, which knows no prefix. */
export const hcheckerPingKey = 'hchecker_ping';

/** The keys of one installation: all begin with the `#prefix` of the driver URL, put before them without a separator. */
export class RedisKeys {
  readonly prefix: string;
  readonly #tracked: readonly string[];

  constructor(prefix: string) {
    this.prefix = prefix;
    this.#tracked = [this.frontend(''), this.dead(''), this.health('')];
  }

  /** List: identifier, then backend URLs. */
  frontend(name: string): string {
    return `${this.prefix}frontend:${name}`;
  }

  /** Set: dead backends. */
  dead(name: string): string {
    return `${this.prefix}dead:${name}`;
  }

  /** Hash: list entry to mark. */
  health(name: string): string {
    return `${this.prefix}health:${name}`;
  }

  /** A key that lives for a second: written to see whether its invalidation arrives. */
  probe(id: string): string {
    return `${this.prefix}probe:${id}`;
  }

  /** What a change of must be told: beginnings of keys. */
  get tracked(): readonly string[] {
    return this.#tracked;
  }

  /** The frontend name in a tracked key, or null. (`dead:<host>:<url>`, a lock of PlanB's, names a frontend that does not exist.) */
  nameIn(key: string): string | null {
    for (const beginning of this.#tracked) {
      if (key.startsWith(beginning)) return key.slice(beginning.length);
    }
    return null;
  }
}
