// The check of JSON Web Tokens, loaded with the first token: its library takes several MiB in each worker, and few sites need it.
import type { JwtSettings } from '../model/auth-provider.js';
import type { ServiceCalls } from './service-call.js';
import type { AuthQuestion, Check, Verdict } from './verdict.js';
import type { AuthClock } from './verdict-cache.js';

/** As `createJwtCheck`, later. */
export function createLateJwtCheck(settings: JwtSettings, calls: ServiceCalls, clock: AuthClock): Check {
  let check: Promise<Check> | null = null;

  async function load(): Promise<Check> {
    const { createJwtCheck, findKeyOf } = await import('./jwt.js');
    return createJwtCheck(settings, findKeyOf(settings, calls, clock), clock);
  }

  return {
    keyOf: ({ authorization }) => authorization,
    async check(question: AuthQuestion): Promise<Verdict> {
      try {
        check ??= load();
        return await (await check).check(question);
      } catch {
        // Keys of the record that cannot be read show here, as does a package that is not whole.
        check = null;
        return { kind: 'away', detail: 'tokens cannot be checked' };
      }
    },
  };
}
