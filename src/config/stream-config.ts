// The settings of TCP streams as the program works with them: where one listens, and what may be changed while it runs.
import type { Strategy } from './strategy.js';

/**
 * How clients and upstream connections go together; `l4`: the host that a client asks for decides; `auto`: by the number of targets
 * and `maxConnections`, as Proximux.
 */
export const streamModes = ['proxy', 'fifo', 'funnel', 'l4', 'auto'] as const;
type StreamModeSetting = (typeof streamModes)[number];
export type StreamModeName = Exclude<StreamModeSetting, 'auto'>;

/** How a byte stream is parted into messages. */
export type FramingSetting =
  /** Every piece that is read. */
  | { readonly kind: 'chunk' }
  | { readonly kind: 'line' }
  /** Redis, both protocol versions. */
  | { readonly kind: 'resp' }
  | {
      readonly kind: 'length-prefix';
      /** Bytes of the length itself, and how many stand before it. */
      readonly size: number;
      readonly offset: number;
      readonly endianness: 'big' | 'little';
      /** The length counts itself and what stands before it. */
      readonly includesHeader: boolean;
    }
  /** Silence ends a message. */
  | { readonly kind: 'idle-gap'; readonly milliseconds: number };

/** What may be changed while a stream runs, by the hash `stream:<name>`. Durations in milliseconds; connections are counted for the node. */
export interface StreamSettings {
  readonly mode: StreamModeSetting;
  readonly strategy: Strategy;
  /** Clients at a time; 0: any number. */
  readonly maxConnections: number;
  /** What becomes of a client beyond that number. */
  readonly overflow: 'drop' | 'wait';
  readonly waitTimeout: number;
  /** Connections to one target at a time; 0: any number. */
  readonly targetConnections: number;
  /** Upstream connections of `fifo` and `funnel`; 0: one a target. */
  readonly connections: number;
  /** `funnel` sends the next message before the last one is answered. */
  readonly async: boolean;
  readonly framing: FramingSetting;
  /** Bytes of one message, and of all that wait. */
  readonly maxMessage: number;
  readonly maxWaiting: number;
  /** Silence after which a connection is closed; 0: never. */
  readonly inactivityTimeout: number;
  readonly connectTimeout: number;
  /** Silence after which TCP asks whether the other side is there; 0: never. */
  readonly keepAlive: number;
  /** Further targets that are tried when one cannot be connected to. */
  readonly retries: number;
  readonly sendProxyProtocol: 'none' | 'v1' | 'v2';
  /** How often targets that are alive are connected to, to see whether they are; 0: never. */
  readonly checkInterval: number;
  /** Connections of an address that is blocked while they run are cut. */
  readonly cutBlocked: boolean;
  /** `l4`: clients speak TLS, and are told apart by their greeting; otherwise by the first Host line. */
  readonly secure: boolean;
  /** `l4`: how long a client may say nothing; 0: as long as it likes. */
  readonly specTimeout: number;
  /** `l4`: how long a target may take to its first byte; 0: as long as it likes. */
  readonly responseTimeout: number;
  /** `l4`, in clear text: where no route matches, no target can be connected to, one says nothing. True: a page; false: closed; a target. */
  readonly '404': boolean | string;
  readonly '500': boolean | string;
  readonly '504': boolean | string;
}

/** TLS towards clients; `key` and `cert` are paths of PEM files, read when the listener opens. */
interface StreamTls {
  readonly key: string;
  readonly cert: string;
  /** Lowest protocol. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** A stream of the configuration file. */
export interface StreamConfig {
  readonly name: string;
  readonly address: string;
  /** 0 with a `path`, and where any free port will do. */
  readonly port: number;
  /** The address `::` takes no IPv4. */
  readonly ipv6Only?: boolean;
  /** Of a unix socket to listen on; empty: `address` and `port` count. */
  readonly path: string;
  /** Every connection begins with a PROXY header, and comes from a trusted proxy. */
  readonly proxyProtocol: boolean;
  readonly tls: StreamTls | null;
  /** Used where the store has no targets for the stream. */
  readonly targets: readonly string[];
  /** Of the mode `l4`: entries as those of the list `patterns`, which come before them. */
  readonly routes: readonly string[];
  readonly settings: StreamSettings;
}
