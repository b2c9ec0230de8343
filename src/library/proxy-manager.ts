// The proxy as a program uses it: an object that is started, given routes at any time, listened to, and stopped.
import { ProxyServer } from 'http-proxy';
import type { AuthCallback } from '../auth/callback.js';
import type { Config } from '../config/config.js';
import {
  EventBus,
  type ListeningAddress,
  type ProxyEventListener,
  type ProxyEventName,
  type ProxyEvents,
} from '../observe/events.js';
import { createLogger, type Logger } from '../observe/logger.js';
import { type ProxyStats, type RouteStats, Tracker } from '../observe/tracker.js';
import { createProxy } from '../proxy/create-proxy.js';
import type { Proxy as RunningProxy } from '../proxy/proxy.js';
import type { Store } from '../store/store.js';
import { BackendStates } from './backend-states.js';
import { managerConfig, type ProxyManagerOptions } from './manager-options.js';
import { Router } from './router.js';

export type { ProxyManagerOptions } from './manager-options.js';

/**
 * @example
 * const manager = new ProxyManager({ port: 80, sslPort: 443 });
 * await manager.start();
 * manager.router.addRoute({ vHost: 'api.example.com', backends: [{ hostname: '10.0.0.1', port: 8080 }] });
 */
export class ProxyManager {
  /** The routes; they may be changed at any time. */
  readonly router: Router;
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #events: EventBus;
  readonly #tracker = new Tracker();
  readonly #callbacks = new Map<string, AuthCallback>();
  /** What `once` put around listeners, by listener. */
  readonly #onces = new WeakMap<object, ProxyEventListener<never>>();
  #packageServer: ProxyServer | null = null;
  #starting: Promise<RunningProxy> | null = null;
  #running: RunningProxy | null = null;
  #stopping: Promise<void> | null = null;

  /** @throws ConfigError in clear lines for options that cannot be used; nothing is opened before `start` */
  constructor(options: ProxyManagerOptions = {}) {
    this.#config = managerConfig(options);
    this.#logger = options.logger ?? createLogger(this.#config.logLevel);
    this.#events = new EventBus((name, error) => this.#logger.error(`a listener of ${name} failed`, { error }));
    this.#tracker.attach(this.#events);
    const states = new BackendStates(this.#events);
    this.router = new Router({ log: this.#logger, callbacks: this.#callbacks, states });
  }

  /**
   * Opens the store and listens; resolves when requests are served. A second call gives the first one's result.
   * @throws StartError in one line for what a person has to mend first: a busy port, refused credentials
   */
  async start(): Promise<this> {
    await this.#stopping;
    this.#starting ??= this.#open();
    try {
      this.#running = await this.#starting;
    } catch (error) {
      this.#starting = null;
      this.router.detach();
      throw error;
    }
    return this;
  }

  /**
   * Accepts nothing more, lets what is running finish, and closes. The manager may be started again.
   * @param limit milliseconds after which what still runs is cut; absent: the setting `server.drainTimeout`
   */
  stop(limit?: number): Promise<void> {
    this.#stopping ??= this.#close(limit).finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #close(limit: number | undefined): Promise<void> {
    // A start that fails has told its caller.
    const proxy = await this.#starting?.catch(() => null);
    await proxy?.drain(limit);
    this.#starting = null;
    this.#running = null;
    this.router.detach();
  }

  /** What is listened on; empty while it is not started. */
  get addresses(): readonly ListeningAddress[] {
    return this.#running?.addresses ?? [];
  }

  /** The port for HTTP, also where 0 was asked for; 0: it is not listened on. */
  get port(): number {
    return this.addresses.find(({ secure }) => !secure)?.port ?? 0;
  }

  /** The port for HTTPS; 0: it is not listened on. */
  get sslPort(): number {
    return this.addresses.find(({ secure }) => secure)?.port ?? 0;
  }

  /** Where routes and all other records are kept; null while it is not started. */
  get store(): Store | null {
    return this.#running?.store ?? null;
  }

  /**
   * The instance of the `http-proxy` package. A program may forward requests of servers of its own with it; with the option
   * `engine: 'http-proxy'` all requests pass it, and its events tell of them.
   */
  get proxy(): ProxyServer {
    this.#packageServer ??= new ProxyServer();
    return this.#packageServer;
  }

  /** Makes a function known by a name that routes have as their `authProvider`; replaces the one of that name. */
  registerAuthProvider(name: string, callback: AuthCallback): this {
    if (!/^[\w.:@/-]{1,200}$/.test(name))
      throw new TypeError('the name of an auth provider has up to 200 letters, digits and . : @ / _ -');
    if (typeof callback !== 'function') throw new TypeError(`auth provider ${name} must be a function`);
    this.#callbacks.set(name, callback);
    return this;
  }

  /** Statistics of everything, or of one virtual host: undefined where there is no such route. */
  getStats(): ProxyStats;
  getStats(vHost: string): RouteStats | undefined;
  getStats(vHost?: string): ProxyStats | RouteStats | undefined {
    if (vHost === undefined) return this.#tracker.stats();
    const name = this.router.getRoute(vHost)?.vHost;
    if (name !== undefined) return this.#tracker.statsOf(name);
    return this.#tracker.stats().routes[vHost.toLowerCase()];
  }

  on<N extends ProxyEventName>(name: N, listener: ProxyEventListener<N>): this {
    this.#events.on(name, listener);
    return this;
  }

  /** Listens to one event of a name. */
  once<N extends ProxyEventName>(name: N, listener: ProxyEventListener<N>): this {
    const once = (event: ProxyEvents[N]): void => {
      this.#events.off(name, once);
      listener(event);
    };
    this.#onces.set(listener, once as ProxyEventListener<never>);
    this.#events.on(name, once);
    return this;
  }

  off<N extends ProxyEventName>(name: N, listener: ProxyEventListener<N>): this {
    this.#events.off(name, listener);
    const once = this.#onces.get(listener) as ProxyEventListener<N> | undefined;
    if (once !== undefined) this.#events.off(name, once);
    return this;
  }

  #open(): Promise<RunningProxy> {
    for (const warning of this.#config.warnings) this.#logger.warn(warning);
    const { engine } = this.#config.server;
    return createProxy(this.#config, {
      logger: this.#logger,
      authCallbacks: this.#callbacks,
      events: this.#events,
      prepare: (store) => this.router.attach(store),
      ...(engine === 'http-proxy' ? { packageServer: this.proxy } : {}),
    });
  }
}
