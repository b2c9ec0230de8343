// Where connections are passed on to: the targets of each frontend that was asked for, and of each endpoint that stands in for one.
import type { StreamSettings } from '../../config/stream-config.js';
import type { Route } from '../../model/frontend.js';
import { parseTargets } from '../../model/stream-target.js';
import { Targets } from '../targets.js';
import { RouteTargets, type RouteTargetsParts } from './route-targets.js';

/** Frontends whose targets are remembered; what runs over those of others goes on. */
const most = 1_000;

export class Destinations {
  readonly #parts: Omit<RouteTargetsParts, 'settings' | 'secure'>;
  #settings: StreamSettings;
  readonly #routes = new Map<string, RouteTargets>();
  readonly #endpoints = new Map<string, Targets>();

  constructor(parts: Omit<RouteTargetsParts, 'settings' | 'secure'>, settings: StreamSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** The targets of a route. @param secure bytes are TLS, and passed as they are */
  ofRoute(route: Route, secure: boolean): Targets {
    const key = `${secure ? 'tls ' : 'text '}${route.frontend}`;
    let targets = this.#routes.get(key);
    // The one that was used last stands at the end.
    if (targets !== undefined) this.#routes.delete(key);
    else targets = new RouteTargets(route, { ...this.#parts, settings: this.#settings, secure });
    targets.follow(route);
    this.#routes.set(key, targets);
    if (this.#routes.size > most) this.#forgetOldest();
    return targets;
  }

  /** The one target that an endpoint of the settings is. */
  ofEndpoint(entry: string): Targets {
    let targets = this.#endpoints.get(entry);
    if (targets === undefined) {
      const plan = {
        name: entry,
        mode: 'l4' as const,
        settings: this.#settings,
        targets: parseTargets([entry]).targets,
        faults: [],
      };
      targets = new Targets({ ...this.#parts, plan, deadTime: 0, recoveryInterval: 0 });
      this.#endpoints.set(entry, targets);
    }
    return targets;
  }

  /** Settings changed: what begins from now on goes by them. */
  update(settings: StreamSettings): void {
    this.close();
    this.#settings = settings;
  }

  /** Told by the clock. */
  sweep(): void {
    for (const targets of this.#routes.values()) targets.sweep();
  }

  close(): void {
    for (const targets of [...this.#routes.values(), ...this.#endpoints.values()]) targets.close();
    this.#routes.clear();
    this.#endpoints.clear();
  }

  #forgetOldest(): void {
    for (const [key, targets] of this.#routes) {
      targets.close();
      this.#routes.delete(key);
      return;
    }
  }
}
