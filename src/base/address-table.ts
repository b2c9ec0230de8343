// Addresses and ranges of one family, asked for membership in a time that does not grow with their number.

/** One set of leading bits for each length that occurs: a list of a hundred thousand addresses costs what one address costs. */
export class AddressTable<T extends number | bigint> {
  readonly #read: (address: string) => T;
  readonly #leading: (value: T, length: number) => T;
  readonly #lengths: { readonly length: number; readonly members: Set<T> }[] = [];

  /**
   * @param read an address as a number
   * @param leading its leading bits
   */
  constructor(read: (address: string) => T, leading: (value: T, length: number) => T) {
    this.#read = read;
    this.#leading = leading;
  }

  /** @param length leading bits that all addresses of the range share */
  add(address: string, length: number): void {
    let found = this.#lengths.find((one) => one.length === length);
    if (found === undefined) {
      found = { length, members: new Set() };
      this.#lengths.push(found);
    }
    found.members.add(this.#leading(this.#read(address), length));
  }

  has(address: string): boolean {
    if (this.#lengths.length === 0) return false;
    const value = this.#read(address);
    for (const { length, members } of this.#lengths) {
      if (members.has(this.#leading(value, length))) return true;
    }
    return false;
  }
}

/** For dotted IPv4 addresses, which must be well-formed. */
export function ipv4Table(): AddressTable<number> {
  return new AddressTable(ipv4Number, (value, length) => (length === 0 ? 0 : value >>> (32 - length)));
}

/** For IPv6 addresses without a zone, which must be well-formed. */
export function ipv6Table(): AddressTable<bigint> {
  return new AddressTable(ipv6Number, (value, length) => value >> BigInt(128 - length));
}

function ipv4Number(address: string): number {
  let value = 0;
  let part = 0;
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === dot) {
      value = value * 256 + part;
      part = 0;
    } else part = part * 10 + code - zero;
  }
  return value * 256 + part;
}

function ipv6Number(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  let value = 0n;
  for (const group of [...before, ...zeros, ...after]) value = (value << 16n) | BigInt(group);
  return value;
}

/** The last group may be an IPv4 address, which stands for two (RFC 4291 section 2.2). */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const value = ipv4Number(group);
    return [Math.floor(value / 65_536), value % 65_536];
  });
}

const dot = 0x2e;
const zero = 0x30;
