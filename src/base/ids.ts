// Ids for things that come by the thousand a second: UUIDs drawn in blocks.
import { v4 as uuid } from 'uuid';

const blockSize = 4096;
const lastDigits = 3;
const numbers = Array.from({ length: blockSize }, (_, number) => number.toString(16).padStart(lastDigits, '0'));

/**
 * Makes a source of ids: version 4 UUIDs (RFC 9562 section 5.4) whose last three digits count, so that 4096 of them
 * cost one random draw. Unique across processes and machines; not secret, since one tells its neighbours.
 */
export function createIds(): () => string {
  let block = '';
  let next = blockSize;
  return () => {
    if (next === blockSize) {
      block = uuid().slice(0, -lastDigits);
      next = 0;
    }
    return block + numbers[next++];
  };
}
