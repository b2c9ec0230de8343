// The object that users of dynamic-reverse-proxy know: routes register themselves over HTTP, requests are forwarded by path prefix.
//
// A thin adapter: routes are frontends of the store (`frontend:*/test`), found by the same look-up as the proxy's, and the
// `http-proxy` package forwards. With a Redis driver what is registered here is served by every proxy on that Redis, and the
// other way round.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ProxyServer } from 'http-proxy';
import { loadConfig } from '../config/load.js';
import { targetOf } from '../engine/http-proxy/http-proxy-engine.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import { createLogger, type Logger } from '../observe/logger.js';
import { isMiss, RouteCache, type RouteMiss } from '../routing/route-cache.js';
import { createStore } from '../store/create-store.js';
import type { Store } from '../store/store.js';
import { answerRegistered, type RegisterRefusal, readRegistration, refusals } from './register-request.js';
import { frontendNames, parseRegisteredRoute, prefixKey, type RegisteredRoute } from './registered-route.js';

export type { RegisteredRoute } from './registered-route.js';

/** All of it is optional. */
export interface DynamicReverseProxyOptions {
  /** Where routes are kept: `memory:`, `memory:FILE` or a Redis URL. Absent: in memory. */
  readonly driver?: string;
  /** `segment`: the prefix `/test` is for `/test` and what is below `/test/`; `string`: for `/testing` too. Absent: `segment`. */
  readonly prefixMatch?: 'segment' | 'string';
  /** Whether a registration over HTTP may name a host; absent: every one leads to this machine, whatever it says. */
  readonly hosts?: 'localhost' | 'any';
  /** Where clients are sent that have to come over HTTPS; absent: they are refused. */
  readonly httpsPort?: number;
  /** Milliseconds that a backend may be silent; 0: any time. Absent: 30 seconds. */
  readonly timeout?: number;
  readonly logger?: Logger;
}

/** The arguments of its events. A listener that ends the response answers in place of the proxy. */
export interface DynamicReverseProxyEvents {
  routeRegistered: [route: RegisteredRoute];
  /** Message: FORBIDDEN, METHOD_NOT_ALLOWED, BAD_REQUEST, BODY_TOO_LARGE, INCOMPLETE_REQUEST or STORE_AWAY; no request for `registerRoute`. */
  registerError: [error: Error, request: IncomingMessage | null, response: ServerResponse | null];
  /** `host` inherits from the route; null, with the message NOT_FOUND, where there is none. */
  proxyError: [error: Error, host: RegisteredRoute | null, request: IncomingMessage, response: ServerResponse];
}

/** What no request may bring along: the upgrade of a connection that is not tunnelled, and an expectation that was met already. */
const dropped = ['connection', 'upgrade', 'http2-settings', 'expect', 'proxy-connection', 'keep-alive', 'te'];

export class DynamicReverseProxy extends EventEmitter<DynamicReverseProxyEvents> {
  readonly #options: DynamicReverseProxyOptions;
  readonly #log: Logger;
  readonly #store: Store;
  readonly #routes: RouteCache;
  readonly #proxy = new ProxyServer();
  /** What was registered here, by name of the frontend. */
  readonly #registered = new Map<string, RegisteredRoute>();
  readonly #started: Promise<void>;

