// Records to a route: the first that has a list wins, its entries become backends, what cannot be understood becomes a fault.
import type { FrontendRecord, Route } from '../model/frontend.js';
import { parseBackends } from '../model/parse-backends.js';
import { type ParsedPolicy, parsePolicy } from '../model/policy/policy.js';
import { strangersIn } from '../model/policy/strangers.js';
import { Turn } from '../model/turn.js';
import { FrontendRoute } from './frontend-route.js';

/** A route and what is wrong with its record, one line each. */
export interface CompiledRoute {
  readonly route: Route;
  readonly faults: readonly string[];
}

/** Position of the record that serves, or -1. An identifier alone is a list, and so is a key of the wrong type: both stand in the way. */
export function matchingRecord(records: readonly FrontendRecord[]): number {
  return records.findIndex((record) => record.list.length > 0 || record.fault !== '');
}

/**
 * Makes the route of a host, or of what is below a prefix on it.
 * @param host the host asked for, without port
 * @param records of the names that were tried, in their order, up to the one that matched (the last); where it is the only one, the
 *   array becomes a part of the route
 * @param turn that its backends are picked by; a new one where nothing was picked yet
 */
export function compileRoute(host: string, records: readonly FrontendRecord[], turn: Turn = new Turn()): CompiledRoute {
  const matched = records.at(-1)!;
  // `host:port` serves under its own name; any other match under the host alone, whose dead set Hipache keeps by that name, and which
  // has the prefix of the match.
  const own = `${host}${prefixOf(matched.name)}`;
  const asked = matched.name.startsWith(`${host}:`) ? matched : (records.find((record) => record.name === own) ?? matched);
  const { backends, faults } = parseBackends(matched.list.slice(1));
  const policy = policyOf(matched);
  const junkOnly = backends.length === 0 && faults.length > 0;
  const fault = matched.fault || policy.refusal || (junkOnly ? `frontend:${matched.name}: ${faults[0]}` : '');
  const route = new FrontendRoute(recordsOf(asked, matched, records), backends, policy.policy, fault, turn);
  const all = matched.fault !== '' ? [matched.fault] : faults.map((text) => `frontend:${matched.name}: ${text}`);
  const strangers = route.policy === null ? [] : strangersIn(route.policy, backends);
  return { route, faults: [...all, ...policy.faults, ...strangers.map((text) => `route:${matched.name}: ${text}`)] };
}

/** Most routes have but one record: the array that whoever asks has as well. */
function recordsOf(
  asked: FrontendRecord,
  matched: FrontendRecord,
  records: readonly FrontendRecord[],
): readonly FrontendRecord[] {
  if (asked !== matched) return [asked, matched];
  return records.length === 1 ? records : [matched];
}

function prefixOf(name: string): string {
  const slash = name.indexOf('/');
  return slash === -1 ? '' : name.slice(slash);
}

/** The policy of a record, null without a hash. Its faults name the key. */
function policyOf({ name, policy, policyFault }: FrontendRecord): Omit<ParsedPolicy, 'policy'> & Pick<Route, 'policy'> {
  if (policyFault !== '') return { policy: null, faults: [policyFault], refusal: policyFault };
  if (policy.length === 0) return { policy: null, faults: [], refusal: '' };
  const parsed = parsePolicy(policy);
  const named = (text: string): string => (text === '' ? '' : `route:${name}: ${text}`);
  return { policy: parsed.policy, faults: parsed.faults.map(named), refusal: named(parsed.refusal) };
}
