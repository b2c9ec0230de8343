// Which content coding a client gets: Accept-Encoding (RFC 9110 section 12.5.3), read for the codings that there are.
import { listMembers } from '../../http1/list-members.js';
import type { Coding } from '../../model/policy/compression.js';

const weight = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * The coding with the highest weight, the first of equals; null: the content as it is.
 * @param accept value of Accept-Encoding, several fields joined by commas; empty where there is none, which by the letter
 *   allows any coding, but is what clients send that can read none
 * @param offered the preferred one first
 */
export function chooseCoding<C extends Coding>(accept: string, offered: readonly C[]): C | null {
  if (accept === '') return null;
  const weights = new Map<string, number>();
  for (const member of listMembers(accept)) {
    const [name = '', ...parameters] = member.split(/[ \t]*;[ \t]*/);
    // RFC 9110 section 8.4.1.3: x-gzip is gzip by its former name.
    const coding = name === 'x-gzip' ? 'gzip' : name;
    if (coding !== '' && !weights.has(coding)) weights.set(coding, weightOf(parameters));
  }
  const any = weights.get('*') ?? 0;
  let best: C | null = null;
  let bestWeight = 0;
  for (const coding of offered) {
    const own = weights.get(coding) ?? any;
    if (own <= bestWeight) continue;
    best = coding;
    bestWeight = own;
  }
  // A client that likes the content best as it is says so by name.
  return (weights.get('identity') ?? 0) > bestWeight ? null : best;
}

/** A weight that makes no sense is no wish for the coding. */
function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    if (!parameter.startsWith('q=')) continue;
    const match = weight.exec(parameter);
    return match === null ? 0 : Number(match[1]);
  }
  return 1;
}
