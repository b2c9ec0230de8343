// The tiers by name, as their records are: a change is in force on the next request.
import { BoundedMap } from '../base/bounded-map.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { parseTier } from '../model/tier.js';
import { LiveRecords, type RecordSource } from '../store/live-records.js';
import type { StoreListener } from '../store/store.js';
import { TierLimit, type TierParts } from './tier-limit.js';

export interface TiersOptions extends TierParts {
  readonly store: RecordSource;
  readonly log: { warn(text: string): void };
}

const mostTiers = 1_000;
const absent: StoredRecord = { values: [], fault: '' };

export class Tiers implements StoreListener {
  readonly #options: TiersOptions;
  readonly #records: LiveRecords<TierLimit>;
  /** What was made last, so that a record which is read again unchanged keeps its accounts. */
  readonly #last = new BoundedMap<string, { readonly text: string; readonly limit: TierLimit }>(mostTiers);

  constructor(options: TiersOptions) {
    this.#options = options;
    this.#records = new LiveRecords(options.store, 'tier', (name, record) => this.#take(name, record), mostTiers);
  }

  /** A promise only when the store must be asked. Where it fails and nothing is known, the tier has its default. */
  get(name: string): TierLimit | Promise<TierLimit> {
    const found = this.#records.getSoon(name);
    if (!(found instanceof Promise)) return found;
    return found.catch(() => this.#last.get(name)?.limit ?? this.#take(name, absent));
  }

  /** Those that were used, the last known of each name. */
  *used(): Iterable<TierLimit> {
    for (const { limit } of this.#last.values()) yield limit;
  }

  /** Frontends are no concern of it. */
  changed(): void {}

  recordChanged(kind: RecordKind, name: string): void {
    this.#records.recordChanged(kind, name);
  }

  everythingChanged(): void {
    this.#records.everythingChanged();
  }

  #take(name: string, record: StoredRecord): TierLimit {
    const { tier, faults } = parseTier(name, record);
    const text = JSON.stringify([tier, faults]);
    const last = this.#last.get(name);
    if (last?.text === text) return last.limit;
    if (faults.length > 0) {
      this.#options.log.warn(
        `tier:${name}: ${faults.slice(0, 3).join('; ')}; it is ${tier.points} points in ${tier.duration} s until this is mended`,
      );
    }
    const limit = new TierLimit(tier, this.#options, last?.limit);
    // As the newest: what was made long ago is forgotten first.
    this.#last.delete(name);
    this.#last.set(name, { text, limit });
    return limit;
  }
}
