// The package rate-limiter-flexible, loaded with the first tier that is used: it brings a dozen stores along, 10 MiB in each worker.
import { createRequire } from 'node:module';

type RateLimiterPackage = typeof import('rate-limiter-flexible');

const load = createRequire(import.meta.url);
let loaded: RateLimiterPackage | null = null;

/** Its classes. */
export function rateLimiterPackage(): RateLimiterPackage {
  loaded ??= load('rate-limiter-flexible') as RateLimiterPackage;
  return loaded;
}
