// What the workers of `npm run bench:stats` are told, in their environment.

export const orderVariable = 'CJS_PROXY_BENCH_STATS';

export interface BenchOrder {
  readonly frontends: number;
  /** Requests of each frontend a second. */
  readonly perSecond: number;
  /** Milliseconds since the epoch from which on it is told what was counted. */
  readonly tellsFrom: number;
}
