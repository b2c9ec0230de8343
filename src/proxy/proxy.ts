// What a running data plane is, and what whoever starts one may bring.
import type { ProxyServer } from 'http-proxy';
import type { AuthCallbacks } from '../auth/callback.js';
import type { AskPoints } from '../limits/node-limiter.js';
import type { EventBus } from '../observe/events.js';
import type { Logger } from '../observe/logger.js';
import type { Http2Abuse } from '../observe/metrics.js';
import type { AttemptObserver } from '../pipeline/attempt-observer.js';
import type { WaitingExchange } from '../pipeline/stages/queue.js';
import type { Admission, Waiter } from '../queue/admission.js';
import type { ManagedStore } from '../store/managed-store.js';
import type { StoreListener } from '../store/store.js';
import type { ServedAddress } from './served-proxy.js';
import type { WorkerFigures } from './worker-figures.js';

/** A running data plane. */
export interface Proxy {
  /** Those of HTTP first; the ones with a `stream` are that stream's. */
  readonly addresses: readonly ServedAddress[];
  readonly store: ManagedStore;
  /** Exchanges that are running. */
  readonly activeExchanges: number;
  /** Connections of clients that are open. */
  readonly openConnections: number;
  /** HTTP/2 connections of clients: those that have come, those that are open, and those that were ended for what they did. */
  readonly http2: { readonly sessions: number; readonly open: number; readonly abuses: Readonly<Record<Http2Abuse, number>> };
  /** It has had more to do than it can for longer than `frontDoor.overloadPatience`. */
  readonly overloaded: boolean;
  /**
   * Stops accepting, lets what is running finish, then closes.
   * @param limit milliseconds after which what still runs is cut; Infinity: never; absent: `server.drainTimeout`
   */
  drain(limit?: number): Promise<void>;
  /** What was counted of frontends since the last call, as `Tally.collect` gives it. */
  collectCounts(): Buffer;
  /** What has been counted of all it does, and what is true now. */
  readFigures(): WorkerFigures;
  /** Closes at once; running exchanges are cut. Resolves when another program may listen on its addresses. */
  close(): Promise<void>;
  /** Opens the access log anew, after it was rotated. */
  reopenLogs(): void;
}

/** What a caller may bring. */
export interface ProxyOptions {
  readonly workerId?: number;
  readonly logger?: Logger;
  /** Who lets requests in where a frontend limits them; absent: this process by itself. */
  readonly admission?: Admission<WaitingExchange>;
  /** Who counts connections for the node, those of clients and those to targets of streams; absent: this process by itself. */
  readonly connectionAdmission?: Admission<Waiter>;
  /** Counts for rate limits of the node while Redis is away; absent: this process by itself. */
  readonly askPoints?: AskPoints;
  /** Told that the store counts another revision. */
  readonly revisionChanged?: () => void;
  /** Awaited before the store is closed. */
  readonly closing?: () => Promise<void>;
  /** Told of the attempts for frontends with a policy. */
  readonly observers?: readonly AttemptObserver[];
  /** Functions that policies may name as their `authProvider`; may be added to while the proxy runs. */
  readonly authCallbacks?: AuthCallbacks;
  /** Told what happens. */
  readonly events?: EventBus;
  /** Awaited when the store is there and before any address is listened on. */
  readonly prepare?: (store: ManagedStore) => Promise<void>;
  /** Told of the store as well. */
  readonly storeListener?: StoreListener;
  /** What forwards where `server.engine` is `http-proxy`; its listeners see the requests. */
  readonly packageServer?: ProxyServer;
}
