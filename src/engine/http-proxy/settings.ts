// What the http-proxy engine needs to know of the configuration.
import type { HeadLimits } from '../../http1/head-lines.js';
import type { BackendTls } from '../../upstream/dial.js';
import type { OutgoingSettings } from '../outgoing-head.js';

/** Durations in milliseconds; 0 means no limit. */
export interface HttpProxySettings extends OutgoingSettings, HeadLimits {
  /** Connections to one backend address; 0: no cap. */
  readonly maxSockets: number;
  readonly connectTimeout: number;
  /** How long an idle connection to a backend is kept. */
  readonly backendIdleTimeout: number;
  /** Silence of a backend after which an attempt fails. */
  readonly backendTimeout: number;
  readonly trust: BackendTls;
}
