// The composition root of the data plane: one flat function that wires everything, and what may be done with the result.
import type { ProxyServer } from 'http-proxy';
import { AuthProviders } from '../auth/auth-providers.js';
import type { AuthCallbacks } from '../auth/callback.js';
import { createBalancers } from '../balancing/balancers.js';
import { Loads, looksAtLoads } from '../balancing/loads.js';
import { SlowStart } from '../balancing/slow-start.js';
import { StickyTokens } from '../balancing/sticky.js';
import { CoarseClock } from '../base/clock.js';
import { tuneEngine } from '../base/engine-flags.js';
import { createAddressSet } from '../base/ip.js';
import { relayStringPrototype } from '../base/string-prototype.js';
import { isMadeFor, readAuthority, staticCertificate } from '../certs/static-certificate.js';
import { tlsOptionsOf } from '../certs/tls-preset.js';
import type { Bind, Config } from '../config/config.js';
import { createEngine } from '../engine/choose.js';
import { BackendWatch } from '../health/backend-watch.js';
import { FleetHealth } from '../health/fleet-health.js';
import { Hchecker } from '../health/hchecker.js';
import { createHealthView } from '../health/health-view.js';
import { LocalMarks } from '../health/local-marks.js';
import { createPassiveHealth } from '../health/passive.js';
import { createStartProbe } from '../health/probe.js';
import { Trials } from '../health/trials.js';
import { Accounts } from '../limits/accounts.js';
import { createLimiters } from '../limits/create-limiters.js';
import { Members } from '../limits/members.js';
import type { AskPoints } from '../limits/node-limiter.js';
import { KeyDigests } from '../limits/tier-key.js';
import { Tiers } from '../limits/tiers.js';
import type { ConnectionContext } from '../listener/connection-context.js';
import { Connections } from '../listener/connections.js';
import { type Listener, openListener } from '../listener/listener.js';
import { accessLineFormats } from '../observe/access-line.js';
import { createAccessLog } from '../observe/access-log.js';
import type { EventBus } from '../observe/events.js';
import { createLogger, type Logger } from '../observe/logger.js';
import { createMetrics, type Http2Abuse } from '../observe/metrics.js';
import { Tally } from '../observe/tally.js';
import { createAnswerChanges } from '../pipeline/answer-changes.js';
import type { AttemptObserver } from '../pipeline/attempt-observer.js';
import { createFindClientTier } from '../pipeline/client-tier.js';
import { CompressingEngine } from '../pipeline/compression/compressing-engine.js';
import { createDebugLines } from '../pipeline/debug-lines.js';
import { createErrorBodies } from '../pipeline/error-body.js';
import { createErrorPages } from '../pipeline/error-pages.js';
import { AttemptEvents, announcingQueue, announcingRoute } from '../pipeline/exchange-events.js';
import { LimitLines } from '../pipeline/limit-lines.js';
import { Mirrors } from '../pipeline/mirror.js';
import { inOrder } from '../pipeline/order.js';
import { Retries } from '../pipeline/retries.js';
import { RetryBudgets } from '../pipeline/retry-budget.js';
import { createPipeline } from '../pipeline/run.js';
import { createAccess } from '../pipeline/stages/access.js';
import { createAcmeChallenge } from '../pipeline/stages/acme-challenge.js';
import { createAnswer } from '../pipeline/stages/answer.js';
import { createBodyLimit } from '../pipeline/stages/body-limit.js';
import { clientCertificate } from '../pipeline/stages/client-certificate.js';
import { createBegin, createFinish } from '../pipeline/stages/finish.js';
import { Forward } from '../pipeline/stages/forward.js';
import { createIdentify } from '../pipeline/stages/identify.js';
import { createLimit } from '../pipeline/stages/limit.js';
import { maintenance } from '../pipeline/stages/maintenance.js';
import { passedThrough } from '../pipeline/stages/passed-through.js';
import { PickBackend } from '../pipeline/stages/pick-backend.js';
import { Queue, type WaitingExchange } from '../pipeline/stages/queue.js';
import { createRedirect } from '../pipeline/stages/redirect.js';
import { rewrite } from '../pipeline/stages/rewrite.js';
import { createFindRoute, createRouteStage } from '../pipeline/stages/route.js';
import { createSecureName } from '../pipeline/stages/secure-name.js';
import { createSelf } from '../pipeline/stages/self.js';
import { createTimeLimits } from '../pipeline/stages/time-limits.js';
import { StickyCookies } from '../pipeline/sticky-cookie.js';
import { TrafficSplit } from '../pipeline/traffic-split.js';
import type { Admission, Waiter } from '../queue/admission.js';
import { LocalAdmission } from '../queue/local-admission.js';
import { RouteCache } from '../routing/route-cache.js';
import { createStore } from '../store/create-store.js';
import type { ManagedStore } from '../store/managed-store.js';
import type { StoreListener } from '../store/store.js';
import { TlsPassage } from '../stream/l4/tls-passage.js';
import { Streams } from '../stream/streams.js';
import { createEntrance } from './entrance.js';
import { createRouteEvents } from './route-events.js';
import type { ServedAddress } from './served-proxy.js';
import { TlsTermination } from './tls-termination.js';
import { createFigures, type WorkerFigures } from './worker-figures.js';

