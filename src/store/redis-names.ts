// Walks through the names of records in Redis, and through keys that are none of ours.
import type { RecordKind } from '../model/record-kind.js';
import type { RedisSide } from '../redis/kept-link.js';
import type { RedisKeys } from '../redis/keys.js';
import { globLiteral, namedRun } from './named-run.js';

type NamedKind = RecordKind | 'frontend' | 'health';

export class RedisNames {
  readonly #keys: RedisKeys;
  readonly #read: RedisSide;

  constructor(keys: RedisKeys, read: RedisSide) {
    this.#keys = keys;
    this.#read = read;
  }

  /** As `Store.scanNames`. @returns whether there was any */
  async scan(kind: NamedKind, matching: string, onPage: (names: readonly string[]) => void): Promise<boolean> {
    let found = false;
    await namedRun(this.#read, `scanning ${this.#keys.beginning(kind)}*`, (commands) =>
      commands.scan(this.#patternOf(kind, matching), (keys) => {
        const names = this.#namesIn(keys, kind, matching);
        if (names.length === 0) return;
        found = true;
        onPage(names);
      }),
    );
    return found;
  }

  /** As `ManagedStore.scanNamesStep`. */
  async step(
    kind: NamedKind,
    matching: string,
    cursor: string,
    count: number,
  ): Promise<{ readonly names: readonly string[]; readonly cursor: string }> {
    const step = await namedRun(this.#read, `scanning ${this.#keys.beginning(kind)}*`, (commands) =>
      commands.scanStep(this.#patternOf(kind, matching), cursor, count),
    );
    return { names: this.#namesIn(step.keys, kind, matching), cursor: step.cursor };
  }

  /** As `ManagedStore.scanStraysStep`. */
  async straysStep(cursor: string, count: number): Promise<{ readonly keys: readonly string[]; readonly cursor: string }> {
    const pattern = `${globLiteral(this.#keys.prefix)}*`;
    const step = await namedRun(this.#read, 'scanning all keys', (commands) => commands.scanStep(pattern, cursor, count));
    const keys = step.keys.map((key) => this.#keys.strayIn(key)).filter((key) => key !== null);
    return { keys, cursor: step.cursor };
  }

  #patternOf(kind: NamedKind, matching: string): string {
    return `${globLiteral(this.#keys.beginning(kind))}*${matching === '' ? '' : `${globLiteral(matching)}*`}`;
  }

  /** The beginning of a key may hold the text as well. */
  #namesIn(keys: readonly string[], kind: NamedKind, matching: string): string[] {
    const { length } = this.#keys.beginning(kind);
    return keys.map((key) => key.slice(length)).filter((name) => name.includes(matching));
  }
}
