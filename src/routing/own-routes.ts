// Routes of hosts that stand in the configuration: entries as those of the list `patterns`, each with a backend of its own.
import { PatternList } from './pattern-list.js';

/** The routes of a listener, and one line for each entry that is none. */
export interface OwnRoutes {
  readonly list: PatternList;
  readonly faults: readonly string[];
}

/** @param entries JSON texts */
export function ownRoutesOf(entries: readonly string[]): OwnRoutes {
  const list = new PatternList({ values: entries, fault: '' });
  const faults = list.faults.map((text) => text.replace(/^patterns: entry/, 'route'));
  // Only what the store keeps can name a frontend of the store.
  const named = list.has('frontend') ? ['a route names a frontend; write it into the list patterns'] : [];
  return { list, faults: [...faults, ...named] };
}
