// What a policy says of backends that its frontend does not have: a slip of the hand, or a list that has changed since.
import type { Backend } from '../backend.js';
import type { RoutePolicy } from './policy.js';

const mostShown = 5;

/** One line for each field that names such ids, and for each group that nobody is in; the rest of the field counts. */
export function strangersIn({ weights, split }: RoutePolicy, backends: readonly Backend[]): string[] {
  if (backends.length === 0) return [];
  const ids = new Set(backends.map(({ id }) => id));
  const faults: string[] = [];
  const look = (field: string, named: readonly string[]): void => {
    const strangers = named.filter((id) => !ids.has(id));
    if (strangers.length > 0)
      faults.push(`${field} names ${shown(strangers)}, which no backend has; allowed: ${shown([...ids])}`);
  };
  if (weights !== undefined) look('weights', Object.keys(weights));
  for (const [at, { name, backends: named }] of (split?.groups ?? []).entries()) {
    look(`split at groups.${at}.backends`, named);
    const empty = !backends.some(({ id, group }) => group === name || named.includes(id));
    if (empty) faults.push(`split at groups.${at} has no backend: none has #group=${name}, and it names none that there is`);
  }
  return faults;
}

function shown(ids: readonly string[]): string {
  const first = ids.slice(0, mostShown).map((id) => JSON.stringify(id.slice(0, 80)));
  return `${first.join(', ')}${ids.length > mostShown ? ` and ${ids.length - mostShown} more` : ''}`;
}
