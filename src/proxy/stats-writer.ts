// Does to the store what the keeper of a node's counts asks for.
import type { Logger } from '../observe/logger.js';
import type { Store } from '../store/store.js';
import type { StatsAnswer, StatsOrder } from './stats-order.js';

type StatsStore = Pick<Store, 'state' | 'readStats' | 'writeStats'>;

export class StatsWriter {
  readonly #id: string;
  readonly #store: StatsStore;
  readonly #logger: Logger;
  #complained = false;

  /** @param id of the node */
  constructor(id: string, store: StatsStore, logger: Logger) {
    this.#id = id;
    this.#store = store;
    this.#logger = logger;
  }

  /** Never rejects. */
  async follow(order: StatsOrder): Promise<StatsAnswer> {
    // It would fail: the store tells of the outage itself.
    if (this.#store.state === 'away') return { kind: 'failed' };
    try {
      if (order.kind === 'write') {
        const before = await this.#store.writeStats(this.#id, order.head, order.fields);
        return { kind: 'written', before: before?.boot ?? '' };
      }
      const [record] = await this.#store.readStats({ id: this.#id });
      const base = record === undefined ? null : { since: record.head.since, fields: record.fields };
      return { kind: 'read', base };
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
      return { kind: 'failed' };
    }
  }

  /** Once: what follows from it is the same every second. */
  #complain(reason: string): void {
    this.#logger.debug(`The counts of this node were not written: ${reason}`);
    if (this.#complained) return;
    this.#complained = true;
    this.#logger.warn(`This node may be missing from the statistics: ${reason}; it needs the right to read and write stats:*`);
  }
}
