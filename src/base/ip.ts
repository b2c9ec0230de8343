// IP addresses and CIDR ranges as people and sockets write them, and sets of them to ask for membership.
import { isIPv4, isIPv6 } from 'node:net';
import { ipv4Table, ipv6Table } from './address-table.js';

/** A set of addresses and ranges; immutable. */
export interface AddressSet {
  /** Whether an address belongs to the set. IPv4-mapped IPv6 counts as IPv4; a text that is no address belongs to no set. */
  has(address: string): boolean;
}

/** `::ffff:` in the forms in which it is written, followed by the IPv4 part (RFC 4291 section 2.5.5.2). */
const mappedPrefix = /^(?:::|(?:0{1,4}:){5})ffff:([0-9a-f.:]+)$/i;
const twoGroups = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/**
 * An address as it should be shown and compared: `::ffff:1.2.3.4` becomes `1.2.3.4`, the zone of `fe80::1%eth0` goes.
 * Any other text comes back unchanged.
 */
export function plainAddress(text: string): string {
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  const mapped = mappedPrefix.exec(address)?.[1];
  if (mapped === undefined) return address;
  if (isIPv4(mapped)) return mapped;
  const groups = twoGroups.exec(mapped);
  if (groups === null) return address;
  const high = Number.parseInt(groups[1] as string, 16);
  const low = Number.parseInt(groups[2] as string, 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** One address or range, parsed. */
export interface AddressRange {
  readonly family: 'ipv4' | 'ipv6';
  /** Any address of the range. */
  readonly address: string;
  /** Leading bits that all its addresses share; 32 or 128 for a single address. */
  readonly prefix: number;
}

/** Parses `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`, `::ffff:10.0.0.0/104`. Null: the text is neither an address nor a range. */
export function parseRange(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  const written = slash === -1 ? text : text.slice(0, slash);
  const length = slash === -1 ? '' : text.slice(slash + 1);
  if (slash !== -1 && !/^\d{1,3}$/.test(length)) return null;
  if (isIPv4(written)) return bounded('ipv4', written, length === '' ? 32 : Number(length), 32);
  if (!isIPv6(written)) return null;
  const address = plainAddress(written);
  const prefix = length === '' ? 128 : Number(length);
  // A range that reaches beyond ::ffff:0:0/96 holds more than IPv4 and stays IPv6.
  if (isIPv4(address) && prefix >= 96) return bounded('ipv4', address, prefix - 96, 32);
  return bounded('ipv6', isIPv4(address) ? written : address, prefix, 128);
}

function bounded(family: AddressRange['family'], address: string, prefix: number, most: number): AddressRange | null {
  return prefix <= most ? { family, address, prefix } : null;
}

/** Asked for every connection where no proxy is trusted. */
const emptySet: AddressSet = { has: () => false };

/**
 * Builds a set. One table a family: `::/0` holds no IPv4 address, which nobody means. Asking costs the same however many entries there are
 * (a `net.BlockList` looks at one after another).
 * @param entries addresses and CIDR ranges
 * @throws Error that names the first entry which is neither
 */
export function createAddressSet(entries: readonly string[]): AddressSet {
  const { set, wrong } = collectAddresses(entries);
  const [first] = wrong;
  if (first !== undefined) {
    throw new Error(`"${first}" is neither an IP address nor a range such as 10.0.0.0/8 or 2001:db8::/32`);
  }
  return set;
}

/** As `createAddressSet`, for lists that others write: what is neither an address nor a range is told and left out. */
export function collectAddresses(entries: Iterable<string>): { readonly set: AddressSet; readonly wrong: readonly string[] } {
  const tables = { ipv4: ipv4Table(), ipv6: ipv6Table() };
  const wrong: string[] = [];
  let found = 0;
  for (const entry of entries) {
    const range = parseRange(entry.trim());
    if (range === null) wrong.push(entry);
    else {
      tables[range.family].add(range.address, range.prefix);
      found++;
    }
  }
  if (found === 0) return { set: emptySet, wrong };
  const has = (address: string): boolean => {
    const plain = plainAddress(address);
    if (isIPv4(plain)) return tables.ipv4.has(plain);
    return isIPv6(plain) && tables.ipv6.has(plain);
  };
  return { set: { has }, wrong };
}
