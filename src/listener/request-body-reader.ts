// Takes the body of a request out of a client's byte stream, by its length or chunk by chunk.
import { bodyHeadroom, type RequestBody } from '../exchange/request-body.js';
import { ChunkedReader } from '../http1/chunked-reader.js';
import type { HeadLimits } from '../http1/head-lines.js';
import { type BodyLength, chunked } from '../http1/message.js';

/** One a connection, begun anew for each request. */
export class RequestBodyReader {
  /** The body has been read to its end. */
  done = true;
  /** What is wrong with its framing, or empty. */
  error = '';
  /** Trailer lines, each ended by CRLF, once done. */
  trailers = '';

  readonly #limits: HeadLimits;
  #remaining = 0;
  #chunks: ChunkedReader | null = null;
  /** Storage of an earlier read that nobody holds: a long upload goes through one instead of filling the memory with them. */
  #spare: Buffer | null = null;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  begin(length: BodyLength): void {
    this.done = length === 0;
    this.error = '';
    this.trailers = '';
    this.#remaining = length > 0 ? length : 0;
    this.#spare = null;
    this.#chunks = length === chunked ? new ChunkedReader(this.#limits) : null;
  }

  /** Gives the bytes of the body in `chunk` from `at` to the body, or throws them away when it is null. @returns where the body's bytes end */
  read(chunk: Buffer, at: number, body: RequestBody | null): number {
    return this.#chunks === null ? this.#readLength(chunk, at, body) : this.#readChunks(this.#chunks, chunk, at, body);
  }

  #readLength(chunk: Buffer, at: number, body: RequestBody | null): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.done = this.#remaining === 0;
    if (body !== null) {
      const storage = this.#newStorage(end - at);
      const filled = bodyHeadroom + chunk.copy(storage, bodyHeadroom, at, end);
      this.#give(body, storage, filled);
    }
    return end;
  }

  #readChunks(chunks: ChunkedReader, chunk: Buffer, at: number, body: RequestBody | null): number {
    let storage: Buffer | null = null;
    let filled = bodyHeadroom;
    let next = at;
    while (next < chunk.length && !chunks.done) {
      next = chunks.read(chunk, next, chunk.length);
      if (chunks.error !== '') {
        this.error = chunks.error;
        return chunk.length;
      }
      if (body === null || chunks.dataEnd === chunks.dataStart) continue;
      // All of a read goes on in one piece: a body in chunks of one byte would else cost the backend a write for each.
      if (storage === null) storage = this.#newStorage(chunk.length - chunks.dataStart);
      filled += chunk.copy(storage, filled, chunks.dataStart, chunks.dataEnd);
    }
    if (storage !== null && body !== null) this.#give(body, storage, filled);
    this.done = chunks.done;
    if (this.done) this.trailers = chunks.trailers;
    return next;
  }

  /** What a body keeps is copied, since the next read goes into the same buffer; with room in front for a head. */
  #newStorage(size: number): Buffer {
    const spare = this.#spare;
    this.#spare = null;
    return spare !== null && spare.length >= bodyHeadroom + size ? spare : Buffer.allocUnsafeSlow(bodyHeadroom + size);
  }

  #give(body: RequestBody, storage: Buffer, filled: number): void {
    if (body.push(storage.subarray(bodyHeadroom, filled))) this.#spare = storage;
  }
}