/** A running data plane. */
export interface Proxy {
  /** Those of HTTP first; the ones with a `stream` are that stream's. */
  readonly addresses: readonly ServedAddress[];
  readonly store: ManagedStore;
  /** Exchanges that are running. */
  readonly activeExchanges: number;
  /** Connections of clients that are open. */
  readonly openConnections: number;
  /** HTTP/2 connections of clients: those that have come, those that are open, and those that were ended for what they did. */
  readonly http2: { readonly sessions: number; readonly open: number; readonly abuses: Readonly<Record<Http2Abuse, number>> };
  /** It has had more to do than it can for longer than `frontDoor.overloadPatience`. */
  readonly overloaded: boolean;
  /**
   * Stops accepting, lets what is running finish, then closes.
   * @param limit milliseconds after which what still runs is cut; Infinity: never; absent: `server.drainTimeout`
   */
  drain(limit?: number): Promise<void>;
  /** What was counted of frontends since the last call, as `Tally.collect` gives it. */
  collectCounts(): string;
  /** What has been counted of all it does, and what is true now. */
  readFigures(): WorkerFigures;
  /** Closes at once; running exchanges are cut. */
  close(): Promise<void>;
  /** Opens the access log anew, after it was rotated. */
  reopenLogs(): void;
}

/** What a caller may bring. */
export interface ProxyOptions {
  readonly workerId?: number;
  readonly logger?: Logger;
  /** Who lets requests in where a frontend limits them; absent: this process by itself. */
  readonly admission?: Admission<WaitingExchange>;
  /** Who counts connections for the node, those of clients and those to targets of streams; absent: this process by itself. */
  readonly connectionAdmission?: Admission<Waiter>;
  /** Counts for rate limits of the node while Redis is away; absent: this process by itself. */
  readonly askPoints?: AskPoints;
  /** Told that the store counts another revision. */
  readonly revisionChanged?: () => void;
  /** Awaited before the store is closed. */
  readonly closing?: () => Promise<void>;
  /** Told of the attempts for frontends with a policy. */
  readonly observers?: readonly AttemptObserver[];
  /** Functions that policies may name as their `authProvider`; may be added to while the proxy runs. */
  readonly authCallbacks?: AuthCallbacks;
  /** Told what happens. */
  readonly events?: EventBus;
  /** Awaited when the store is there and before any address is listened on. */
  readonly prepare?: (store: ManagedStore) => Promise<void>;
  /** Told of the store as well. */
  readonly storeListener?: StoreListener;
  /** What forwards where `server.engine` is `http-proxy`; its listeners see the requests. */
  readonly packageServer?: ProxyServer;
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
  const hchecker = new Hchecker(store, logger);
  const marks = new LocalMarks();
  const trials = new Trials({ store, now: Date.now });
  const view = createHealthView(marks, trials);
  const events = options.events ?? null;
  const watch = events === null ? null : new BackendWatch({ store, marks, events });
  const eventSources: StoreListener[] = events === null || watch === null ? [] : [watch, createRouteEvents(events)];
  const { revisionChanged } = options;
  if (revisionChanged !== undefined) eventSources.push({ changed: () => {}, everythingChanged: () => {}, revisionChanged });
  const passive = createPassiveHealth({
    store,
    marks,
    trials,
    hchecker,
    rules: server,
    log: logger,
    metrics,
    ...(watch === null ? {} : { marked: (route, backend, what) => watch.marked(route, backend, what) }),
  });

