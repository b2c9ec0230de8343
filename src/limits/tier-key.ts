// By what clients are counted: an address, a key or a name, as short texts that say nothing secret.
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { BoundedMap } from '../base/bounded-map.js';
import { ownText } from '../base/own-text.js';

/** Names that are longer are counted by their digest. */
const longestName = 128;
/** Longer texts are no keys. */
const longestSecret = 1024;

/**
 * An address as it is counted. Who has one IPv6 address has 2^64 of them (RFC 6177), so that those are counted by /64.
 * @param address in plain form
 */
export function addressKey(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  return `${firstGroups(address).join(':')}::/64`;
}

/** The first four groups, without leading zeros; trailing ones that are zero are left out, as one writes a range. */
function firstGroups(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end stands for two groups.
  const behind = after.length + (after.at(-1)?.includes('.') === true ? 1 : 0);
  const groups = tail === undefined ? before : [...before, ...Array<string>(8 - before.length - behind).fill('0'), ...after];
  const first = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
  while (first.length > 0 && first.at(-1) === '0') first.pop();
  return first;
}

/** The SHA-256 of API keys, in hexadecimal, of which the last ones are remembered. */
export class KeyDigests {
  readonly #known = new BoundedMap<string, string>(10_000);

  /** Empty where the text cannot be a key. */
  of(secret: string): string {
    if (secret === '' || secret.length > longestSecret) return '';
    const known = this.#known.get(secret);
    if (known !== undefined) return known;
    const digest = sha256(Buffer.from(secret, 'latin1'));
    this.#known.set(ownText(secret), digest);
    return digest;
  }
}

/** A name that somebody else chose, such as the subject of a token, as it is counted. */
export function nameKey(name: string): string {
  return name.length <= longestName ? name : sha256(Buffer.from(name, 'utf8'));
}

function sha256(text: Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}
