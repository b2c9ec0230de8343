// A set of header names, with what tells most other names apart without a look at their letters.

/** Names in lower case. To be filled by `add`: a set that is made of others is made by `allNames`. */
export class HeaderNames extends Set<string> {
  /** The lengths of the names modulo 32, as a mask. */
  lengths = 0;

  override add(name: string): this {
    this.lengths |= 1 << name.length;
    return super.add(name);
  }
}

/** The mask of any set of names. */
export function lengthsOf(names: ReadonlySet<string>): number {
  if (names instanceof HeaderNames) return names.lengths;
  let lengths = 0;
  for (const name of names) lengths |= 1 << name.length;
  return lengths;
}

/** The names of several sets. */
export function allNames(...sets: readonly ReadonlySet<string>[]): HeaderNames {
  const all = new HeaderNames();
  for (const set of sets) for (const name of set) all.add(name);
  return all;
}
