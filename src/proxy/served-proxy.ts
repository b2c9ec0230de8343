// What the programs around the data plane need of it: enough to open it, announce it, let it finish and end it.
import type { Config } from '../config/config.js';
import type { AskPoints } from '../limits/node-limiter.js';
import type { Logger } from '../observe/logger.js';
import type { WaitingExchange } from '../pipeline/stages/queue.js';
import type { Admission, Waiter } from '../queue/admission.js';
import type { ManagedStore } from '../store/managed-store.js';
import type { Store, StoreListener } from '../store/store.js';
import type { WorkerFigures } from './worker-figures.js';

/** An address that is listened on. */
export interface ServedAddress {
  readonly address: string;
  readonly port: number;
  /** Spoken to in TLS. */
  readonly secure: boolean;
  /** The name of the TCP stream that it belongs to; its address may be the path of a unix socket. */
  readonly stream?: string;
}

/** A proxy that serves. */
export interface ServedProxy {
  readonly addresses: readonly ServedAddress[];
  /** Requests that are being answered now. */
  readonly activeExchanges: number;
  /** Connections of clients that are open. */
  readonly openConnections: number;
  /** It has had more to do than it can for longer than one has patience with. */
  readonly overloaded: boolean;
  readonly store: Pick<
    Store,
    | 'state'
    | 'cutOff'
    | 'recalled'
    | 'readAppliedRevision'
    | 'readRecord'
    | 'writeHeartbeat'
    | 'removeHeartbeat'
    | 'readStats'
    | 'writeStats'
  >;
  /** What was counted of frontends since the last call, as `Tally.collect` gives it. */
  collectCounts(): Buffer;
  /** What has been counted of all it does, and what is true now. */
  readFigures(): WorkerFigures;
  /**
   * Accepts nothing more, closes idle connections, lets what runs finish, then closes as `close` does.
   * @param limit milliseconds after which what still runs is cut; Infinity: never
   */
  drain(limit: number): Promise<void>;
  /** Ends everything at once and writes out what the logs still hold. */
  close(): Promise<void>;
  reopenLogs(): void;
}

/** Opens a proxy; rejects with a StartError where a person has to mend something first. `createProxy` is one. */
export type OpenProxy = (config: Config, options: OpenOptions) => Promise<ServedProxy>;

/** What the program that opens a proxy brings. */
interface OpenOptions {
  readonly workerId: number;
  readonly logger: Logger;
  /** Who lets requests in where a frontend limits them; absent: each process by itself. */
  readonly admission?: Admission<WaitingExchange>;
  /** Who counts connections for the node, those of clients and those to targets of streams; absent: each process by itself. */
  readonly connectionAdmission?: Admission<Waiter>;
  /** Counts for rate limits of the node while Redis is away; absent: each process by itself. */
  readonly askPoints?: AskPoints;
  /** Told that the store counts another revision. */
  readonly revisionChanged?: () => void;
  /** Awaited before the store is closed. */
  readonly closing?: () => Promise<void>;
  /** Awaited when the store is there, before any address is listened on. */
  readonly prepare?: (store: ManagedStore) => Promise<void>;
  /** Told what the store tells. */
  readonly storeListener?: StoreListener;
}

/** The addresses as URLs, for people: `http://127.0.0.1:8080, https://[::]:8443, tcp://127.0.0.1:5432`. */
export function formatAddresses(addresses: readonly ServedAddress[]): string {
  return addresses.map(formatAddress).join(', ');
}

function formatAddress({ address, port, secure, stream }: ServedAddress): string {
  if (address.startsWith('/')) return `unix:${address}`;
  const [plain, encrypted] = stream === undefined ? ['http', 'https'] : ['tcp', 'tls'];
  return `${secure ? encrypted : plain}://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
