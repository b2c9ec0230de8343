// What all parts of a store in Redis do alike: errors that say what was being done, and names that are no patterns.
import type { Commands } from '../redis/commands.js';
import type { RedisSide } from '../redis/kept-link.js';
import { asError, shortReason } from '../redis/redis-errors.js';

/**
 * Runs commands on a side of the store.
 * @param doing what, for people: `reading frontends`
 * @throws Error that says so, with the foreign error as its cause
 */
export async function namedRun<T>(side: RedisSide, doing: string, work: (commands: Commands) => Promise<T>): Promise<T> {
  try {
    return await side.run(work);
  } catch (error) {
    const reason = asError(error);
    throw new Error(`${doing} in Redis failed: ${shortReason(reason)}`, { cause: reason });
  }
}

/** Text that a MATCH pattern takes as it stands. */
export function globLiteral(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, '\\$&');
}
