// Requests that leave for one target together, in one write at the end of a turn of the event loop.

const size = 16 * 1024;
const none = Buffer.alloc(0);

export class RequestBatch {
  #bytes: Buffer = none;
  #used = 0;

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Copies a request into the batch. @returns false: it has no room */
  add(request: Buffer): boolean {
    if (this.#used + request.length > size) return false;
    if (this.#bytes === none) this.#bytes = Buffer.allocUnsafeSlow(size);
    request.copy(this.#bytes, this.#used);
    this.#used += request.length;
    return true;
  }

  /** Takes all out; the bytes may be written until the next `add`. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    return bytes;
  }

  /** What was taken could not leave at once: its memory is left to it. */
  lend(): void {
    this.#bytes = none;
  }
}
