// The effective configuration: what the program works with, after file, environment, flags, legacy spellings and defaults.

import type { Strategy } from './strategy.js';
import type { StreamConfig } from './stream-config.js';

/** An address to listen on. */
export interface Bind {
  readonly address: string;
  readonly port: number;
  /** Every connection begins with a PROXY header, and comes from a trusted proxy. */
  readonly proxyProtocol?: boolean;
}

/** An address to listen on with TLS; file paths, read when the listener opens. Without `key` and `cert` it has the certificates of the store alone. */
export interface TlsBind extends Bind {
  readonly key: string;
  readonly cert: string;
  readonly ca: readonly string[];
  readonly passphrase: string;
  readonly ciphers: string;
  readonly honorCipherOrder: boolean;
  /** Lowest protocol: TLSv1.2 or TLSv1.3. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Mozilla's recommendations; the stricter of it and `minVersion` counts. */
  readonly preset: 'modern' | 'intermediate';
}

/** Settings of `https` that all its addresses share. */
export interface HttpsConfig {
  readonly bind: readonly TlsBind[];
  /** Whether HTTP/2 is offered by ALPN. */
  readonly http2: boolean;
  /** Certificates of the store kept in memory, a worker. */
  readonly certificateEntries: number;
  /** Milliseconds that a set of ticket keys is used; 0: for ever. */
  readonly ticketRotation: number;
  /** Seconds that a session may be resumed. */
  readonly ticketLifetime: number;
  /** Secrets for private keys in the store, and a file with more of them; empty: none. */
  readonly storeKeys: readonly string[];
  readonly storeKeyFile: string;
}

export type ChallengeKind = 'http-01' | 'tls-alpn-01' | 'dns-01';

/** Settings of `acme`: certificates that are had from an authority. Milliseconds. */
export interface AcmeConfig {
  /** URL; empty: none are ordered. */
  readonly directory: string;
  readonly agreeTerms: boolean;
  /** Mail addresses. */
  readonly contact: readonly string[];
  /** The preferred one first. */
  readonly challenges: readonly ChallengeKind[];
  /** Path of a program; empty: there is none. */
  readonly dnsHook: string;
  readonly dnsHookTimeout: number;
  /** Files of authorities that the directory's certificate may be signed by. */
  readonly ca: readonly string[];
  /** External account binding; empty: none. */
  readonly eabKeyId: string;
  readonly eabKey: string;
  /** Whether a handshake for a name that a frontend serves may order. */
  readonly onDemand: boolean;
  readonly onDemandPerHour: number;
  readonly retryDelay: number;
}

type AccessLogFormat = 'hipache' | 'combined' | 'json';
export type EngineName = 'wire' | 'http-proxy';

/** Settings of `server`. Durations in milliseconds unless the name says otherwise; the file has seconds, as Hipache's. */
export interface ServerConfig {
  readonly debug: boolean;
  /** 0: one process serves and nothing is forked. */
  readonly workers: number;
  /** Connections to one backend address, a worker; 0: no cap. */
  readonly maxSockets: number;
  /** Keep connections to backends for further requests. */
  readonly httpKeepAlive: boolean;
  /** How long an idle connection to a backend is kept. */
  readonly backendIdleTimeout: number;
  /** Time limits; 0: none. `tcpTimeout` of Hipache is the default of head, body, idle and backend. */
  readonly headTimeout: number;
  readonly bodyTimeout: number;
  readonly idleTimeout: number;
  readonly connectTimeout: number;
  readonly backendTimeout: number;
  readonly totalTimeout: number;
  /** Silence after which a tunnel is closed. */
  readonly tunnelTimeout: number;
  /** Seconds that a dead mark lasts. */
  readonly deadBackendTTL: number;
  /** How often a dead backend is tried by a connection; 0: never. */
  readonly recoveryInterval: number;
  /** Which answers of a backend mark it dead. */
  readonly deadOn500: boolean;
  readonly deadOn503: 'always' | 'without-retry-after' | 'never';
  /** 501, 502 and 504 to 599. */
  readonly deadOn5xx: boolean;
  /** Hipache's `deadBackendOn500`: 500 marks dead while an active hchecker is seen. */
  readonly deadBackendOn500: boolean;
  /** Further attempts after the first. */
  readonly retryOnError: number;
  /** Bytes of a request body that are kept so that it can be sent again. */
  readonly retryBodyLimit: number;
  readonly strategy: Strategy;
  /** What sticky cookies are signed with; empty: a text that everybody knows. */
  readonly stickySecret: string;
  readonly engine: EngineName;
  /** Path, `stdout` or `none`. */
  readonly accessLog: string;
  readonly accessLogFormat: AccessLogFormat;
  /** Files of certificate authorities (PEM) that https backends may be signed by, besides those of the system. */
  readonly backendCa: readonly string[];
  /** Folder of error pages; null: the shipped ones. */
  readonly staticDir: string | null;
  /** Port that clients are sent to for HTTPS; 0: that of the first TLS listener. */
  readonly httpsPort: number;
  readonly drainTimeout: number;
  /** How long a stopping process keeps idle client connections. */
  readonly drainGrace: number;
  /** Empty: made by the program. */
  readonly nodeId: string;
  /** Resident bytes after which an idle moment is used to replace the worker; 0: never. */
  readonly memoryLimit: number;
  /** Exits within a minute, for each worker, after which the node gives up; 0: never. */
  readonly workerExits: number;
  /** Hipache's way with forwarded headers: added only where absent, whoever sent them. */
  readonly legacyForwardedHeaders: boolean;
  /** Who gets `x-debug-*` headers on request (`X-Debug`). */
  readonly debugHeaders: 'trusted' | 'everyone' | 'nobody';
  /** A client that closed its sending side without an answer yet: asked by an interim response whether it is still there, served, or given up. */
  readonly halfClosedClients: 'probe' | 'serve' | 'abort';
  readonly maxHeadBytes: number;
  readonly maxHeaderCount: number;
  readonly maxLineBytes: number;
}