  const authorities = server.backendCa.map((path) => readAuthority(path, 'server.backendCa'));
  const startProbe = createStartProbe({ ca: authorities });
  const fleetHealth = new FleetHealth({ ...server, store, startProbe, hchecker, log: logger });
  clock.add(fleetHealth);
  const auth = new AuthProviders({
    store,
    callbacks: options.authCallbacks ?? new Map(),
    clock,
    log: logger,
    ca: authorities,
  });
  const engine = await createEngine(server, { ca: authorities }, clock, options.packageServer);
  const debug = createDebugLines(server.debugHeaders, routes);
  const bodies = createErrorBodies(createErrorPages(server.staticDir));
  const answer = createAnswer(bodies, debug);
  const mirrors = new Mirrors({ engine, metrics });
  const loads = new Loads(server.strategy);
  clock.add(loads);
  const split = new TrafficSplit();
  const picker = new PickBackend({
    view,
    balancers: createBalancers(loads),
    standard: server.strategy,
    slowStart: new SlowStart(),
    cookies: new StickyCookies(new StickyTokens(server.stickySecret), server.stickySecret === '' ? logger : null),
    split,
  });
  const forward = new Forward({
    engine: new CompressingEngine(engine),
    picker,
    passive,
    metrics,
    debug,
    answer,
    answers: createAnswerChanges(bodies),
    retries: new Retries({ budgets: new RetryBudgets(), metrics, retryOnError: server.retryOnError }),
    mirrors,
    split,
    observers: [loads, trials, ...(events === null ? [] : [new AttemptEvents(events)]), ...(options.observers ?? [])],
    observeAll: looksAtLoads(server.strategy) || events !== null,
  });
  const timeLimits = createTimeLimits({
    settings: server,
    answer,
    attemptExpired: (exchange, error) => forward.attemptExpired(exchange, error),
  });
  const { limits } = config;
  const members = new Members(store, config.redis.cacheEntries);
  const tiers = new Tiers({
    store,
    accounts: new Accounts(limits.clients),
    limiterFor: createLimiters(store.counters ?? null, limits.whenAway, limits.clients, options.askPoints),
    log: logger,
  });
  const connections = new Connections();
  const { connectionAdmission = null } = options;
  const entrance = createEntrance({
    ...{ config, store, clock, connections, trusted, metrics, log: logger },
    admission: connectionAdmission,
  });
  const listeners: Listener[] = [];
  const findRoute = createFindRoute(routes);
  const queue = new Queue({ admission: options.admission ?? new LocalAdmission(), find: findRoute, metrics });
  const handler = createPipeline({
    order: inOrder(
      {
        identify: createIdentify(trusted, config.tracing.newTraces),
        self: createSelf(entrance.overload),
        acmeChallenge: automation === null ? null : createAcmeChallenge((token) => automation.challenges.authorization(token)),
        gate: entrance.gate,
        secureName: createSecureName(termination.certificates),
        route: events === null ? createRouteStage(findRoute, tally) : announcingRoute(createRouteStage(findRoute, tally), events),
        redirect: createRedirect(() => server.httpsPort || (listeners.find(({ secure }) => secure)?.port ?? 0)),
        passedThrough,
        maintenance,
        bodyLimit: createBodyLimit(answer),
        rewrite,
        clientCertificate,
        access: createAccess(auth),
        limit: createLimit({
          tiers,
          find: createFindClientTier({ members, digests: new KeyDigests(), standard: limits.tier, referer: limits.referer }),
          lines: new LimitLines(limits.headers),
          all: limits.tier !== '',
        }),
        timeLimits,
        queue: events === null ? queue.stage : announcingQueue(queue.stage, (name) => queue.lengths(name).waiting, events),
        forward: forward.stage,
      },
      limits.tier !== '',
    ),
    answer,
    begin: createBegin(metrics),
    finish: createFinish({ accessLog, metrics, tally, events }),
  });

