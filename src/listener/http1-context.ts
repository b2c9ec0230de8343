// What a connection speaking HTTP/1.x is given by the composition root.

import type { ByteBudget } from '../base/byte-budget.js';
import type { ExchangeHandler } from '../exchange/handler.js';
import type { HeadLimits } from '../http1/head-lines.js';
import type { Connections } from './connections.js';
import type { FrontDoor } from './front-door.js';

/** What a connection needs to know. Milliseconds; 0 means no limit. */
interface Http1Settings extends HeadLimits {
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
}

/** What all connections of a worker share. */
export interface Http1Context {
  readonly settings: Http1Settings;
  readonly handler: ExchangeHandler;
  readonly connections: Connections;
  readonly door: Pick<FrontDoor, 'lets' | 'isBlocked' | 'episode'>;
  /** Bytes that are kept for clients. */
  readonly kept: ByteBudget;
  readonly clock: { readonly now: number };
}
