// The way from a request to its route with every step told: for people who want to know why a request goes where it goes.
import type { FrontendRecord, Route } from '../model/frontend.js';
import type { Store } from '../store/store.js';
import { compileRoute, matchingRecord } from './compile-route.js';
import { normaliseHost } from './host-name.js';
import type { HostPattern } from './host-pattern.js';
import { lookupFor } from './lookup.js';
import { normalPath } from './path-normal.js';
import { PatternList } from './pattern-list.js';
import { PrefixIndex } from './prefix-index.js';

/** What a request asks for. */
export interface TracedRequest {
  /** Host and port, as in the Host header. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  readonly secure: boolean;
}

/** The steps of a look-up. */
export interface RouteTrace {
  /** False: no host that can be looked up. */
  readonly validHost: boolean;
  /** Path in the form in which it is matched. */
  readonly path: string;
  /** The pattern that decided, as it was written; empty: none matches. */
  readonly pattern: string;
  /** The records that were looked at, in their order, up to the one that serves. */
  readonly tried: readonly FrontendRecord[];
  /** Null: nobody serves it. */
  readonly route: Route | null;
  /** One line each. */
  readonly faults: readonly string[];
}

/** Asks the store anew for everything; what the proxy does from memory comes to the same. Rejects when the store cannot be asked. */
export async function traceRoute(
  store: Pick<Store, 'state' | 'scanNames' | 'readFrontends' | 'readRecord' | 'remembered'>,
  { authority, target, secure }: TracedRequest,
): Promise<RouteTrace> {
  const path = normalPath(target);
  const name = normaliseHost(authority);
  if (name === null) return { validHost: false, path, pattern: '', tried: [], route: null, faults: [] };
  const faults: string[] = [];
  const patterns = new PatternList(await store.readRecord('patterns', ''));
  faults.push(...patterns.faults);
  const pattern = patterns.match(name.host, secure);
  const decided = { validHost: true, path, pattern: pattern?.text ?? '' };
  if (isDirect(pattern)) return { ...decided, tried: [], route: pattern.target.route, faults };
  const prefixes = new PrefixIndex({ store, log: (text) => faults.push(text), onHosts: () => undefined });
  await prefixes.whenReady();
  const { host, names } = lookupFor(name, pattern, path, prefixes);
  const records = await store.readFrontends(names);
  const matched = matchingRecord(records);
  if (matched === -1) return { ...decided, tried: records, route: null, faults };
  const tried = records.slice(0, matched + 1);
  const compiled = compileRoute(host, tried);
  return { ...decided, tried, route: compiled.route, faults: [...faults, ...compiled.faults] };
}

function isDirect(pattern: HostPattern | null): pattern is HostPattern & { readonly target: { readonly kind: 'backend' } } {
  return pattern?.target.kind === 'backend';
}
