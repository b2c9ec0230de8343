// The contract of a store: where frontends, dead marks and the other records live, and how a change is told. Implemented by
// redis-store and memory-store.
import type { Backend } from '../model/backend.js';
import type { FrontendRecord } from '../model/frontend.js';
import type { NodeHeartbeat } from '../model/node.js';
import type { NodeStatsRecord, StatsHead } from '../model/node-stats.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import type { Patience } from './patience.js';

/** Told when something that the store may have answered is no longer true. */
export interface StoreListener {
  /** What `readFrontends` answers for this name changed (list, policy, dead set or health marks). */
  changed(name: string): void;
  /** A mark of this name was written or went, or it expired: a part of what `changed` tells. */
  marksChanged?(name: string): void;
  /** What `readRecord` answers changed. */
  recordChanged?(kind: RecordKind, name: string): void;
  /** The revision grew: `readAppliedRevision` gives the new one. */
  revisionChanged?(): void;
  /** The heartbeat of a node was written or went; told only where the store was made to follow nodes. */
  nodeChanged?(id: string): void;
  /** Anything may have changed: connection lost or regained, FLUSHALL. Everything cached must be read again. */
  everythingChanged(): void;
}

/**
 * How far answers may be trusted: `live` changes are told within milliseconds; `polling` changes are told within a second
 * (no CLIENT TRACKING); `away` the store cannot be reached, what was read before is the best there is.
 */
export type StoreState = 'live' | 'polling' | 'away';

/** A dead mark to write. */
export interface DeadMarkRequest {
  /** The host that was asked for; names the key `dead:<host>` and the message, as in Hipache. */
  readonly host: string;
  /** The frontend that matched; when it differs (a wildcard) it is marked too, so that its other hosts need not find out anew. */
  readonly frontend: string;
  readonly backend: Backend;
  /** Number of backends in the list. */
  readonly size: number;
  /** Seconds that the mark lasts. */
  readonly ttl: number;
  /** False publishes the message only (an active hchecker owns the marks of this frontend). */
  readonly write: boolean;
  /** True for a mark that is there and is made to last longer: nothing is published. */
  readonly quiet?: boolean;
  /** Since when it has been dead, milliseconds since the epoch; absent: now. */
  readonly since?: number;
  /** An active probe found it. */
  readonly probed?: boolean;
  /** When a breaker lets a request through again, milliseconds since the epoch, and how often in a row it has opened. */
  readonly retryAt?: number;
  readonly opens?: number;
}

/** A dead mark to take back. */
export interface RevivalRequest {
  /** The record that has it: a host or a frontend. */
  readonly name: string;
  /** The list entry that the mark names. */
  readonly entry: string;
  /** The members of the dead set that go with it. */
  readonly members: readonly string[];
}

/** A backend that a person takes out or gives back. */
export interface MaintenanceRequest {
  readonly frontend: string;
  readonly backend: Backend;
  readonly on: boolean;
  /** Seconds for which those who know no maintenance, such as Hipache, are told that it is dead; told anew by whoever probes. */
  readonly ttl: number;
}

