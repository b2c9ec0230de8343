// Waits for a condition instead of sleeping for a guess.

const interval = 5;

/**
 * Waits until a condition holds.
 * @param what said in the error when it does not hold in time, e.g. `the backend connection to close`
 * @param condition may give a value; anything but false, null and undefined ends the waiting
 * @param limit milliseconds
 * @returns what the condition gave
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  limit = 15_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + limit;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>;
    if (performance.now() > deadline) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await pause(interval);
  }
}

/**
 * Waits until a number has stood still for a while, and gives it: how far a blocked sender came.
 * @param quiet milliseconds without a change
 */
export async function settled(read: () => number, quiet = 400, limit = 10_000): Promise<number> {
  const deadline = performance.now() + limit;
  let last = read();
  let since = performance.now();
  while (performance.now() - since < quiet) {
    await pause(interval);
    const value = read();
    if (value === last) continue;
    last = value;
    since = performance.now();
    if (since > deadline) throw new Error(`the value was still changing after ${limit} ms: ${value}`);
  }
  return last;
}

/** For waits that are themselves what a test is about: a slow peer, a pause in a body. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
