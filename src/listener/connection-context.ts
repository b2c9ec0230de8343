// What a connection of a client is given by the composition root, whichever version of HTTP it speaks.

import type { ByteBudget } from '../base/byte-budget.js';
import type { ExchangeHandler } from '../exchange/handler.js';
import type { HeadLimits } from '../http1/head-lines.js';
import type { Metrics } from '../observe/metrics.js';
import type { Connections } from './connections.js';
import type { FrontDoor } from './front-door.js';

/** What a connection needs to know. Milliseconds; 0 means no limit. */
export interface ConnectionSettings extends HeadLimits {
  readonly headTimeout: number;
  readonly bodyTimeout: number;
  readonly idleTimeout: number;
  readonly totalTimeout: number;
  readonly tunnelTimeout: number;
  /** Bytes of a body that are kept for another attempt. */
  readonly retryBodyLimit: number;
  /** Bytes a second of a body, and milliseconds by which it may fall behind. */
  readonly minBodyRate: number;
  readonly bodyGrace: number;
  readonly requestsPerConnection: number;
  readonly halfClosedClients: 'probe' | 'serve' | 'abort';
  /** What an HTTP/2 connection may do: streams at a time, and resets and control frames in ten seconds. */
  readonly http2Streams: number;
  readonly http2Resets: number;
  readonly http2ControlFrames: number;
}

/** What all connections of a worker share. */
export interface ConnectionContext {
  readonly settings: ConnectionSettings;
  readonly handler: ExchangeHandler;
  readonly connections: Connections;
  readonly door: Pick<FrontDoor, 'lets' | 'isBlocked' | 'episode'>;
  /** Bytes that are kept for clients. */
  readonly kept: ByteBudget;
  readonly clock: { readonly now: number };
  readonly metrics: Pick<Metrics, 'http2Sessions' | 'http2Open' | 'http2Abuses'>;
}
