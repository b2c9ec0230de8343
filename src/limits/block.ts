// How many points a worker may give out to a client before it has to tell the others: pure arithmetic.

/** The largest block is this part of a limit. */
const partOfLimit = 64;
/** Of what is left a worker takes one part in so many, so that as many may do so at once. */
const partOfRest = 16;
/** A client of whom nothing is known yet. */
const first = 8;
/** A block that lasted less long was too small, one that lasted longer was too large. Milliseconds. */
const short = 1_000;
const long = 8_000;

/**
 * The bound: together the workers never give out more than the limit and one such block each.
 * @returns 0 for small limits, of which every point is asked for
 */
export function largestBlock(points: number): number {
  return Math.floor(points / partOfLimit);
}

/** The block of a client who is new to the worker. */
export function firstBlock(points: number): number {
  return Math.min(first, largestBlock(points));
}

/**
 * What the rate of a client asks for, before it is cut down to what is left.
 * @param wish what it was
 * @param lasted milliseconds in which a block was spent
 */
export function nextWish(points: number, wish: number, lasted: number): number {
  if (lasted < short) return Math.min(largestBlock(points), 2 * wish);
  return lasted > long ? Math.max(firstBlock(points), wish >> 1) : wish;
}

/** The block itself: it shrinks as the limit comes near, and the last points are asked for one by one. */
export function blockOf(points: number, spent: number, wish: number): number {
  return Math.max(0, Math.min(wish, Math.floor((points - spent) / partOfRest)));
}

/** How much of a block is spent when the others are told: the rest lasts until they have answered. */
export function tellsAt(block: number): number {
  return Math.ceil(block * 0.75);
}
