// Large buffers that connections of streams read into which move much; all of them begin with the one that they share.

const largeSize = 64 * 1024;
/** Large buffers of a worker, 32 MiB; who gets none reads on in small pieces. */
const most = 512;
/** Large buffers that wait for the next who needs one. */
const mostSpare = 64;

/** A read smaller than this gives a large buffer back: what comes is small again, or the end. */
export const smallRead = 4 * 1024;

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
