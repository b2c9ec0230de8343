// What may run beside the data plane of a node in one process, on the same store.
import type { ManagedStore } from '../store/managed-store.js';
import type { StoreListener } from '../store/store.js';

export interface Beside {
  /** Told what the store tells. */
  readonly listener: StoreListener;
  /** The store is there, and nothing is served yet. Rejects with a StartError when it cannot begin. */
  prepare(store: ManagedStore): Promise<void>;
  /** The store is about to be closed. */
  close(): Promise<void>;
}
