// A proxy in this process: memory store, one free port of 127.0.0.1, no access log, short time limits.
import { tmpdir } from 'node:os';
import type {
  AcmeConfig,
  Bind,
  Config,
  FrontDoorConfig,
  HttpsConfig,
  LimitsConfig,
  ServerConfig,
  TlsBind,
} from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import type { ProxyOptions, Proxy as RunningProxy } from '../../src/proxy/proxy.js';

/** What a test wants different. */
export interface ProxyOverrides {
  readonly server?: Partial<ServerConfig>;
  readonly trustedProxies?: readonly string[];
  readonly limits?: Partial<LimitsConfig>;
  readonly frontDoor?: Partial<FrontDoorConfig>;
  /** Addresses to listen on instead of 127.0.0.1. */
  readonly http?: readonly Bind[];
  /** Whether clients in clear text may begin with HTTP/2. */
  readonly clearHttp2?: boolean;
  /** Addresses to listen on with TLS besides. */
  readonly https?: readonly TlsBind[];
  /** Settings of `https` besides. */
  readonly httpsSettings?: Partial<HttpsConfig>;
  readonly acme?: Partial<AcmeConfig>;
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

/** Time limits are long enough for a busy machine and short enough to wait for; backends are taken in turn. */
const testServer: Partial<ServerConfig> = {
  headTimeout: 10_000,
  bodyTimeout: 10_000,
  idleTimeout: 10_000,
  connectTimeout: 3_000,
  backendTimeout: 10_000,
  drainTimeout: 5_000,
  strategy: 'ROUND_ROBIN',
  accessLog: 'none',
};

/** A whole configuration for a test: the defaults, in a folder where nobody has a file of settings. */
export function testConfig(overrides: ProxyOverrides = {}): Config {
  const defaults = loadConfig({ env: { CJS_PROXY_DRIVER: overrides.driver ?? 'memory:' }, cwd: tmpdir(), root: false });
  return {
    ...defaults,
    server: { ...defaults.server, ...testServer, ...overrides.server },
    http: { bind: overrides.http ?? [{ address: '127.0.0.1', port: 0 }], http2: overrides.clearHttp2 === true },
    https: { ...defaults.https, ...overrides.httpsSettings, bind: overrides.https ?? [] },
    acme: { ...defaults.acme, ...overrides.acme },
    // A busy machine is no Redis that hangs.
    redis: { ...defaults.redis, lookupWait: 2_000 },
    limits: { ...defaults.limits, ...overrides.limits },
    trustedProxies: overrides.trustedProxies ?? [],
    frontDoor: { ...defaults.frontDoor, ...overrides.frontDoor },
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
