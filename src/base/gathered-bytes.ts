// Bytes that arrive in pieces and are kept until there are enough of them: one buffer that grows, so that many small pieces cost no more than few large ones.

const firstSize = 2_048;

export class GatheredBytes {
  #bytes: Buffer | null = null;
  #length = 0;

  /** Everything so far. A view: later pieces are added behind it and do not change it. */
  get bytes(): Buffer {
    return this.#bytes === null ? Buffer.alloc(0) : this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Takes a piece, which is copied. */
  push(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (this.#bytes === null || length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(firstSize, length, (this.#bytes?.length ?? 0) * 2));
      this.#bytes?.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}
