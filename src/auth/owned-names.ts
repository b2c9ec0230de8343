// Names of headers that only a provider may set: backends believe them, so those that a client sends are taken out.

export class OwnedNames {
  readonly #names: ReadonlySet<string>;
  /** Lengths of the names, so that nearly all headers of a client are told apart without a look at their letters. */
  readonly #lengths: ReadonlySet<number>;

  /** @param names in any case */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(folded));
    this.#lengths = new Set(names.map((name) => name.length));
  }

  get size(): number {
    return this.#names.size;
  }

  /** In any case, and with `_` in place of `-`: CGI-like backends cannot tell `X_User` from `X-User`. */
  has(name: string): boolean {
    return this.#lengths.has(name.length) && this.#names.has(folded(name));
  }
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
