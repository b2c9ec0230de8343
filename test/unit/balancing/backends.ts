// Backends and routes for the tests of balancing, and how picks are counted.
import type { Balancer, Weights, Whose } from '../../../src/balancing/balancer.js';
import type { Backend } from '../../../src/model/backend.js';
import type { Route } from '../../../src/model/frontend.js';
import { parseBackends } from '../../../src/model/parse-backends.js';
import { type RoutePolicy, standardPolicy } from '../../../src/model/policy/policy.js';
import { Turn } from '../../../src/model/turn.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';

/** Backends of a list that has these fragments, e.g. `['weight=2', '']`. */
export function backendsWith(fragments: readonly string[]): readonly Backend[] {
  const { backends, faults } = parseBackends(
    fragments.map((fragment, at) => `http://10.0.${at >> 8}.${at & 255}:80#${fragment}`),
  );
  if (faults.length > 0) throw new Error(faults.join());
  return backends;
}

/** As many backends, all alike. */
export function backends(count: number): readonly Backend[] {
  return backendsWith(Array.from({ length: count }, () => ''));
}

/** A route of these backends. */
export function routeOf(list: readonly Backend[], policy: Partial<RoutePolicy> | null = null, frontend = 'example.com'): Route {
  return {
    host: frontend,
    frontend,
    identifier: 'id',
    backends: list,
    policy: policy === null ? null : { ...standardPolicy, ...policy },
    even: list.every(({ weight, backup }) => weight === 1 && !backup),
    records: [],
    unmarked: true,
    fault: '',
    counts: new RouteCounts(),
    turn: new Turn(),
  };
}

/** A frontend of this name, of which nothing was picked yet. */
export function newWhose(frontend = 'f'): Whose {
  return { frontend, turn: new Turn() };
}

/** How often each of `list` was picked. */
export function countPicks(
  balancer: Balancer,
  list: readonly Backend[],
  times: number,
  { weights = null, whose = newWhose(), key = String }: CountOptions = {},
): number[] {
  const counts = new Array<number>(list.length).fill(0);
  for (let turn = 0; turn < times; turn++) {
    const picked = balancer.pick(list, whose, key(turn), weights);
    counts[list.indexOf(picked as Backend)]!++;
  }
  return counts;
}

interface CountOptions {
  readonly weights?: Weights | null;
  /** A new one unless a test says otherwise. */
  readonly whose?: Whose;
  /** Key of a turn; each turn has its own unless a test says otherwise. */
  readonly key?: (turn: number) => string;
}

/** Whether a count is within seven standard deviations of its share: never wrong by chance. */
export function isShare(count: number, times: number, share: number): boolean {
  return Math.abs(count - times * share) <= 7 * Math.sqrt(times * share * (1 - share)) + 1;
}
