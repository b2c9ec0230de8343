// The composition root of the data plane: one flat function that wires everything, and what may be done with the result.

import { createBalancer } from '../balancing/balancer.js';
import { CoarseClock } from '../base/clock.js';
import { tuneEngine } from '../base/engine-flags.js';
import { createAddressSet } from '../base/ip.js';
import { relayStringPrototype } from '../base/string-prototype.js';
import { readAuthority, staticCertificate } from '../certs/static-certificate.js';
import type { Bind, Config } from '../config/config.js';
import { createEngine } from '../engine/choose.js';
import { Hchecker } from '../health/hchecker.js';
import { createHealthView } from '../health/health-view.js';
import { LocalMarks } from '../health/local-marks.js';
import { createPassiveHealth } from '../health/passive.js';
import { Connections } from '../listener/connections.js';
import type { Http1Context } from '../listener/http1-context.js';
import { type Listener, openListener } from '../listener/listener.js';
import { accessLineFormats } from '../observe/access-line.js';
import { createAccessLog } from '../observe/access-log.js';
import { createLogger, type Logger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { createDebugLines } from '../pipeline/debug-lines.js';
import { createErrorPages } from '../pipeline/error-pages.js';
import { inOrder } from '../pipeline/order.js';
import { createPipeline } from '../pipeline/run.js';
import { createAnswer } from '../pipeline/stages/answer.js';
import { createBegin, createFinish } from '../pipeline/stages/finish.js';
import { Forward } from '../pipeline/stages/forward.js';
import { createIdentify } from '../pipeline/stages/identify.js';
import { createRouteStage } from '../pipeline/stages/route.js';
import { self } from '../pipeline/stages/self.js';
import { RouteCache } from '../routing/route-cache.js';
import { createStore } from '../store/create-store.js';
import type { Store, StoreListener } from '../store/store.js';

/** A running data plane. */
export interface Proxy {
  readonly addresses: readonly { readonly address: string; readonly port: number; readonly secure: boolean }[];
  readonly store: Store;
  /** Exchanges that are running. */
  readonly activeExchanges: number;
  /**
   * Stops accepting, lets what is running finish, then closes.
   * @param limit milliseconds after which what still runs is cut; Infinity: never; absent: `server.drainTimeout`
   */
  drain(limit?: number): Promise<void>;
  /** Closes at once; running exchanges are cut. */
  close(): Promise<void>;
  /** Opens the access log anew, after it was rotated. */
  reopenLogs(): void;
}

/** What a caller may bring. */
export interface ProxyOptions {
  readonly workerId?: number;
  readonly logger?: Logger;
}

/** How often a draining proxy looks whether its last connection has gone, in milliseconds. */
const drainCheck = 50;

/**
 * Builds and starts a data plane.
 * @throws StartError, in one line, for what keeps it from starting: a busy port, an unwritable log, an unreadable
 *   certificate, refused credentials
 */
export async function createProxy(config: Config, options: ProxyOptions = {}): Promise<Proxy> {
  tuneEngine();
  relayStringPrototype();
  const { server } = config;
  const logger = options.logger ?? createLogger(config.logLevel);
  const clock = new CoarseClock();
  const metrics = createMetrics();
  const trusted = createAddressSet(config.trustedProxies);
  const certificates = config.https.bind.map(staticCertificate);
  const accessLog = createAccessLog({
    destination: server.accessLog,
    format: accessLineFormats[server.accessLogFormat],
    log: logger,
  });

  const store = createStore(config, (level, text) => logger[level](text));
  const routes = new RouteCache({
    store,
    entries: config.redis.cacheEntries,
    maxStale: config.redis.maxStale,
    log: (text) => logger.warn(text),
  });
  const hchecker = new Hchecker(store, logger);
  const marks = new LocalMarks();
  const view = createHealthView(marks);
  const passive = createPassiveHealth({ store, marks, hchecker, rules: server, log: logger, metrics });

  const engine = await createEngine(server, { ca: server.backendCa.map(readAuthority) }, clock);
  const debug = createDebugLines(server.debugHeaders, routes);
  const answer = createAnswer(createErrorPages(server.staticDir), debug);
  const forward = new Forward({
    engine,
    balancer: createBalancer(server.strategy),
    view,
    passive,
    metrics,
    debug,
    answer,
    retryOnError: server.retryOnError,
  });
  const handler = createPipeline({
    stages: inOrder({ identify: createIdentify(trusted), self, route: createRouteStage(routes), forward: forward.stage }),
    answer,
    begin: createBegin(metrics),
    finish: createFinish({ accessLog, metrics }),
  });

  const connections = new Connections();
  const context: Http1Context = { settings: server, handler, connections, clock };
  clock.add(connections);
  clock.start();

  const listeners: Listener[] = [];
  let closed: Promise<void> | null = null;
  try {
    await store.start(inTurn(routes, marks));
    for (const bind of config.http.bind) {
      listeners.push(await openListener({ ...bind, ipv6Only: leavesIpv4(bind, config.http.bind), tls: null, trusted, context }));
    }
    for (const [at, bind] of config.https.bind.entries()) {
      const ipv6Only = leavesIpv4(bind, config.https.bind);
      listeners.push(await openListener({ ...bind, ipv6Only, tls: certificates[at] ?? null, trusted, context }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  hchecker.start();

  /** Once, also when a drain and a close meet. */
  function close(): Promise<void> {
    closed ??= closeAll();
    return closed;
  }

  async function closeAll(): Promise<void> {
    for (const listener of listeners) listener.stop();
    connections.destroyAll();
    engine.close();
    hchecker.stop();
    clock.stop();
    await store.close();
    accessLog.close();
  }

  async function drain(limit = server.drainTimeout): Promise<void> {
    for (const listener of listeners) listener.stop();
    connections.drain();
    const deadline = performance.now() + limit;
    while (connections.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, drainCheck));
    if (connections.size > 0) logger.warn(`${connections.size} connections were still open after ${limit} ms and are cut`);
    await close();
  }

  return {
    addresses: listeners,
    store,
    get activeExchanges() {
      return metrics.active;
    },
    drain,
    close,
    reopenLogs: () => accessLog.reopen(),
  };
}

/** Whether `::` must leave IPv4 to a sibling that listens to all its addresses on the same port. */
function leavesIpv4({ address, port }: Bind, binds: readonly Bind[]): boolean {
  return address === '::' && binds.some((other) => other.address === '0.0.0.0' && other.port === port);
}

/** Tells several listeners of one store, in the order given. */
function inTurn(...listeners: readonly StoreListener[]): StoreListener {
  return {
    changed: (name) => {
      for (const listener of listeners) listener.changed(name);
    },
    everythingChanged: () => {
      for (const listener of listeners) listener.everythingChanged();
    },
  };
}
