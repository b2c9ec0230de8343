// What happens in the store and in the fleet, told to whoever listens: every change by anybody, every entry of the history, every node.
import { EventEmitter } from 'node:events';
import type { NodeHeartbeat } from '../model/node.js';
import type { RecordKind } from '../model/record-kind.js';
import type { ManagedStore } from '../store/managed-store.js';
import type { StoreListener } from '../store/store.js';
import { type HistoryDocument, readHistory } from './operations/history.js';

/** What is told. */
export type ManagementEvent =
  /** A record was written or removed, by anybody. */
  | { readonly type: 'changed'; readonly kind: RecordKind | 'frontend'; readonly name: string }
  /** A change was made through a management API. */
  | { readonly type: 'history'; readonly entry: HistoryDocument }
  /** A heartbeat; null: the node is gone. */
  | { readonly type: 'node'; readonly id: string; readonly node: NodeHeartbeat | null }
  /** Changes may have been missed: read again what matters. */
  | { readonly type: 'reset' };

/** So many entries are looked at at once; more of them in one moment are told as a reset. */
export const mostAtOnce = 200;

export class Changes {
  readonly #store: Pick<ManagedStore, 'readHistory'>;
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  /** The last entry that was told. */
  #lastId: string | null = null;
  #reading = false;
  #again = false;

  constructor(store: Pick<ManagedStore, 'readHistory'>) {
    this.#store = store;
  }

  get listeners(): number {
    return this.#emitter.listenerCount('event');
  }

  /** @returns ends the listening */
  listen(listener: (event: ManagementEvent) => void): () => void {
    // Entries that nobody was there to hear of are not told late.
    if (this.listeners === 0) this.#lastId = null;
    this.#emitter.on('event', listener);
    this.#look();
    return () => void this.#emitter.off('event', listener);
  }

  /** What the store tells. */
  readonly storeListener: StoreListener = {
    changed: () => undefined,
    recordChanged: (kind, name) => this.#tell({ type: 'changed', kind, name }),
    revisionChanged: () => this.#look(),
    everythingChanged: () => this.#tell({ type: 'reset' }),
  };

  /** A list of a frontend, or its marks, have changed. */
  frontendChanged(name: string): void {
    this.#tell({ type: 'changed', kind: 'frontend', name });
  }

  nodeChanged(id: string, node: NodeHeartbeat | null): void {
    this.#tell({ type: 'node', id, node });
  }

  #tell(event: ManagementEvent): void {
    this.#emitter.emit('event', event);
  }

  /** Tells the entries that are new. */
  #look(): void {
    if (this.listeners === 0) return;
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#again = false;
    void this.#read()
      .catch(() => this.#tell({ type: 'reset' }))
      .then(() => {
        this.#reading = false;
        if (this.#again) this.#look();
      });
  }

  async #read(): Promise<void> {
    const known = this.#lastId;
    const entries = await readHistory({ store: this.#store as ManagedStore }, { limit: known === null ? 1 : mostAtOnce });
    this.#lastId = entries[0]?.id ?? known ?? '';
    // The first look finds where to begin.
    if (known === null) return;
    const at = entries.findIndex(({ id }) => id === known);
    if (at === -1 && known !== '') this.#tell({ type: 'reset' });
    for (const entry of entries.slice(0, at === -1 ? entries.length : at).reverse()) this.#tell({ type: 'history', entry });
  }
}