  const { door, kept } = entrance;
  const settings = { ...server, ...config.frontDoor };
  const context: ConnectionContext = { settings, handler, connections, clock, door, kept, metrics };
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
    view,
    connections,
    clock,
    log: logger,
    accessLog,
    counters: metrics.streams,
  });
  clock.add(streams);
  const passageParts = { server, routes, view, connections, clock, log: logger, accessLog, counters: metrics.streams };
  const passage = config.https.bind.length === 0 ? null : new TlsPassage(passageParts);
  if (passage !== null) clock.add(passage);
  clock.add(entrance.blocked);
  clock.start();

  const readFigures = createFigures({ metrics, routes, store, connections, overload: entrance.overload, tiers });

  let closed: Promise<void> | null = null;
  try {
    await store.start(
      inTurn(
        routes,
        ...termination.listeners,
        ...(automation === null ? [] : [automation.orders]),
        marks,
        fleetHealth,
        auth,
        tiers,
        members,
        queue,
        entrance.blocked,
        streams,
        ...eventSources,
        ...(options.storeListener === undefined ? [] : [options.storeListener]),
      ),
    );
    await options.prepare?.(store);
    await entrance.start();
    for (const bind of config.http.bind) {
      const ipv6Only = leavesIpv4(bind, config.http.bind);
      listeners.push(await openListener({ ...bind, ipv6Only, tls: null, clearHttp2: config.http.http2, trusted, context }));
    }
    for (const [at, bind] of config.https.bind.entries()) {
      const ipv6Only = leavesIpv4(bind, config.https.bind);
      const { standard = null, clientCa = '' } = bindFiles[at] ?? {};
      const tls = termination.names({ port: bind.port, options: tlsOptionsOf(bind), standard, clientCa });
      const diversion = passage?.names(bind.port);
      listeners.push(
        await openListener({ ...bind, ipv6Only, tls, ...(diversion && { diversion }), clearHttp2: false, trusted, context }),
      );
    }
    await streams.open();
  } catch (error) {
    await close();
    throw error;
  }
  hchecker.start();
  fleetHealth.start();
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
    mirrors.close();
    engine.close();
    auth.close();
    hchecker.stop();
    watch?.close();
    clock.stop();
    await fleetHealth.stop();
    await automation?.orders.stop();
    await termination.close();
    await options.closing?.();
    await store.close();
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
    addresses: [...listeners, ...streams.addresses],
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
    marksChanged: (name) => {
      for (const listener of listeners) listener.marksChanged?.(name);
    },
    recordChanged: (kind, name) => {
      for (const listener of listeners) listener.recordChanged?.(kind, name);
    },
    revisionChanged: () => {
      for (const listener of listeners) listener.revisionChanged?.();
    },
    nodeChanged: (id) => {
      for (const listener of listeners) listener.nodeChanged?.(id);
    },
    everythingChanged: () => {
      for (const listener of listeners) listener.everythingChanged();
    },
  };
}
