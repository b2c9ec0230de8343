// The routes of a program: checked at once, kept here by virtual host, and written to the store that the proxy reads.
import type { AuthCallback } from '../auth/callback.js';
import type { Logger } from '../observe/logger.js';
import type { Store } from '../store/store.js';
import type { BackendStates } from './backend-states.js';
import { parseRouteConfig, parseVHost, type RouteRecords } from './route-records.js';
import type { Backend, Route, RouteConfig } from './types.js';

/** What a router works with. */
export interface RouterParts {
  readonly log: Logger;
  /** Where functions given as `authProvider` go. */
  readonly callbacks: Map<string, AuthCallback>;
  readonly states: BackendStates;
}

interface Entry {
  readonly config: RouteConfig;
  readonly records: RouteRecords;
}

/** Routes may be added and removed before the proxy starts, while it runs and after it has stopped; they are kept for its next start. */
export class Router {
  readonly #parts: RouterParts;
  readonly #entries = new Map<string, Entry>();
  #store: Store | null = null;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /**
   * Adds a route, or replaces the one of that virtual host. With the memory store it is in force when this returns.
   * @returns settled when the store has it; a failure is logged too, so that nobody needs to wait for it
   * @throws RouteConfigError at once for a description that cannot be used, and nothing is changed
   */
  addRoute(config: RouteConfig): Promise<void> {
    const records = parseRouteConfig(config);
    const { name, callback } = records;
    const before = this.#entries.get(name);
    if (before !== undefined) this.#forget(before.records);
    this.#entries.set(name, { config: { ...config }, records });
    if (callback !== null) this.#parts.callbacks.set(callback.name, callback.run);
    return this.#written(name, (store) => write(store, records, before?.records ?? null));
  }

  /**
   * Removes the route of a virtual host.
   * @returns whether there was one that had been added here; settled when the store has forgotten it
   */
  removeRoute(vHost: string): Promise<boolean> {
    const name = parseVHost(vHost);
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    this.#parts.states.forget(name);
    if (entry !== undefined) this.#forget(entry.records);
    const written = this.#written(name, (store) => remove(store, name, entry?.records ?? null));
    return handled(written.then(() => entry !== undefined));
  }

  /** A route that was added here, and how its backends stand; undefined: there is none. */
  getRoute(vHost: string): Route | undefined {
    const entry = this.#entries.get(parseVHost(vHost));
    return entry === undefined ? undefined : this.#show(entry);
  }

  /** All routes that were added here, by virtual host. */
  get routes(): ReadonlyMap<string, Route> {
    return new Map([...this.#entries].map(([name, entry]) => [name, this.#show(entry)]));
  }

  /** For the manager: writes what there is to a store that is about to be served from, and what comes later. */
  async attach(store: Store): Promise<void> {
    this.#store = store;
    await Promise.all([...this.#entries.values()].map(({ records }) => write(store, records, null)));
  }

  /** For the manager: the store is closed. */
  detach(): void {
    this.#store = null;
    this.#parts.states.forget();
  }

  #show({ config, records }: Entry): Route {
    const { states } = this.#parts;
    const backends = records.backends.map((backend): Backend => {
      const { isDead: _isDead, deadSince: _deadSince, ...described } = backend;
      const { deadSince, failureCount } = states.of(records.name, backend.id);
      return { ...described, isDead: deadSince > 0, ...(deadSince > 0 ? { deadSince } : {}), failureCount };
    });
    return { ...config, id: records.identifier, vHost: records.name, backends };
  }

  #forget({ callback }: RouteRecords): void {
    if (callback !== null) this.#parts.callbacks.delete(callback.name);
  }

  #written(name: string, change: (store: Store) => Promise<void>): Promise<void> {
    if (this.#store === null) return Promise.resolve();
    const written = change(this.#store);
    written.catch((error: unknown) => this.#parts.log.error(`route ${name}: the store did not take the change`, { error }));
    return written;
  }
}

/**
 * The commands leave in this order without waiting for one another: first the policy, which may keep somebody out, then the
 * list that makes it a frontend.
 */
async function write(store: Store, records: RouteRecords, before: RouteRecords | null): Promise<void> {
  const { name, identifier, entries, policy, ssl } = records;
  const changes = [store.writeRecord('route', name, policy)];
  if (ssl !== null) {
    changes.push(store.writeRecord('tls', hostOf(name), ['certificate', ssl.cert, 'key', ssl.key]));
  } else if (before !== null && before.ssl !== null) {
    changes.push(store.writeRecord('tls', hostOf(name), []));
  }
  changes.push(store.writeFrontend(name, identifier, entries));
  await Promise.all(changes);
}

async function remove(store: Store, name: string, records: RouteRecords | null): Promise<void> {
  const changes = [store.deleteFrontend(name)];
  if (records !== null && records.ssl !== null) changes.push(store.writeRecord('tls', hostOf(name), []));
  await Promise.all(changes);
}

/** The host of a frontend's name, which certificates are made for: without port and prefix. */
function hostOf(name: string): string {
  return name.replace(/\/.*$/s, '').replace(/:\d+$/, '');
}

/** A promise whose rejection may be left alone. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
