// The prefixes of one host, and which of them a path is below: as many look-ups as there are depths, however many prefixes there are.

/** A frontend with a path prefix. */
export interface PathPrefix {
  /** The frontend's name: the host, then the prefix. */
  readonly name: string;
  /** In normal form, e.g. `/api/v1`; empty for `/`. */
  readonly prefix: string;
  /** It may end in the middle of a segment. Changed by `PrefixSet.match` only. */
  inString: boolean;
  /** The scan that has seen it last, or during which it was told. */
  seen: number;
  /** Grows with each change that is told of it. */
  version: number;
}

/** Found in one path, the longest first; made once, since nobody keeps it. */
const ends: number[] = [];

export class PrefixSet {
  readonly #prefixes = new Map<string, PathPrefix>();
  /** How many prefixes there are of each number of segments. */
  readonly #depths: number[] = [];
  /** How many prefixes that may end anywhere there are of each length, the greatest length first. */
  #lengths = new Map<number, number>();

  get size(): number {
    return this.#prefixes.size;
  }

  get(prefix: string): PathPrefix | undefined {
    return this.#prefixes.get(prefix);
  }

  add(prefix: PathPrefix): void {
    this.#prefixes.set(prefix.prefix, prefix);
    const depth = depthOf(prefix.prefix);
    while (this.#depths.length <= depth) this.#depths.push(0);
    this.#depths[depth] = (this.#depths[depth] as number) + 1;
  }

  delete(prefix: PathPrefix): void {
    this.match(prefix, 'segment');
    this.#prefixes.delete(prefix.prefix);
    const depth = depthOf(prefix.prefix);
    this.#depths[depth] = (this.#depths[depth] as number) - 1;
    while (this.#depths.at(-1) === 0) this.#depths.pop();
  }

  /** Says how one of its prefixes is to be matched. */
  match(prefix: PathPrefix, how: 'segment' | 'string'): void {
    if (prefix.inString === (how === 'string')) return;
    prefix.inString = how === 'string';
    const { length } = prefix.prefix;
    const count = (this.#lengths.get(length) ?? 0) + (prefix.inString ? 1 : -1);
    if (count === 0) this.#lengths.delete(length);
    else if (this.#lengths.has(length)) this.#lengths.set(length, count);
    else this.#lengths = new Map([...this.#lengths, [length, count] as const].sort(([one], [other]) => other - one));
  }

  /** The longest prefix of a path, or null. @param path in normal form */
  longest(path: string): PathPrefix | null {
    const found = this.#onBorder(path);
    return this.#lengths.size === 0 ? found : (this.#inString(path, found) ?? found);
  }

  /** All prefixes of a path, the longest first. */
  all(path: string): PathPrefix[] {
    const found: PathPrefix[] = [];
    for (let next = this.longest(path); next !== null; next = this.#shorter(path, next)) found.push(next);
    return found;
  }

  *[Symbol.iterator](): Iterator<PathPrefix> {
    yield* this.#prefixes.values();
  }

  /** The next prefix below one that was found: a path that ends before its last character has the same shorter prefixes. */
  #shorter(path: string, { prefix }: PathPrefix): PathPrefix | null {
    if (prefix === '') return null;
    const border = prefix.lastIndexOf('/');
    const onBorder = this.#onBorder(path.slice(0, Math.max(1, border)));
    for (const length of this.#lengths.keys()) {
      if (length >= prefix.length) continue;
      if (onBorder !== null && length <= onBorder.prefix.length) break;
      const found = this.#prefixes.get(path.slice(0, length));
      if (found?.inString === true) return found;
    }
    return onBorder;
  }

  #onBorder(path: string): PathPrefix | null {
    const deepest = this.#depths.length - 1;
    let depth = 0;
    if (path !== '/') {
      for (let at = 0; depth < deepest && at < path.length; ) {
        const next = path.indexOf('/', at + 1);
        at = next === -1 ? path.length : next;
        depth++;
        ends[depth] = at;
      }
    }
    for (; depth > 0; depth--) {
      if (this.#depths[depth] === 0) continue;
      const found = this.#prefixes.get(path.slice(0, ends[depth]));
      if (found !== undefined) return found;
    }
    return deepest >= 0 && (this.#depths[0] as number) > 0 ? (this.#prefixes.get('') ?? null) : null;
  }

  /** A longer one that may end anywhere. */
  #inString(path: string, onBorder: PathPrefix | null): PathPrefix | null {
    for (const length of this.#lengths.keys()) {
      if (onBorder !== null && length <= onBorder.prefix.length) return null;
      if (length > path.length) continue;
      const found = this.#prefixes.get(path.slice(0, length));
      if (found?.inString === true) return found;
    }
    return null;
  }
}

/** Number of segments. */
export function depthOf(prefix: string): number {
  let depth = 0;
  for (let at = prefix.indexOf('/'); at !== -1; at = prefix.indexOf('/', at + 1)) depth++;
  return depth;
}
