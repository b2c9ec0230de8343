// Keys that nobody reads, though they look as if they were meant to be: a misspelt beginning. Other programs may have keys of their own
// in the same Redis, so that only what is near to a beginning of ours is told.
import { editDistance, nearestName } from '../../config/nearest.js';
import { beginningOf, knownBeginnings } from '../../redis/keys.js';
import type { Finding } from './lint-records.js';
import { redis } from './redis-words.js';

/** Letters that may be wrong in a short beginning, and in one of six letters and more. */
const fewWrong = 1;
const moreWrong = 2;

/** @param key without the prefix of the driver URL */
export function lintStray(key: string): Finding[] {
  const beginning = beginningOf(key);
  const nearest = nearestName(beginning, knownBeginnings);
  if (nearest === undefined) return [];
  const wrong = editDistance(beginning.toLowerCase(), nearest);
  if (wrong > (beginning.length < 6 ? fewWrong : moreWrong)) return [];
  const meant = nearest + key.slice(beginning.length);
  const text = `nobody reads it: ${beginning} is not a known beginning of a key; the nearest known one is ${nearest}`;
  return [{ key, level: 'warning', text, mend: redis('renamenx', key, meant) }];
}