  constructor(options: DynamicReverseProxyOptions = {}) {
    super();
    const config = loadConfig({ settings: { driver: options.driver ?? 'memory:', logLevel: 'warn' }, env: {} });
    this.#options = options;
    this.#log = options.logger ?? createLogger(config.logLevel);
    this.#store = createStore(config, (level, text) => this.#log[level](text));
    this.#routes = new RouteCache({
      store: this.#store,
      entries: config.redis.cacheEntries,
      maxStale: config.redis.maxStale,
      log: (text) => this.#log.warn(text),
    });
    this.#started = this.#store.start(this.#routes);
    // Whoever waits for `ready` is told; others see it in the log, and requests find no routes.
    this.#started.catch((error: unknown) => this.#log.error('the store cannot be used', { error }));
    // The package would join paths anew; this one goes as it came.
    this.#proxy.on('proxyReq', (outgoing, request) => {
      outgoing.path = requestTarget(request);
    });
    this.#proxy.on('proxyRes', (answer, _request, response) => {
      answer.on('close', () => {
        if (!answer.complete) response.destroy();
      });
    });
  }

  /** Resolves when the store is there. With the memory store there is nothing to wait for. */
  get ready(): Promise<void> {
    return this.#started;
  }

  /** Registers the route that a POST from this machine describes: `{"prefix": "/test", "port": 4321}`. */
  readonly registerRouteRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#register(request, response);
  };

  /** Forwards a request to the route with the longest prefix of its path. */
  readonly proxyRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const secure = (request.socket as Partial<TLSSocket>).encrypted === true;
    const found = this.#routes.find(request.headers.host ?? '', requestTarget(request), secure);
    if (found instanceof Promise) void found.then((later) => this.#serve(request, response, later));
    else this.#serve(request, response, found);
  };

  /**
   * Registers a route; it replaces the one of the same prefix. With the memory store it is in force when this returns.
   * @throws TypeError for a route that lacks something
   */
  readonly registerRoute = (route: { readonly prefix: string; readonly port: number | string }): this => {
    const parsed = parseRegisteredRoute(route, 'any');
    if (parsed === null) throw new TypeError('a route needs a prefix (a text) and a port (1 to 65535)');
    this.#keepLater(parsed);
    this.emit('routeRegistered', parsed);
    return this;
  };

  /**
   * Adds routes by prefix: `{"/test": {"port": 4321}}`. A `prefix` inside counts before the key. Nobody is told of them.
   * @throws TypeError for a route that lacks something; none is added then
   */
  readonly addRoutes = (routes: Readonly<Record<string, object>>): this => {
    const parsed = Object.entries(routes).map(([key, route]) => {
      const { prefix } = route as { readonly prefix?: unknown };
      const named = { ...route, prefix: prefix === undefined || prefix === null || prefix === '' ? key : prefix };
      const found = parseRegisteredRoute(named, 'any');
      if (found === null) throw new TypeError(`the route ${JSON.stringify(key)} needs a port (1 to 65535)`);
      return found;
    });
    for (const route of parsed) this.#keepLater(route);
    return this;
  };

  /** What was registered here, the longest prefix first. */
  readonly getRoutes = (): readonly RegisteredRoute[] =>
    [...new Set(this.#registered.values())].sort((one, other) => other.prefix.length - one.prefix.length);

  /** Gives the store back; requests find no routes any more. */
  async close(): Promise<void> {
    await this.#started.catch(() => {});
    await this.#store.close();
  }

  async #register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = await readRegistration(request, this.#options.hosts ?? 'localhost');
    if (route === null) return;
    if (typeof route === 'string') {
      this.#refuse(route, request, response);
      return;
    }
    try {
      await this.#keep(route);
    } catch (error) {
      this.#refuse('STORE_AWAY', request, response, error);
      return;
    }
    this.emit('routeRegistered', route);
    if (!response.headersSent && !response.writableEnded) answerRegistered(response, route);
  }

  #refuse(why: RegisterRefusal, request: IncomingMessage, response: ServerResponse, cause?: unknown): void {
    this.emit('registerError', refusalError(why, cause), request, response);
    // Who sends this much is not listened to until it has sent everything.
    if (why === 'BODY_TOO_LARGE' && !response.headersSent) response.setHeader('Connection', 'close');
    end(response, refusals[why]);
  }

  #keepLater(route: RegisteredRoute): void {
    this.#keep(route).catch((error: unknown) => this.emit('registerError', refusalError('STORE_AWAY', error), null, null));
  }

  /** The policy first: it may keep somebody out of what the list then serves. */
  async #keep(route: RegisteredRoute): Promise<void> {
    const { prefix, port, host, reqHostNames: _hosts, requireEncryption, ...extra } = route;
    const policy = [
      ...(this.#options.prefixMatch === 'string' ? ['prefixMatch', 'string'] : []),
      ...(requireEncryption === true ? ['requireHttps', 'true'] : []),
      ...(Object.keys(extra).length > 0 ? ['extra', JSON.stringify(extra)] : []),
    ];
    const written: Promise<void>[] = [];
    for (const name of frontendNames(route)) {
      this.#registered.set(name, route);
      written.push(this.#store.writeRecord('route', name, policy));
      written.push(this.#store.writeFrontend(name, prefix, [`http://${host}:${port}`]));
    }
    await Promise.all(written);
  }

  #serve(request: IncomingMessage, response: ServerResponse, found: Route | RouteMiss): void {
    if (response.destroyed) return;
    if (isMiss(found)) {
      const away = found.kind === 'away' || found.kind === 'late';
      this.#fail(new Error(away ? 'STORE_AWAY' : 'NOT_FOUND'), null, away ? 503 : 501, request, response);
      return;
    }
    const backend = found.backends[Math.floor(Math.random() * found.backends.length)];
    if (found.fault !== '' || backend === undefined) {
      const cause = found.fault || `frontend:${found.frontend} names no backend`;
      this.#fail(new Error('BAD_ROUTE', { cause }), null, 500, request, response);
      return;
    }
    if (found.policy?.requireHttps === true && (request.socket as Partial<TLSSocket>).encrypted !== true) {
      this.#sendToHttps(request, response);
      return;
    }
    this.#forward(request, response, this.#routeOf(found, backend), backend);
  }

  #forward(request: IncomingMessage, response: ServerResponse, route: RegisteredRoute, backend: Backend): void {
    for (const name of dropped) delete request.headers[name];
    response.setHeader('x-served-by', `${backend.origin}${prefixKey(route.prefix) || '/'}`);
    let failed = false;
    const fail = (error: Error): void => {
      // The package tells of the request and of the answer, each by itself.
      if (failed) return;
      failed = true;
      this.#fail(error, Object.create(route) as RegisteredRoute, 500, request, response);
    };
    const options = {
      target: targetOf(backend),
      xfwd: true,
      proxyTimeout: this.#options.timeout ?? 30_000,
      // The name of the backend is verified, not the client's Host.
      ssl: { servername: isIP(backend.host) === 0 ? backend.host : '' },
    };
    try {
      this.#proxy.web(request, response, options, fail);
    } catch (error) {
      // node:http throws for what it cannot put into a head.
      fail(error as Error);
    }
  }

  /** What was registered, where that is still what the store has; else what the store has. */
  #routeOf({ frontend }: Route, { host, port }: Backend): RegisteredRoute {
    const registered = this.#registered.get(frontend);
    if (registered !== undefined && registered.port === port && registered.host.replace(/[[\]]/g, '') === host) return registered;
    const slash = frontend.indexOf('/');
    return { prefix: slash === -1 ? '/' : frontend.slice(slash), host, port };
  }

  #sendToHttps(request: IncomingMessage, response: ServerResponse): void {
    const { httpsPort } = this.#options;
    const host = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i.exec(request.headers.host ?? '')?.[1];
    if (httpsPort === undefined || host === undefined || request.headers.upgrade !== undefined) {
      end(response, 403);
      return;
    }
    response.setHeader('Location', `https://${host}${httpsPort === 443 ? '' : `:${httpsPort}`}${requestTarget(request)}`);
    end(response, 308);
  }

  #fail(error: Error, host: RegisteredRoute | null, status: number, request: IncomingMessage, response: ServerResponse): void {
    const begun = response.headersSent;
    this.emit('proxyError', error, host, request, response);
    // Half an answer of the backend cannot become another one: the client must see that it is incomplete.
    if (begun) response.destroy();
    else end(response, status);
  }
}

/** Makes one; `new DynamicReverseProxy()` is the same. */
export function createDynamicReverseProxy(options: DynamicReverseProxyOptions = {}): DynamicReverseProxy {
  return new DynamicReverseProxy(options);
}

/** @alias createDynamicReverseProxy */
export default createDynamicReverseProxy;

/** What `require` gives: the function itself, as its users know it. */
export { createDynamicReverseProxy as 'module.exports' };

/** An empty answer, unless a listener has given one. */
function end(response: ServerResponse, status: number): void {
  if (response.headersSent || response.writableEnded) return;
  response.statusCode = status;
  response.end();
}

function refusalError(why: RegisterRefusal, cause?: unknown): Error {
  return new Error(why, cause === undefined ? undefined : { cause });
}

/** Path and query as the client wrote them; of a target in absolute form (RFC 9112 section 3.2.2) without the authority. */
function requestTarget({ url = '/' }: IncomingMessage): string {
  if (url.startsWith('/')) return url;
  const rest = /^https?:\/\/[^/?]*(.*)$/i.exec(url)?.[1] ?? '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
