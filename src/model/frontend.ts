// What the store keeps under one frontend name, and the route that is compiled from it.
import type { RouteCounts } from '../observe/route-counts.js';
import type { Backend } from './backend.js';
import type { RoutePolicy } from './policy/policy.js';
import type { Turn } from './turn.js';

/** A mark in `health:<name>`: one backend is dead until a moment, told apart by its list entry rather than its index. */
export interface DeadMark {
  /** The list entry; a mark made by hand may have its URL or its id instead. */
  readonly entry: string;
  /** Index in the list when the mark was made; -1 where whoever made it did not say. */
  readonly index: number;
  /** Milliseconds since the epoch; Infinity under maintenance. */
  readonly until: number;
  /** Milliseconds since the epoch when it was made; 0: unknown. */
  readonly since?: number;
  /** Under maintenance: only a person revives the backend. */
  readonly manual?: boolean;
  /** An active probe made it, which is no ejection by requests. */
  readonly probed?: boolean;
  /** A circuit breaker made it: from this moment on, milliseconds since the epoch, one request may try the backend. */
  readonly retryAt?: number;
  /** How often in a row that breaker has opened. */
  readonly opens?: number;
  /** The frontend that matched, where the mark is kept for a host of a wildcard. */
  readonly frontend?: string;
}

/** Everything the store holds under one name (`example.com`, `*.example.com`, `*`, `example.com:8080`, `example.com/api`). Immutable. */
export interface FrontendRecord {
  readonly name: string;
  /** Identifier, then backend entries, as in Redis; empty where there is no such frontend. */
  readonly list: readonly string[];
  /** Members of `dead:<name>`, as they are: ids by index, or backend entries. */
  readonly dead: readonly string[];
  /** Marks of `health:<name>`: those that members of the dead set stand for, and those of backends under maintenance. */
  readonly marks: readonly DeadMark[];
  /** When `dead:<name>` expires, in milliseconds since the epoch; Infinity without a TTL. */
  readonly deadUntil: number;
  /** Names and values in turn of `route:<name>`; empty where there is none. */
  readonly policy: readonly string[];
  /** Why the policy cannot be read (wrong type), or empty. The frontend is then not served: it might keep somebody out. */
  readonly policyFault: string;
  /** Why the record cannot be understood (wrong type, junk), or empty. Such a record harms only its own frontend. */
  readonly fault: string;
}

/** A host and what serves it: compiled from records, never changed, dropped when one of its records changes. */
export interface Route {
  /** The host that was asked for, normalised, with the port only if `frontend:<host>:<port>` matched, and with the prefix if one did. */
  readonly host: string;
  /** The frontend name that matched, e.g. `*.example.com`, `*.example.com/api`; `pattern:<pattern>` where a pattern names the backend itself. */
  readonly frontend: string;
  /** Element 0 of the list: Hipache's virtual host name. */
  readonly identifier: string;
  readonly backends: readonly Backend[];
  /** What `route:<frontend>` asks for; null where there is no such hash, which is the usual case. */
  readonly policy: RoutePolicy | null;
  /** Whether the list asks for nothing but an equal share for each backend: all weights are 1 and none is a backup. */
  readonly even: boolean;
  /** Records of the asked host and of the frontend that matched (often the same one), whose dead marks apply. */
  readonly records: readonly FrontendRecord[];
  /** Whether its records say nothing against any backend: the usual case, asked for each request. */
  readonly unmarked: boolean;
  /** Why no backend can be taken from the record, or empty. */
  readonly fault: string;
  /** Where its exchanges are counted: with its turn what changes of it. */
  readonly counts: RouteCounts;
  /** Where picking in turn stands; all hosts of a wildcard share it. */
  readonly turn: Turn;
}
