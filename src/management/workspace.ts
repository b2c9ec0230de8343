// What every operation of the management works with: the store, the secret for private keys, and who is asking.
import type { KeyVault } from '../certs/key-vault.js';
import type { ManagedStore } from '../store/managed-store.js';

/** Who changes something; goes into the history. */
export interface Author {
  /** Name of the token, or of the account of the machine. */
  readonly name: string;
  /** Address that it came from; empty: this process. */
  readonly address: string;
}

export interface Workspace {
  readonly store: ManagedStore;
  /** Seals private keys before they are stored, where it has a secret. */
  readonly vault: KeyVault;
  readonly author: Author;
  /** Seconds for which those who know no maintenance are told that a backend is dead: `server.deadBackendTTL`. */
  readonly deadTtl: number;
  /** Whether the author may see and change what belongs to a host; absent: all. */
  readonly mayTouch?: (frontend: string) => boolean;
}

/** What a caller may ask of a write beyond the write itself. */
export interface WriteConditions {
  /** ETags of which one must be that of the record as it is; absent: any, or none at all. `*`: it must be there. */
  readonly ifMatch?: readonly string[];
  /** True: it must not be there. */
  readonly ifNoneMatch?: boolean;
}

/** What came of a write. */
export interface Written<T> {
  readonly value: T;
  readonly etag: string;
  /** The revision that the change has, or the latest one where nothing had to be changed. */
  readonly revision: number;
  readonly created: boolean;
  /** What is odd about it though it was written: one line each. */
  readonly warnings: readonly string[];
}
