// In which order the ways to prove a name are tried.
import type { ChallengeKind } from '../../config/config.js';

/**
 * Those that are allowed for a name, another one first after each failure. A wildcard can be proved by DNS only (RFC 8555 section
 * 7.1.3). Empty: there is no way.
 */
export function kindsFor(allowed: readonly ChallengeKind[], name: string, failures: number): readonly ChallengeKind[] {
  const kinds = allowed.filter((kind) => kind === 'dns-01' || !name.startsWith('*.'));
  const first = kinds.length === 0 ? 0 : failures % kinds.length;
  return [...kinds.slice(first), ...kinds.slice(0, first)];
}
