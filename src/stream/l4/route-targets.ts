// The backends of a frontend as targets of passed-on connections: those that are marked dead anywhere are left out.
import type { StreamSettings } from '../../config/stream-config.js';
import type { HealthView } from '../../health/health-view.js';
import type { Route } from '../../model/frontend.js';
import type { StreamPlan } from '../../model/stream.js';
import { targetOf } from '../../model/stream-target.js';
import { type Pick, Targets, type TargetsParts } from '../targets.js';

export interface RouteTargetsParts extends Omit<TargetsParts, 'plan'> {
  readonly view: HealthView;
  /** With the strategy of frontends that name none. */
  readonly settings: StreamSettings;
  /** Bytes are passed as they are, also to a backend that is spoken to in TLS. */
  readonly secure: boolean;
}

export class RouteTargets extends Targets {
  readonly #parts: RouteTargetsParts;
  #route: Route;

  constructor(route: Route, parts: RouteTargetsParts) {
    super({ ...parts, plan: planOf(route, parts) });
    this.#parts = parts;
    this.#route = route;
  }

  /** Keeps itself to a route that may have been compiled anew. */
  follow(route: Route): void {
    if (route === this.#route) return;
    this.#route = route;
    this.update(planOf(route, this.#parts));
  }

  override pick(key: string, tried: readonly string[]): Pick {
    const usable = this.#parts.view.candidates(this.#route, null);
    if (usable.length === this.#route.backends.length) return super.pick(key, tried);
    const dead = this.#route.backends.filter((backend) => !usable.includes(backend)).map(({ id }) => id);
    return super.pick(key, [...tried, ...dead]);
  }
}

function planOf(route: Route, { settings, secure }: RouteTargetsParts): StreamPlan {
  const weights = route.policy?.weights;
  return {
    name: route.frontend,
    mode: 'l4',
    settings: { ...settings, strategy: route.policy?.strategy ?? settings.strategy },
    targets: route.backends.map((backend) => {
      const target = targetOf(backend, secure);
      return { ...target, weight: weights?.[backend.id] ?? target.weight };
    }),
    faults: [],
  };
}
