// What a connection speaking HTTP/1.x is given by the composition root.
import type { ExchangeHandler } from '../exchange/handler.js';
import type { HeadLimits } from '../http1/head-lines.js';
import type { Connections } from './connections.js';

/** What a connection needs to know. Milliseconds; 0 means no limit. */
interface Http1Settings extends HeadLimits {
  readonly headTimeout: number;
  readonly bodyTimeout: number;
  readonly idleTimeout: number;
  readonly totalTimeout: number;
  readonly tunnelTimeout: number;
  /** Bytes of a body that are kept for another attempt. */
  readonly retryBodyLimit: number;
  readonly halfClosedClients: 'probe' | 'serve' | 'abort';
}

/** What all connections of a worker share. */
export interface Http1Context {
  readonly settings: Http1Settings;
  readonly handler: ExchangeHandler;
  readonly connections: Connections;
  readonly clock: { readonly now: number };
}
