// Names of headers that only a provider may set: backends believe them, so those that a client sends are taken out.

export class OwnedNames {
  readonly #names: readonly string[];
  /** Lengths of the names modulo 32, as a mask: nearly all headers of a client are told apart without a look at their letters. */
  readonly #lengths: number;

  /** @param names in any case */
  constructor(names: readonly string[]) {
    this.#names = [...new Set(names.map(folded))];
    this.#lengths = names.reduce((lengths, name) => lengths | (1 << name.length), 0);
  }

  get size(): number {
    return this.#names.length;
  }

  /** In any case, and with `_` in place of `-`: CGI-like backends cannot tell `X_User` from `X-User`. */
  has(name: string): boolean {
    if (!this.mayHave(name.length)) return false;
    // A few names are compared faster than the hash of a new text is computed.
    const wanted = folded(name);
    for (const one of this.#names) if (one === wanted) return true;
    return false;
  }

  /** False for a length that none of the names has. */
  mayHave(length: number): boolean {
    return (this.#lengths & (1 << length)) !== 0;
  }
}

function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}
