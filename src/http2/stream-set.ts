// The streams of a session that have no number yet, of which there are few at a time: a Set without a table, for the reason of StreamTable.

export class StreamSet<S> extends Set<S> {
  readonly #streams: S[] = [];

  override get size(): number {
    return this.#streams.length;
  }

  override has(stream: S): boolean {
    return this.#streams.includes(stream);
  }

  override add(stream: S): this {
    if (!this.has(stream)) this.#streams.push(stream);
    return this;
  }

  override delete(stream: S): boolean {
    const at = this.#streams.indexOf(stream);
    if (at === -1) return false;
    this.#streams.splice(at, 1);
    return true;
  }

  override clear(): void {
    this.#streams.length = 0;
  }

  /** As of a Set: visits may delete any stream, and what was deleted is not visited. Those that come meanwhile are not either. */
  override forEach(visit: (stream: S, same: S, set: Set<S>) => void, self?: unknown): void {
    for (const stream of this.values()) visit.call(self, stream, stream, this);
  }

  override *values(): SetIterator<S> {
    for (const stream of this.#streams.slice()) if (this.has(stream)) yield stream;
  }

  override keys(): SetIterator<S> {
    return this.values();
  }

  override *entries(): SetIterator<[S, S]> {
    for (const stream of this.values()) yield [stream, stream];
  }

  override [Symbol.iterator](): SetIterator<S> {
    return this.values();
  }
}
