// The streams of a session by their numbers: a Map that keeps no stream alive which was taken out of it.
//
// The table of V8's own Map is replaced by another one when it is full, deleted entries counted, and holds for good what it held then, and
// its successor. Once one of them is old, all that follow it outlive their time: with ten streams at a time a sixth of the processor's time
// went into collecting them. Here there are two arrays, which are cleaned when an entry goes.

/** No stream has this number. */
const none = 0;
const fewest = 16;

/** Keys are positive integers, as the numbers of streams are: odd or even throughout, and growing. */
export class StreamTable<S> extends Map<number, S> {
  /** Open addressing: an entry lies where its number says or, if others lie there, behind them without a gap. */
  #ids: number[] = new Array<number>(fewest).fill(none);
  #streams: (S | undefined)[] = new Array<S | undefined>(fewest).fill(undefined);
  #size = 0;

  override get size(): number {
    return this.#size;
  }

  override get(id: number): S | undefined {
    return this.#streams[this.#find(id)];
  }

  override has(id: number): boolean {
    return this.#ids[this.#find(id)] === id;
  }

  override set(id: number, stream: S): this {
    if (this.#size * 2 >= this.#ids.length) this.#resize(this.#ids.length * 2);
    const at = this.#find(id);
    if (this.#ids[at] === none) this.#size++;
    this.#ids[at] = id;
    this.#streams[at] = stream;
    return this;
  }

  override delete(id: number): boolean {
    const ids = this.#ids;
    const mask = ids.length - 1;
    let hole = this.#find(id);
    if (ids[hole] === none) return false;
    this.#size--;
    // What lies behind moves up, unless it would come to lie before its place.
    for (let at = (hole + 1) & mask; ids[at] !== none; at = (at + 1) & mask) {
      const moved = ids[at] as number;
      const fromHome = (at - (moved >> 1)) & mask;
      if (fromHome < ((at - hole) & mask)) continue;
      ids[hole] = moved;
      this.#streams[hole] = this.#streams[at];
      hole = at;
    }
    ids[hole] = none;
    this.#streams[hole] = undefined;
    return true;
  }

  override clear(): void {
    this.#size = 0;
    this.#resize(fewest);
  }

  /** As of a Map: visits may delete any entry, and what was deleted is not visited. Those that come meanwhile are not either. */
  override forEach(visit: (stream: S, id: number, table: Map<number, S>) => void, self?: unknown): void {
    for (const [id, stream] of this.entries()) visit.call(self, stream, id, this);
  }

  override *entries(): MapIterator<[number, S]> {
    for (const id of this.#ids.filter((id) => id !== none)) {
      if (this.has(id)) yield [id, this.get(id) as S];
    }
  }

  override *keys(): MapIterator<number> {
    for (const [id] of this.entries()) yield id;
  }

  override *values(): MapIterator<S> {
    for (const [, stream] of this.entries()) yield stream;
  }

  override [Symbol.iterator](): MapIterator<[number, S]> {
    return this.entries();
  }

  /** Where an entry lies, or would. */
  #find(id: number): number {
    const ids = this.#ids;
    const mask = ids.length - 1;
    let at = (id >> 1) & mask;
    while (ids[at] !== id && ids[at] !== none) at = (at + 1) & mask;
    return at;
  }

  #resize(places: number): void {
    const ids = this.#ids;
    const streams = this.#streams;
    this.#ids = new Array<number>(places).fill(none);
    this.#streams = new Array<S | undefined>(places).fill(undefined);
    if (this.#size === 0) return;
    ids.forEach((id, from) => {
      if (id === none) return;
      const at = this.#find(id);
      this.#ids[at] = id;
      this.#streams[at] = streams[from];
    });
  }
}
