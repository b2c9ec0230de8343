// What is odd about a route though it can be written: somebody else gets its requests, a backend twice, a tier or provider that is not there.
import { parseBackends } from '../../model/parse-backends.js';
import { parsePolicy, type RoutePolicy } from '../../model/policy/policy.js';
import { noTier, standardTiers } from '../../model/tier-name.js';
import { PatternList } from '../../routing/pattern-list.js';
import type { ManagedStore } from '../../store/managed-store.js';

/** So many steps of a walk are spent on looking for routes that come first. */
const scanSteps = 20;
const scanCount = 5_000;

/**
 * One line for each oddity. Never rejects because of what a record holds.
 * @param name of the frontend
 * @param list identifier and entries
 * @param pairs of its policy
 */
export async function warningsOf(
  store: ManagedStore,
  name: string,
  list: readonly string[],
  pairs: readonly string[],
): Promise<string[]> {
  return (await Promise.all([shadows(store, name), ownWarnings(store, list, pairs)])).flat();
}

/** What is odd about a route whatever other routes there are. */
export async function ownWarnings(store: ManagedStore, list: readonly string[], pairs: readonly string[]): Promise<string[]> {
  const { policy } = parsePolicy(pairs);
  return [...backendWarnings(list), ...(await Promise.all([tierWarnings(store, policy), authWarnings(store, policy)])).flat()];
}

function backendWarnings(list: readonly string[]): string[] {
  const { backends } = parseBackends(list.slice(1));
  if (backends.length === 0) return ['it has no backend: requests are answered with 502'];
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { origin } of backends) {
    if (seen.has(origin)) twice.add(origin);
    seen.add(origin);
  }
  return [...twice].map((origin) => `the backend ${origin} is listed more than once`);
}

async function tierWarnings(store: ManagedStore, { tier, limits = [] }: RoutePolicy): Promise<string[]> {
  const names = new Set(tier === undefined ? [] : [tier]);
  for (const rule of limits) {
    if (rule.kind === 'address') names.add(rule.tier);
    if (rule.kind === 'claim') for (const named of rule.tiers?.values() ?? []) names.add(named);
  }
  const unknown = await Promise.all([...names].map(async (name) => ((await isTier(store, name)) ? [] : [name])));
  return unknown.flat().map((name) => `there is no tier ${name}: the numbers of anonymous are in force`);
}

async function isTier(store: ManagedStore, name: string): Promise<boolean> {
  return name === noTier || standardTiers.has(name) || (await store.readRecord('tier', name)).values.length > 0;
}

async function authWarnings(store: ManagedStore, { authProvider }: RoutePolicy): Promise<string[]> {
  if (authProvider === undefined) return [];
  const record = await store.readRecord('auth', authProvider);
  return record.values.length > 0 ? [] : [`there is no auth provider ${authProvider}: nobody is let in until there is one`];
}

/** Frontends and patterns that requests for this one come to first. */
async function shadows(store: ManagedStore, name: string): Promise<string[]> {
  const slash = name.indexOf('/');
  const host = slash === -1 ? name : name.slice(0, slash);
  const suffix = host.startsWith('*') ? host.slice(1) : null;
  const patterns = new PatternList(await store.readRecord('patterns', ''));
  const sample = suffix === null ? host.replace(/:\d+$/, '') : suffix === '' ? 'any.invalid' : `any${suffix}`;
  const pattern = patterns.match(sample, false) ?? patterns.match(sample, true);
  const told = pattern === null ? [] : [`the pattern ${pattern.text} takes requests for ${sample} first`];
  return suffix === null ? told : [...told, ...(await shadowingHosts(store, name, suffix))];
}

/** A host of its own goes before a wildcard, whatever the paths of the two. */
async function shadowingHosts(store: ManagedStore, name: string, suffix: string): Promise<string[]> {
  const hosts = new Set<string>();
  let cursor = '';
  let steps = 0;
  do {
    const step = await store.scanNamesStep('frontend', suffix, cursor, scanCount);
    cursor = step.cursor;
    steps += 1;
    for (const other of step.names) {
      const host = other.split('/', 1)[0] as string;
      if (other !== name && host.endsWith(suffix) && host.length > suffix.length && !host.startsWith('*') && host === other)
        hosts.add(host);
    }
  } while (cursor !== '' && steps < scanSteps && hosts.size < 100);
  if (hosts.size === 0) return [];
  const [first] = [...hosts].sort();
  const more = hosts.size === 1 ? '' : cursor === '' && hosts.size < 100 ? ` and ${hosts.size - 1} more` : ' and others';
  return [`requests for ${first}${more} go to frontends of their own, which come first`];
}