/** Settings of `redis`. */
export interface RedisConfig {
  /** Records kept in memory, a worker. */
  readonly cacheEntries: number;
  /** Milliseconds that a connection attempt or a command may take. */
  readonly timeout: number;
  /** Milliseconds that known routes are served while Redis is away; 0: for as long as it takes. */
  readonly maxStale: number;
  /** Milliseconds at least that a request for a host which was never asked for waits for its look-up. */
  readonly lookupWait: number;
  /** What it means when a Redis that held frontends holds none: that there are none, or that it has lost them. */
  readonly emptyMeans: 'trust' | 'keep';
  /** File for what was read, for a start while Redis is away; empty: none. */
  readonly snapshot: string;
  /** Files for `rediss:`; empty: none. */
  readonly ca: readonly string[];
  readonly cert: string;
  readonly key: string;
  /** Name in the certificate of a server; empty: the host of the URL. */
  readonly servername: string;
}

export type LimitHeaders = 'standard' | 'legacy' | 'both' | 'none';

/** Settings of `limits`. */
export interface LimitsConfig {
  /** Tier of frontends that name none; empty: they are not limited. */
  readonly tier: string;
  /** What is done while nothing can be counted in Redis. */
  readonly whenAway: 'open' | 'local' | 'closed';
  /** What clients are told of their limits. */
  readonly headers: LimitHeaders;
  /** Clients that a worker remembers. */
  readonly clients: number;
  /** Whether a host in Referer may raise a client to the tier of that host, as in cjs-proxy. */
  readonly referer: boolean;
}

/** Settings of `frontDoor`: what a worker takes from clients, each 0 for no bound. */
export interface FrontDoorConfig {
  /** Connections; `auto`: as many as leave descriptors for backends. */
  readonly connections: number | 'auto';
  readonly connectionsPerAddress: number;
  readonly requestsPerConnection: number;
  /** Bytes a second of a request body, and the milliseconds by which it may fall behind. */
  readonly minBodyRate: number;
  readonly bodyGrace: number;
  /** Bytes kept for clients. */
  readonly maxBuffered: number;
  /** Path; null: none. */
  readonly blocklistFile: string | null;
  /** Delay of the event loop from which on load is shed, and how long that may last before health checks fail. */
  readonly overloadDelay: number;
  readonly overloadPatience: number;
  /** Streams of an HTTP/2 connection at a time, and the resets and the control frames that it may send in ten seconds. */
  readonly http2Streams: number;
  readonly http2Resets: number;
  readonly http2ControlFrames: number;
  readonly refusedPaths: readonly ('encoded-slash' | 'nul' | 'dot-segment')[];
}

/** What a token may do: look, change what serves requests, or everything. */
export type ApiRole = 'read' | 'write' | 'admin';

/** Somebody who may call the management API. */
export interface ApiToken {
  readonly name: string;
  /** Lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly role: ApiRole;
  /** Hosts, and `*.suffix`, whose frontends it is for; empty: all, and everything else. */
  readonly hosts: readonly string[];
}

/** Settings of `api`. */
export interface ApiConfig {
  /** 0: not set. */
  readonly port: number;
  readonly bind: string;
  readonly tokens: readonly ApiToken[];
  /** Files; empty: none. */
  readonly key: string;
  readonly cert: string;
  readonly clientCa: readonly string[];
  /** Bytes. */
  readonly maxBody: number;
  readonly maxImport: number;
  /** Milliseconds. */
  readonly requestTimeout: number;
  /** Refused tokens from one address in a minute. */
  readonly failures: number;
  /** Where the command line finds it, and a file with its token; empty: not set. */
  readonly url: string;
  readonly tokenFile: string;
}

/** Settings of `metrics`. */
export interface MetricsConfig {
  /** Frontends with metrics of their own. */
  readonly frontends: number;
  readonly names: 'standard' | 'planb' | 'both';
}

/** Settings of `tracing`. */
export interface TracingConfig {
  /** What is made of a request that belongs to no trace. */
  readonly newTraces: 'sampled' | 'unsampled' | 'none';
}

/** Everything. Frozen. */
export interface Config {
  /** Path of the file, or `defaults`. */
  readonly source: string;
  /** Warnings of the loading (deprecated or inert keys), one line each. */
  readonly warnings: readonly string[];
  readonly server: ServerConfig;
  /** `http2`: whether clients in clear text may begin with HTTP/2. */
  readonly http: { readonly bind: readonly Bind[]; readonly http2: boolean };
  readonly https: HttpsConfig;
  readonly acme: AcmeConfig;
  /** TCP listeners. */
  readonly streams: readonly StreamConfig[];
  /** Where the node answers whether it is alive and ready, and tells its metrics. Port 0: nowhere. */
  readonly admin: Bind;
  /** The management API. */
  readonly api: ApiConfig;
  /** Read side and write side; equal where one URL was given. */
  readonly driver: { readonly read: string; readonly write: string };
  readonly redis: RedisConfig;
  readonly limits: LimitsConfig;
  readonly frontDoor: FrontDoorConfig;
  readonly metrics: MetricsConfig;
  readonly tracing: TracingConfig;
  /** Addresses and CIDR ranges. */
  readonly trustedProxies: readonly string[];
  /** Whom a root process becomes; empty: stays. */
  readonly user: string;
  readonly group: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}
