// Wires the way of a request: the stages of the pipeline, what they decide with, and what forwards.
import { AuthProviders } from '../auth/auth-providers.js';
import { createBalancers } from '../balancing/balancers.js';
import { Loads, looksAtLoads } from '../balancing/loads.js';
import { SlowStart } from '../balancing/slow-start.js';
import { StickyTokens } from '../balancing/sticky.js';
import type { CoarseClock } from '../base/clock.js';
import type { AddressSet } from '../base/ip.js';
import type { Config } from '../config/config.js';
import { createEngine } from '../engine/choose.js';
import type { ExchangeHandler } from '../exchange/handler.js';
import { Accounts } from '../limits/accounts.js';
import { createLimiters } from '../limits/create-limiters.js';
import { Members } from '../limits/members.js';
import { KeyDigests } from '../limits/tier-key.js';
import { Tiers } from '../limits/tiers.js';
import type { AccessLog } from '../observe/access-log.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { Tally } from '../observe/tally.js';
import { createAnswerChanges } from '../pipeline/answer-changes.js';
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
import { Queue } from '../pipeline/stages/queue.js';
import { createRedirect } from '../pipeline/stages/redirect.js';
import { rewrite } from '../pipeline/stages/rewrite.js';
import { createFindRoute, createRouteStage } from '../pipeline/stages/route.js';
import { createSecureName } from '../pipeline/stages/secure-name.js';
import { createSelf } from '../pipeline/stages/self.js';
import { createTimeLimits } from '../pipeline/stages/time-limits.js';
import { StickyCookies } from '../pipeline/sticky-cookie.js';
import { createTracing } from '../pipeline/tracing/tracing.js';
import { TrafficSplit } from '../pipeline/traffic-split.js';
import { LocalAdmission } from '../queue/local-admission.js';
import type { RouteCache } from '../routing/route-cache.js';
import type { Store, StoreListener } from '../store/store.js';
import type { CertificateAutomation } from './automatic-certificates.js';
import type { Entrance } from './entrance.js';
import type { NodeHealth } from './node-health.js';
import type { ProxyOptions } from './proxy.js';
import type { TlsTermination } from './tls-termination.js';

export interface RequestPathParts {
  readonly config: Config;
  readonly options: ProxyOptions;
  readonly store: Store;
  readonly routes: RouteCache;
  readonly clock: CoarseClock;
  readonly metrics: Metrics;
  readonly tally: Tally;
  readonly accessLog: AccessLog;
  readonly trusted: AddressSet;
  /** Authorities of backends besides those of the system, in PEM. */
  readonly authorities: readonly string[];
  readonly health: NodeHealth;
  readonly entrance: Entrance;
  readonly termination: Pick<TlsTermination, 'certificates'>;
  readonly automation: CertificateAutomation | null;
  /** The port of HTTPS that clients are sent to; 0: there is none. */
  readonly httpsPort: () => number;
  readonly log: Logger;
}

export interface RequestPath {
  /** The way in, for listeners. */
  readonly handler: ExchangeHandler;
  readonly tiers: Tiers;
  /** To be told of changes by the store. */
  readonly listeners: readonly StoreListener[];
  close(): void;
  /** Everything has ended: what was told of it and is held back is handed over. */
  flush(): Promise<void>;
}

export async function createRequestPath(parts: RequestPathParts): Promise<RequestPath> {
  const { config, options, store, routes, clock, metrics, tally, accessLog, trusted, authorities, health, entrance, log } = parts;
  const { server, limits } = config;
  const { automation } = parts;
  const events = options.events ?? null;
  const tracing = await createTracing();
  const engine = await createEngine(server, { ca: authorities }, clock, options.packageServer);
  const auth = new AuthProviders({ store, callbacks: options.authCallbacks ?? new Map(), clock, log, ca: authorities });
  const debug = createDebugLines(server.debugHeaders, {
    get stale() {
      return routes.stale || store.cutOff === true;
    },
  });
  const bodies = createErrorBodies(createErrorPages(server.staticDir));
  const answer = createAnswer(bodies, debug);
  const mirrors = new Mirrors({ engine, metrics });
  const loads = new Loads(server.strategy);
  clock.add(loads);
  const split = new TrafficSplit();
  const picker = new PickBackend({
    view: health.view,
    balancers: createBalancers(loads),
    standard: server.strategy,
    slowStart: new SlowStart(),
    cookies: new StickyCookies(new StickyTokens(server.stickySecret), server.stickySecret === '' ? log : null),
    split,
  });
  const forward = new Forward({
    engine: new CompressingEngine(engine),
    picker,
    passive: health.passive,
    metrics,
    debug,
    answer,
    answers: createAnswerChanges(bodies),
    retries: new Retries({ budgets: new RetryBudgets(), metrics, retryOnError: server.retryOnError }),
    mirrors,
    split,
    observers: [loads, health.trials, ...(events === null ? [] : [new AttemptEvents(events)]), ...(options.observers ?? [])],
    observeAll: looksAtLoads(server.strategy) || events !== null,
  });
  const timeLimits = createTimeLimits({
    settings: server,
    answer,
    attemptExpired: (exchange, error) => forward.attemptExpired(exchange, error),
  });
  const members = new Members(store, config.redis.cacheEntries);
  const tiers = new Tiers({
    store,
    accounts: new Accounts(limits.clients),
    limiterFor: createLimiters(store.counters ?? null, limits.whenAway, limits.clients, options.askPoints),
    log,
  });
  const findRoute = createFindRoute(routes);
  const route = createRouteStage(findRoute, tally);
  const queue = new Queue({ admission: options.admission ?? new LocalAdmission(), find: findRoute, metrics });
  const handler = createPipeline({
    order: inOrder(
      {
        identify: createIdentify(trusted, config.tracing.newTraces, tracing),
        self: createSelf(entrance.overload),
        acmeChallenge: automation === null ? null : createAcmeChallenge((token) => automation.challenges.authorization(token)),
        gate: entrance.gate,
        secureName: createSecureName(parts.termination.certificates),
        route: events === null ? route : announcingRoute(route, events),
        redirect: createRedirect(parts.httpsPort),
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
  return {
    handler,
    tiers,
    listeners: [auth, tiers, members, queue],
    close() {
      mirrors.close();
      engine.close();
      auth.close();
    },
    flush: async () => tracing?.flush(),
  };
}
