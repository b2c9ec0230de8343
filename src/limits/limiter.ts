// The contract of a limiter: what counts the points that clients spend in a window. Implemented by memory-limiter, node-limiter,
// redis-limiter and fallback-limiter; ledger decides with it, mostly without asking.

/** A window that begins with the first points that are spent in it. */
export interface Window {
  /** Tells windows apart, and begins the keys of what is counted in this one. */
  readonly name: string;
  readonly points: number;
  /** Whole seconds. */
  readonly duration: number;
}

/** What was counted for a key. */
export interface Count {
  readonly spent: number;
  /** Milliseconds until its window ends. */
  readonly left: number;
}

/** The same after points were asked for. */
export interface Taking extends Count {
  readonly taken: boolean;
}

/** Counts for one window. A refusal is a value; a method rejects only where nothing can be counted. */
export interface Limiter {
  /** True while nothing may be given out that was not asked for. */
  readonly strict: boolean;
  /** True where nobody else counts: a block may be as large as the limit. */
  readonly alone: boolean;
  /**
   * Counts points that were given out already, whatever is left.
   * @param seconds that the window lasts, where it begins with these points; a whole number from 1
   */
  spend(key: string, points: number, seconds: number): Promise<Count>;
  /** Takes points where so many are left; counts nothing otherwise. */
  take(key: string, points: number, seconds: number): Promise<Taking>;
}
