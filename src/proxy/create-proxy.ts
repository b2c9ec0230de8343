// The composition root of the data plane: one flat function that wires everything, and what may be done with the result.
import { CoarseClock } from '../base/clock.js';
import { tuneEngine } from '../base/engine-flags.js';
import { createAddressSet } from '../base/ip.js';
import { relayStringPrototype } from '../base/string-prototype.js';
import { isMadeFor, readAuthority, staticCertificate } from '../certs/static-certificate.js';
import type { Config } from '../config/config.js';
import type { ConnectionContext } from '../listener/connection-context.js';
import { Connections } from '../listener/connections.js';
import type { Listener } from '../listener/listener.js';
import { accessLineFormats } from '../observe/access-line.js';
import { createAccessLog } from '../observe/access-log.js';
import { createLogger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { Tally } from '../observe/tally.js';
import { LocalAdmission } from '../queue/local-admission.js';
import { RouteCache } from '../routing/route-cache.js';
import { createStore } from '../store/create-store.js';
import { TlsPassage } from '../stream/l4/tls-passage.js';
import { Streams } from '../stream/streams.js';
import { createEntrance } from './entrance.js';
import { listenersInTurn } from './listeners-in-turn.js';
import { createNodeHealth } from './node-health.js';
import { openAddresses } from './open-addresses.js';
import type { ProxyOptions, Proxy as RunningProxy } from './proxy.js';
import { createRequestPath } from './request-path.js';
import { TlsTermination } from './tls-termination.js';
import { createFigures } from './worker-figures.js';

/** How often a draining proxy looks whether its last connection has gone, in milliseconds. */
const drainCheck = 50;

/**
 * Builds and starts a data plane.
 * @throws StartError, in one line, for what keeps it from starting: a busy port, an unwritable log, an unreadable
 *   certificate, refused credentials
 */
export async function createProxy(config: Config, options: ProxyOptions = {}): Promise<RunningProxy> {
  tuneEngine();
  relayStringPrototype();
  const { server } = config;
  const logger = options.logger ?? createLogger(config.logLevel);
  const clock = new CoarseClock();
  const metrics = createMetrics();
  const tally = new Tally();
  const trusted = createAddressSet(config.trustedProxies);
  const bindFiles = config.https.bind.map((bind) => staticCertificate(bind, Date.now()));
  for (const { warnings } of bindFiles) for (const warning of warnings) logger.warn(warning);
  const accessLog = createAccessLog({
    destination: server.accessLog,
    format: accessLineFormats[server.accessLogFormat],
    log: logger,
  });

  const store = createStore(config, (level, text) => logger[level](text), { worker: options.workerId ?? 0 });
  const routes = new RouteCache({
    store,
    entries: config.redis.cacheEntries,
    maxStale: config.redis.maxStale,
    log: (text) => logger.warn(text),
  });
  const termination = new TlsTermination({ config, store, routes, log: logger });
  const automation =
    config.acme.directory === ''
      ? null
      : (await import('./automatic-certificates.js')).createCertificateAutomation({
          ...{ config, store, routes, log: logger, metrics, vault: termination.vault, certificates: termination.certificates },
          standardCovers: (name) => bindFiles.some(({ standard }) => standard !== null && isMadeFor(standard.cert, name)),
        });
  if (automation !== null) {
    termination.automate(automation);
    clock.add(automation.orders);
  }
  const events = options.events ?? null;
  const authorities = server.backendCa.map((path) => readAuthority(path, 'server.backendCa'));
  const health = createNodeHealth({ config, store, clock, metrics, events, authorities, log: logger });
  const connections = new Connections();
  const { connectionAdmission = null } = options;
  const entrance = createEntrance({
    ...{ config, store, clock, connections, trusted, metrics, log: logger },
    admission: connectionAdmission,
  });
  const listeners: Listener[] = [];
  const path = await createRequestPath({
    ...{ config, options, store, routes, clock, metrics, tally, accessLog, trusted, authorities, health, entrance, termination },
    automation,
    httpsPort: () => server.httpsPort || (listeners.find(({ secure }) => secure)?.port ?? 0),
    log: logger,
  });
  const { door, kept } = entrance;
  const settings = { ...server, ...config.frontDoor };
  const context: ConnectionContext = { settings, handler: path.handler, connections, clock, door, kept, metrics };
  clock.add(connections);
  const streams = new Streams({
    configs: config.streams,
    server,
    store,
    blocked: entrance.blocked,
    trusted,
    ca: authorities,
    admission: connectionAdmission ?? new LocalAdmission(),
    all: entrance.all,
    routes,
    view: health.view,
    connections,
    clock,
    log: logger,
    accessLog,
    counters: metrics.streams,
  });
  clock.add(streams);
  const passageParts = {
    server,
    routes,
    view: health.view,
    connections,
    clock,
    log: logger,
    accessLog,
    counters: metrics.streams,
  };
  const passage = config.https.bind.length === 0 ? null : new TlsPassage(passageParts);
  if (passage !== null) clock.add(passage);
  clock.add(entrance.blocked);
  clock.start();

  const { revisionChanged } = options;
  const readFigures = createFigures({ metrics, routes, store, connections, overload: entrance.overload, tiers: path.tiers });

  let closed: Promise<void> | null = null;
  try {
    await store.start(
      listenersInTurn(
        routes,
        ...termination.listeners,
        ...(automation === null ? [] : [automation.orders]),
        ...health.listeners,
        ...path.listeners,
        entrance.blocked,
        streams,
        ...health.lastListeners,
        ...(revisionChanged === undefined ? [] : [{ changed: () => {}, everythingChanged: () => {}, revisionChanged }]),
        ...(options.storeListener === undefined ? [] : [options.storeListener]),
      ),
    );
    await options.prepare?.(store);
    await entrance.start();
    await openAddresses({ config, bindFiles, termination, passage, trusted, context, listeners });
    await streams.open();
  } catch (error) {
    await close();
    throw error;
  }
  health.start();
  automation?.orders.start();
  events?.emit('proxy.listening', { addresses: listeners });

  /** Once, also when a drain and a close meet. */
  function close(): Promise<void> {
    closed ??= closeAll();
    return closed;
  }

  async function closeAll(): Promise<void> {
    for (const listener of listeners) listener.stop();
    streams.close();
    passage?.close();
    connections.destroyAll();
    entrance.close();
    path.close();
    health.close();
    clock.stop();
    await health.stop();
    await automation?.orders.stop();
    await termination.close();
    await options.closing?.();
    await store.close();
    await path.flush();
    accessLog.close();
    events?.emit('proxy.closed', { addresses: listeners });
  }

  async function drain(limit = server.drainTimeout): Promise<void> {
    for (const listener of listeners) listener.stop();
    streams.stop();
    const grace = Math.min(server.drainGrace, limit);
    connections.drain(grace);
    const begun = performance.now();
    const goesOn = (): boolean => {
      const passed = performance.now() - begun;
      if (passed >= limit) return false;
      return connections.size > 0 || (passed < grace && listeners.some(({ stopped }) => !stopped));
    };
    while (goesOn()) await new Promise((resolve) => setTimeout(resolve, drainCheck));
    if (connections.size > 0) logger.warn(`${connections.size} connections were still open after ${limit} ms and are cut`);
    await close();
  }

  return {
    // Plain values: they are sent to other processes.
    addresses: [...listeners.map(({ address, port, secure }) => ({ address, port, secure })), ...streams.addresses],
    store,
    get activeExchanges() {
      return metrics.active;
    },
    get openConnections() {
      return connections.size;
    },
    get http2() {
      return { sessions: metrics.http2Sessions, open: metrics.http2Open, abuses: metrics.http2Abuses };
    },
    get overloaded() {
      return entrance.overload.lasts;
    },
    collectCounts: () => tally.collect(),
    readFigures,
    drain,
    close,
    reopenLogs: () => accessLog.reopen(),
  };
}
