// A proxy in this process: memory store, one free port of 127.0.0.1, no access log, short time limits.
import type { Bind, Config, ServerConfig, TlsBind } from '../../src/config/config.js';
import { createProxy, type ProxyOptions, type Proxy as RunningProxy } from '../../src/proxy/create-proxy.js';

/** What a test wants different. */
export interface ProxyOverrides {
  readonly server?: Partial<ServerConfig>;
  readonly trustedProxies?: readonly string[];
  /** Addresses to listen on instead of 127.0.0.1. */
  readonly http?: readonly Bind[];
  /** Addresses to listen on with TLS besides. */
  readonly https?: readonly TlsBind[];
  /** Driver URL. */
  readonly driver?: string;
}

/** A proxy that runs. */
export interface StartedProxy {
  readonly port: number;
  /** Port of the first TLS listener; 0: there is none. */
  readonly securePort: number;
  readonly proxy: RunningProxy;
  close(): Promise<void>;
}

/** Settings for tests; time limits are long enough for a busy machine and short enough to wait for. */
const testServer: ServerConfig = {
  debug: false,
  workers: 0,
  maxSockets: 0,
  httpKeepAlive: true,
  backendIdleTimeout: 60_000,
  headTimeout: 10_000,
  bodyTimeout: 10_000,
  idleTimeout: 10_000,
  connectTimeout: 3_000,
  backendTimeout: 10_000,
  totalTimeout: 0,
  tunnelTimeout: 0,
  deadBackendTTL: 30,
  deadOn500: false,
  deadOn503: 'without-retry-after',
  deadOn5xx: true,
  deadBackendOn500: true,
  retryOnError: 3,
  retryBodyLimit: 65_536,
  strategy: 'ROUND_ROBIN',
  engine: 'wire',
  accessLog: 'none',
  accessLogFormat: 'hipache',
  backendCa: [],
  staticDir: null,
  drainTimeout: 5_000,
  memoryLimit: 0,
  legacyForwardedHeaders: false,
  debugHeaders: 'trusted',
  halfClosedClients: 'probe',
  maxHeadBytes: 32_768,
  maxHeaderCount: 100,
  maxLineBytes: 16_384,
};

/** A whole configuration for a test. */
export function testConfig(overrides: ProxyOverrides = {}): Config {
  const driver = overrides.driver ?? 'memory:';
  return {
    source: 'defaults',
    warnings: [],
    server: { ...testServer, ...overrides.server },
    http: { bind: overrides.http ?? [{ address: '127.0.0.1', port: 0 }] },
    https: { bind: overrides.https ?? [] },
    driver: { read: driver, write: driver },
    redis: { cacheEntries: 1_000, timeout: 1_000, maxStale: 0 },
    trustedProxies: overrides.trustedProxies ?? [],
    user: '',
    group: '',
    logLevel: 'silent',
  };
}

/** Starts a proxy; the caller closes it. */
export async function startProxy(overrides: ProxyOverrides = {}, options: ProxyOptions = {}): Promise<StartedProxy> {
  const proxy = await createProxy(testConfig(overrides), options);
  const plain = proxy.addresses.find((address) => !address.secure);
  if (plain === undefined) throw new Error('the proxy listens nowhere');
  return {
    port: plain.port,
    securePort: proxy.addresses.find((address) => address.secure)?.port ?? 0,
    proxy,
    close: () => proxy.close(),
  };
}
