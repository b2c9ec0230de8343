// Routes for the tests of health, compiled by hand.

import type { Backend } from '../../../src/model/backend.js';
import { unmarked } from '../../../src/model/dead-set.js';
import type { FrontendRecord, Route } from '../../../src/model/frontend.js';
import { Turn } from '../../../src/model/turn.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';

export const entries = (count: number): string[] => Array.from({ length: count }, (_, index) => `http://10.0.0.${index}:80`);

export function frontendRecord(changes: Partial<FrontendRecord> = {}): FrontendRecord {
  return {
    name: 'example.com',
    list: [],
    dead: [],
    marks: [],
    deadUntil: Number.POSITIVE_INFINITY,
    policy: [],
    policyFault: '',
    fault: '',
    ...changes,
  };
}

/** A route of `example.com` with some backends that nobody marked. */
export function route(count: number, changes: Partial<Route> = {}, list: readonly string[] = entries(count)): Route {
  const backends = list.map(
    (entry, index): Backend => ({
      entry,
      index,
      id: entry,
      scheme: 'http',
      host: `10.0.0.${index}`,
      port: 80,
      socketPath: '',
      origin: entry,
      publishedUrl: `${entry}/`,
      weight: 1,
      backup: false,
      group: '',
      proxyProtocol: 'none',
    }),
  );
  const records = changes.records ?? [frontendRecord({ list: ['id', ...list] })];
  return {
    host: 'example.com',
    frontend: 'example.com',
    identifier: 'id',
    backends,
    policy: null,
    even: true,
    records,
    unmarked: unmarked(records),
    fault: '',
    counts: new RouteCounts(),
    turn: new Turn(),
    ...changes,
  };
}
