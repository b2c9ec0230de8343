// The types that programs use: what a route is, and what is told of its backends.
import type { AuthCallback } from '../auth/callback.js';
import type { BackendScheme, ProxyProtocol } from '../model/backend.js';
import type { RoutePolicy } from '../model/policy/policy.js';

export type { AuthCallback, AuthCallbackAnswer, AuthCallbackQuestion } from '../auth/callback.js';
export type {
  AttemptEvent,
  BackendEvent,
  EndedRequest,
  ListeningAddress,
  ProxyEventListener,
  ProxyEventName,
  ProxyEvents,
  ProxyRequest,
  RequestFault,
} from '../observe/events.js';
export type { Percentiles } from '../observe/sample-window.js';
export type { BackendStats, ProxyStats, RequestStats, RouteStats } from '../observe/tracker.js';

/** How a backend is chosen among those alive. The values are the names. */
export enum BalancingStrategy {
  ROUND_ROBIN = 'ROUND_ROBIN',
  /** By the address of the client: it stays with its backend when others come or go. */
  IP_HASH = 'IP_HASH',
  RANDOM = 'RANDOM',
  LEAST_LATENCY = 'LEAST_LATENCY',
  LEAST_CONNECTIONS = 'LEAST_CONNECTIONS',
  /** By the part of the request that `hashOn` names. */
  HASH = 'HASH',
}

/** One upstream address, as a program names it. */
export interface BackendConfig {
  /** Absent: `hostname:port`. */
  readonly id?: string;
  /** Name or address; an IPv6 address may have brackets. */
  readonly hostname: string;
  /** Absent: 80, or 443 for https and h2. */
  readonly port?: number;
  /** Share of new requests relative to the others, from 0; absent: 1. */
  readonly weight?: number;
  /** Absent: `http`. */
  readonly protocol?: BackendScheme;
  /** Used only while no other can be. */
  readonly backup?: boolean;
  /** Group of a traffic split that it belongs to. */
  readonly group?: string;
  /** The PROXY header that each connection to it begins with; absent: none. */
  readonly proxyProtocol?: ProxyProtocol;
  /** Told by the proxy: accepted, so that what `getRoute` gave can be added again, and not looked at. */
  readonly isDead?: boolean;
  readonly deadSince?: number;
  readonly failureCount?: number;
}

/** A backend as it stands. */
export interface Backend extends BackendConfig {
  readonly id: string;
  readonly port: number;
  readonly isDead: boolean;
  /** Milliseconds since the epoch. */
  readonly deadSince?: number;
  /** Attempts in a row that failed. */
  readonly failureCount: number;
}

/** Private key and certificate with its chain: PEM texts, or paths of files with them. */
export interface RouteSsl {
  readonly key: string;
  readonly cert: string;
}

/** Fields of a policy that are not told apart below. */
type OtherPolicy = {
  readonly [F in Exclude<keyof RoutePolicy, keyof SpecifiedPolicy | 'id'>]?: unknown;
};

/** Fields of a policy whose values are plain to say. */
interface SpecifiedPolicy {
  readonly strategy?: BalancingStrategy | `${BalancingStrategy}`;
  /** Plain requests are sent to the same place over HTTPS. */
  readonly autoHttps?: boolean;
  /** Most requests that wait while `reqActiveLength` are in flight; absent: 100. */
  readonly reqQueueLength?: number;
  /** Most requests in flight; absent: 50. */
  readonly reqActiveLength?: number;
  /** Who decides whether a request may pass: a function, or the name of a registered one or of a provider in the store. */
  readonly authProvider?: string | AuthCallback;
  /** Headers for the backend, by name; `res:Name` is for the client; null removes. Lists as in `route:` hashes are understood too. */
  readonly headers?: Readonly<Record<string, string | null>> | readonly object[];
  /** Milliseconds that a whole exchange may take, and that a backend may be silent. */
  readonly timeout?: number | string;
  readonly proxyTimeout?: number | string;
}

/**
 * A route: a virtual host, its backends and its policy. Besides what stands here every field of a `route:` hash may be given
 * (`sticky`, `retries`, `health`, …). A duration that is a number is in milliseconds; a text has its unit, as in `"1m30s"`.
 */
export interface RouteConfig extends OtherPolicy, SpecifiedPolicy {
  /** Shown in logs; absent: the virtual host. */
  readonly id?: string;
  /** `api.example.com`, `*.example.com` or `*`, and a path prefix behind it where only that is meant: `example.com/api`. */
  readonly vHost: string;
  readonly backends: readonly BackendConfig[];
  readonly ssl?: RouteSsl;
}

/** A route as it stands. */
export interface Route extends RouteConfig {
  readonly id: string;
  readonly backends: readonly Backend[];
}
