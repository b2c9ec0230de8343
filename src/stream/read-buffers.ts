// What the connections of streams read into: one small buffer for all, and large ones lent to those that move much.

/** All connections begin here: a read is handled to its end before the next one begins. */
const sharedSize = 16 * 1024;
const largeSize = 64 * 1024;
/** Large buffers of a worker, 32 MiB; who gets none reads on in small pieces. */
const most = 512;
/** Large buffers that wait for the next who needs one. */
const mostSpare = 64;

/** A read smaller than this gives a large buffer back: what comes is small again, or the end. */
export const smallRead = 4 * 1024;

export const sharedReadBuffer = Buffer.allocUnsafeSlow(sharedSize);

const spare: Buffer[] = [];
let lent = 0;

/** A large buffer, or null where all are lent. */
export function lendLarge(): Buffer | null {
  if (lent >= most) return null;
  lent++;
  return spare.pop() ?? Buffer.allocUnsafeSlow(largeSize);
}

/** Takes a large buffer back. @param buffer null: it may still be written from, and must not be lent again */
export function giveBack(buffer: Buffer | null): void {
  lent--;
  if (buffer !== null && spare.length < mostSpare) spare.push(buffer);
}
