// Copies of bytes that are about to be written: nearly always the kernel takes them at once, and then the memory serves again.

const slabSize = 64 * 1024;

/** One slab for all sockets of a mode, written from by one of them at a time. */
export class SendBuffer {
  #slab: Buffer = Buffer.allocUnsafeSlow(slabSize);

  /** A copy that may be written until the next call. @param own it is to last: the other end is known to be slow */
  copy(bytes: Buffer, start: number, end: number, own: boolean): Buffer {
    const size = end - start;
    if (own || size > slabSize) return Buffer.from(bytes.subarray(start, end));
    bytes.copy(this.#slab, 0, start, end);
    return this.#slab.subarray(0, size);
  }

  /** The copy that was given last could not leave at once: its memory is left to it. */
  lend(copy: Buffer): void {
    if (copy.buffer === this.#slab.buffer) this.#slab = Buffer.allocUnsafeSlow(slabSize);
  }
}
