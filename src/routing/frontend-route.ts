// A compiled route as a worker keeps it.
import type { Backend } from '../model/backend.js';
import { unmarked } from '../model/dead-set.js';
import type { FrontendRecord, Route } from '../model/frontend.js';
import type { RoutePolicy } from '../model/policy/policy.js';
import type { Turn } from '../model/turn.js';
import { RouteCounts } from '../observe/route-counts.js';

/**
 * There may be a hundred thousand: what its records say is not held beside them, but for what is asked for with each request. None of them is
 * in the processor's cache then, and each further object on the way costs a wait for memory.
 */
export class FrontendRoute implements Route {
  readonly records: readonly FrontendRecord[];
  readonly identifier: string;
  readonly unmarked: boolean;
  readonly backends: readonly Backend[];
  readonly policy: RoutePolicy | null;
  readonly even: boolean;
  readonly fault: string;
  readonly counts = new RouteCounts();
  readonly turn: Turn;

  /** @param records the asked one, if it has one of its own, and the one that matched */
  constructor(
    records: readonly FrontendRecord[],
    backends: readonly Backend[],
    policy: RoutePolicy | null,
    fault: string,
    turn: Turn,
  ) {
    this.records = Object.freeze(records);
    this.identifier = records[records.length - 1]!.list[0] ?? '';
    this.unmarked = unmarked(records);
    this.backends = Object.freeze(backends);
    this.policy = policy;
    this.even = backends.every(({ weight, backup }) => weight === 1 && !backup);
    this.fault = fault;
    this.turn = turn;
    Object.freeze(this);
  }

  get host(): string {
    return this.records[0]!.name;
  }

  get frontend(): string {
    return this.records[this.records.length - 1]!.name;
  }
}
