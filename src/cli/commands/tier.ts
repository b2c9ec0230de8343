// `cjs-proxy tier …`: rate limits with a name.
import { exitCodes } from '../command-error.js';
import { membersOf, memberText } from '../field-words.js';
import { recordPath } from '../fleet/fleet.js';
import { Table } from '../output/table.js';
import type { Session } from '../session.js';

const path = '/tiers';

/** Options are texts of numbers. */
export interface TierOptions {
  readonly points: string;
  readonly duration?: string;
  readonly burst?: string;
  readonly burstDuration?: string;
  readonly scope?: string;
  readonly set?: readonly string[];
}

/** A tier as the API tells it. */
interface TierDocument {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** Makes a tier, or replaces it as a whole. */
export async function setTier(session: Session, [name = '']: readonly string[], options: TierOptions): Promise<number> {
  const { set = [], points, duration, burst, burstDuration, scope } = options;
  const given = Object.entries({ points, duration, burst, burstDuration, scope }).filter(([, text]) => text !== undefined);
  const body = { ...membersOf(given.map(([field, text]) => `${field}=${text}`)), ...membersOf(set) };
  const tier = await session.write<TierDocument>({ method: 'put', path: recordPath(path, name), body });
  session.tell(`tier ${tier.name}: ${memberText(tier.points)} points in ${memberText(tier.duration ?? 60)} s`, tier);
  return exitCodes.done;
}

export async function removeTier(session: Session, [name = '']: readonly string[]): Promise<number> {
  await session.write({ method: 'delete', path: recordPath(path, name) });
  session.tell(`removed the tier ${name}`, { removed: name });
  return exitCodes.done;
}

export async function listTiers(session: Session): Promise<number> {
  const tiers: TierDocument[] = [];
  for await (const page of session.pages<TierDocument>(path)) tiers.push(...page);
  if (session.json) {
    session.print(JSON.stringify(tiers));
    return exitCodes.done;
  }
  const titles = ['TIER', 'POINTS', 'SECONDS', 'BURST', 'SCOPE'].map((title, at) => ({
    title,
    align: at > 0 && at < 4 ? ('right' as const) : ('left' as const),
  }));
  const shown = (value: unknown): string => (value === undefined || value === 0 ? '' : memberText(value));
  const rows = tiers.map(({ name, points, duration, burst, scope }) => [name, ...[points, duration, burst, scope].map(shown)]);
  session.print(new Table(titles).lines(rows).join('\n'));
  return exitCodes.done;
}
