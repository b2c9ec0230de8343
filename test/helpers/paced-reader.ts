// Reads a stream at the pace of whoever wants its bytes: what is not asked for stays where it is, so that the sender is held back.
import type { Readable, Writable } from 'node:stream';
import type { Delimiter } from './http-reader.js';

const nothing: Buffer = Buffer.alloc(0);

export class PacedReader {
  readonly #stream: Readable;
  #bytes = nothing;
  #over = false;
  #wake: (() => void) | null = null;
  /** It closed without having ended. */
  broken = false;

  constructor(stream: Readable) {
    this.#stream = stream;
    let ended = false;
    stream.on('readable', () => this.#tell());
    stream.on('end', () => {
      ended = true;
      this.#finish();
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      this.broken ||= !ended;
      this.#finish();
    });
  }

  /** Bytes up to and with a text; null: it ended before. */
  async until(text: string): Promise<Buffer | null> {
    for (;;) {
      const at = this.#bytes.indexOf(text, 0, 'latin1');
      if (at >= 0) return this.#cut(at + text.length);
      if (!(await this.#more())) return null;
    }
  }

  /** The next bytes, no more than a number of them; null: it has ended. */
  async some(most = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    if (this.#bytes.length === 0 && !(await this.#more())) return null;
    return this.#cut(Math.min(most, this.#bytes.length));
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const piece = this.#stream.read() as Buffer | null;
      if (piece !== null) {
        this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
        return true;
      }
      if (this.#over) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #cut(count: number): Buffer {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  #finish(): void {
    this.#over = true;
    this.#tell();
  }

  #tell(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** Writes, and resolves when more may be written or nobody takes anything any more. */
export async function writePaced(stream: Writable, piece: Buffer): Promise<void> {
  if (stream.destroyed || stream.writableEnded || stream.write(piece)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}

/**
 * Passes the body of an HTTP/1.1 message on, piece by piece.
 * @returns its trailers as they were sent; null: it was broken off
 */
export async function passBody(
  reader: PacedReader,
  delimiter: Delimiter,
  take: (piece: Buffer) => Promise<void>,
): Promise<string | null> {
  const passed = async (count: number): Promise<boolean> => {
    for (let left = count; left > 0; ) {
      const piece = await reader.some(left);
      if (piece === null) return false;
      left -= piece.length;
      await take(piece);
    }
    return true;
  };
  switch (delimiter.kind) {
    case 'none':
      return '';
    case 'length':
      return (await passed(delimiter.length)) ? '' : null;
    case 'close':
      for (let piece = await reader.some(); piece !== null; piece = await reader.some()) await take(piece);
      return reader.broken ? null : '';
    case 'chunked':
      for (;;) {
        const line = await reader.until('\r\n');
        if (line === null) return null;
        const size = Number.parseInt(line.toString('latin1'), 16);
        if (size === 0) return trailersOf(reader);
        if (!(await passed(size)) || (await reader.until('\r\n')) === null) return null;
      }
  }
}

async function trailersOf(reader: PacedReader): Promise<string | null> {
  let trailers = '';
  for (;;) {
    const line = await reader.until('\r\n');
    if (line === null) return null;
    if (line.length === 2) return trailers;
    trailers += line.toString('latin1');
  }
}