/** A store of frontends. Every method rejects with an Error that says what failed and what to do; none hangs. */
export interface Store {
  /** Connects and arms change notification; resolves also when the server is away (state `away`), rejects on bad credentials or settings. */
  start(listener: StoreListener): Promise<void>;
  readonly state: StoreState;
  /** It can be asked, and may be told nothing any more: a replica that has lost its primary. */
  readonly cutOff?: boolean;
  /** Reads the records of some names in one round trip, in the order asked. A wrong record is a record with a `fault`, not an error. */
  readFrontends(names: readonly string[]): Promise<FrontendRecord[]>;
  /** How long a request waits for a look-up; absent: the store replies at once, or not at all. */
  readonly patience?: Patience;
  /** Names of the servers that some records are on; absent: there is but one. */
  serversOf?(kind: RecordKind | 'frontend', names: readonly string[]): readonly string[];
  /** Marks a backend dead and publishes it on the channel `dead`. */
  markDead(mark: DeadMarkRequest): Promise<void>;
  /** Takes marks back, all or none; a mark of maintenance stays. */
  revive(revivals: readonly RevivalRequest[]): Promise<void>;
  /** Begins or ends the maintenance of a backend: it gets no new sessions, and neither a probe nor time revives it. */
  maintain(request: MaintenanceRequest): Promise<void>;
  /** Unix seconds of the last `hchecker_ping`, or 0. */
  readHcheckerPing(): Promise<number>;
  /** Reads one record. One of the wrong type has a `fault`. */
  readRecord(kind: RecordKind, name: string): Promise<StoredRecord>;
  /**
   * Replaces a record as a whole; no values remove it.
   * @param milliseconds after which it is gone; absent: it stays
   */
  writeRecord(kind: RecordKind, name: string, values: readonly string[], milliseconds?: number): Promise<void>;
  /**
   * Gives the names of all frontends, of all that have marks (`health`), or of all records of a kind, a page at a time; a name
   * may come twice.
   * @param matching a part of the name that is wanted: only names that contain it are given
   */
  scanNames(
    kind: RecordKind | 'frontend' | 'health',
    matching: string,
    onPage: (names: readonly string[]) => void,
  ): Promise<void>;
  /**
   * Takes or keeps a lease: work that one node does for all.
   * @param holder who asks; who holds it already keeps it
   * @param milliseconds after which it is free again
   * @returns whether the holder has it now
   */
  takeLease(work: string, holder: string, milliseconds: number): Promise<boolean>;
  /** Gives a lease back, if the holder has it. */
  dropLease(work: string, holder: string): Promise<void>;
  /**
   * The revision that is in force for whoever listens to this store: every change up to it has been told. Grows with each change
   * made through the management API; 0: there was none.
   */
  readAppliedRevision(): Promise<number>;
  /**
   * Writes the heartbeat of a node.
   * @param milliseconds that it lasts unless it is written again
   * @returns `boot` of the heartbeat that was there, or an empty text
   */
  writeHeartbeat(beat: NodeHeartbeat, milliseconds: number): Promise<string>;
  /** Removes the heartbeat of a node that ends, unless another one of that name has taken it over. */
  removeHeartbeat(id: string, boot: string): Promise<void>;
  /** The heartbeats of all nodes that are there, by id. */
  readHeartbeats(): Promise<NodeHeartbeat[]>;
  /**
   * Writes what a node has counted into its record, which stays for `statsLast` after that.
   * @param fields those that have changed, by name; an empty one is removed
   * @returns the head that was there, null for none
   */
  writeStats(id: string, head: StatsHead, fields: ReadonlyMap<string, Buffer>): Promise<StatsHead | null>;
  /**
   * Reads what nodes have counted, by id, those that are gone among them.
   * @param wanted of which node, or which fields of all; the others are left out
   */
  readStats(wanted?: { readonly id?: string; readonly fields?: readonly string[] }): Promise<NodeStatsRecord[]>;
  /** Replaces a frontend: identifier and backend entries. */
  writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void>;
  /** Removes a frontend with its dead marks. */
  deleteFrontend(name: string): Promise<void>;
  /**
   * What was read of a frontend last, also by an earlier process; only of a store with a memory. Meant for while it is away: a record of
   * it is not in force.
   */
  remembered?(name: string): FrontendRecord | undefined;
  /** When what an earlier process had read was written, in milliseconds since the epoch; 0, or absent: nothing of it is used. */
  readonly recalled?: number;
  /** What an earlier process had read is there and not looked at yet: it is when something is asked for while the store is away. */
  readonly unread?: boolean;
  /** Counters that all processes share; absent where there is but one process. */
  readonly counters?: StoreCounters;
  close(): Promise<void>;
}

/** Counters of limits. */
export interface StoreCounters {
  /**
   * Runs a script on a counter, whose key is `limit:<name>`. Others may be asked for at the same time: the script finds the keys of all
   * of them in KEYS and their arguments one after another in ARGV, and gives a list with the reply to each; an error reply in it
   * rejects that one alone. Rejects soon while the store is away.
   * @param args as many for each counter of a script
   * @param patience milliseconds that it may wait for others, to be asked for with them; 0: nobody may be kept waiting
   */
  run(script: string, name: string, args: readonly string[], patience: number): Promise<unknown>;
}
