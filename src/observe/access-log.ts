// The access log: lines gathered in memory and written in large pieces, without ever making an exchange wait for the disk.
//
// A general log stream costs 8 to 11 microseconds a line; one `latin1Write` into a buffer of our own costs a fraction of one.
// Several workers append to one file, so each piece holds whole lines and is handed to the kernel in one write.
import { closeSync, fstatSync, openSync, write, writeSync } from 'node:fs';
import { codeOf } from '../errors/classify.js';
import { StartError } from '../errors/start-error.js';
import type { AccessLineFormat, AccessRecord } from './access-line.js';
import type { Logger } from './logger.js';

/** Where lines of exchanges go. */
export interface AccessLog {
  /** False for the destination `none`: nobody needs to fill a record. */
  readonly enabled: boolean;
  /** Lines lost because they could not be written. */
  readonly dropped: number;
  /** Takes the line of a record; the record may be used again at once. */
  write(record: AccessRecord): void;
  /** Takes a line of something else, with its newline; of it only latin1 is kept. */
  line(text: string): void;
  /** Opens the path anew, after a rotation. Where that fails the old file is kept and a warning is logged. */
  reopen(): void;
  /** Writes what is waiting before it returns. */
  flush(): void;
  /** As `flush`; nothing is taken afterwards. */
  close(): void;
}

/** Settings of an access log. */
export interface AccessLogOptions {
  /** A path, `stdout` or `none`. */
  readonly destination: string;
  readonly format: AccessLineFormat;
  /** Is told of write errors, once until it works again. */
  readonly log: Logger;
  /** Milliseconds after which a line is written at the latest. */
  readonly flushInterval?: number;
}

/** @throws StartError when the file cannot be opened */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  if (options.destination === 'none') return noAccessLog;
  return new BufferedAccessLog(options);
}

const noAccessLog: AccessLog = { enabled: false, dropped: 0, write() {}, line() {}, reopen() {}, flush() {}, close() {} };

/** `latin1Write` is what `write(text, at, 'latin1')` ends in; called directly it spares the choice of an encoding a line. */
type LineBuffer = Buffer & { latin1Write(text: string, at: number): number };

/** Lines on their way to the file. */
interface Piece {
  readonly buffer: LineBuffer;
  used: number;
  written: number;
  lines: number;
}

/** Bytes that may wait for a slow disk; what comes beyond is dropped. */
const mostWaiting = 4 << 20;
/** Milliseconds between two warnings at least: a disk at its limit fails and recovers many times a second. */
const warnInterval = 60_000;
const stdout = 1;

class BufferedAccessLog implements AccessLog {
  readonly enabled = true;
  dropped = 0;

  readonly #path: string | null;
  readonly #format: AccessLineFormat;
  readonly #log: Logger;
  readonly #pieceSize: number;
  readonly #timer: NodeJS.Timeout;
  #file: number;
  /** Takes lines now. */
  #filling: Piece;
  /** Full, oldest first. */
  readonly #waiting: Piece[] = [];
  #waitingBytes = 0;
  /** With the kernel now. */
  #writing: Piece | null = null;
  /** Written and free to be filled: with `#filling` and `#writing` the two buffers of normal times. */
  #spare: Piece | null = null;
  /** Files that were replaced while a write to them was under way. */
  #replaced: number[] = [];
  /** A warning was given and not taken back yet. */
  #failing = false;
  #nextWarning = 0;
  #closed = false;

  constructor({ destination, format, log, flushInterval = 1000 }: AccessLogOptions) {
    this.#path = destination === 'stdout' ? null : destination;
    this.#format = format;
    this.#log = log;
    this.#file = this.#path === null ? stdout : openForAppending(this.#path);
    this.#pieceSize = pieceSizeFor(this.#file);
    this.#filling = newPiece(this.#pieceSize);
    this.#timer = setInterval(() => this.#push(), flushInterval);
    this.#timer.unref();
  }

  write(record: AccessRecord): void {
    if (!this.#closed) this.line(this.#format(record));
  }

  line(line: string): void {
    if (this.#closed) return;
    if (this.#filling.used + line.length > this.#pieceSize) {
      this.#push();
      if (line.length > this.#pieceSize) {
        this.#await(pieceOf(line));
        this.#writeNext();
        return;
      }
    }
    const piece = this.#filling;
    piece.used += piece.buffer.latin1Write(line, piece.used);
    piece.lines++;
  }

  reopen(): void {
    if (this.#path === null || this.#closed) return;
    let file: number;
    try {
      file = openSync(this.#path, 'a', 0o644);
    } catch (error) {
      this.#log.warn('the access log could not be opened anew; the old file is written on', { path: this.#path, error });
      return;
    }
    if (this.#writing === null) closeQuietly(this.#file);
    else this.#replaced.push(this.#file);
    this.#file = file;
  }

  flush(): void {
    if (this.#closed) return;
    // What the kernel has already (`#writing`) is finished by the thread pool, which Node waits for even in process.exit.
    if (this.#filling.used > 0) this.#await(this.#nextToFill());
    for (let piece = this.#waiting.shift(); piece !== undefined; piece = this.#waiting.shift()) this.#writeNow(piece);
    this.#waitingBytes = 0;
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#path === null) return;
    if (this.#writing === null) closeQuietly(this.#file);
    else this.#replaced.push(this.#file);
  }

  /** Sends what has gathered on its way. */
  #push(): void {
    if (this.#filling.used > 0) this.#await(this.#nextToFill());
    this.#writeNext();
  }

  /** Puts an empty piece in the place of the one that was filled, and returns that. */
  #nextToFill(): Piece {
    const filled = this.#filling;
    this.#filling = this.#spare ?? newPiece(this.#pieceSize);
    this.#spare = null;
    return filled;
  }

  #await(piece: Piece): void {
    if (this.#waitingBytes + piece.used > mostWaiting) {
      this.#lost(piece, 'the disk or the reader is too slow for it');
      this.#reuse(piece);
      return;
    }
    this.#waiting.push(piece);
    this.#waitingBytes += piece.used;
  }

  #writeNext(): void {
    if (this.#writing !== null || this.#closed) return;
    const piece = this.#waiting.shift();
    if (piece === undefined) return;
    this.#waitingBytes -= piece.used;
    this.#writing = piece;
    this.#writeRest(piece, this.#file);
  }

  #writeRest(piece: Piece, file: number): void {
    write(file, piece.buffer, piece.written, piece.used - piece.written, null, (error, written) => {
      if (error === null) piece.written += written;
      if (error === null && piece.written < piece.used) this.#writeRest(piece, file);
      else this.#written(piece, error);
    });
  }

  #written(piece: Piece, error: NodeJS.ErrnoException | null): void {
    this.#writing = null;
    for (const file of this.#replaced) closeQuietly(file);
    this.#replaced = [];
    if (error?.code === 'EAGAIN' && !this.#closed) {
      // A pipe that does not block and whose reader is behind.
      this.#waiting.unshift(piece);
      this.#waitingBytes += piece.used;
      setTimeout(() => this.#writeNext(), 10).unref();
      return;
    }
    if (error !== null) this.#lost(piece, error);
    else this.#recovered();
    this.#reuse(piece);
    this.#writeNext();
  }

  /** Used at the end of the process: everything goes out here and now. */
  #writeNow(piece: Piece): void {
    for (let attempt = 0; piece.written < piece.used; ) {
      try {
        piece.written += writeSync(this.#file, piece.buffer, piece.written, piece.used - piece.written);
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN' || ++attempt > 100) {
          this.#lost(piece, error);
          break;
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
    this.#reuse(piece);
  }

  #reuse(piece: Piece): void {
    if (piece.buffer.length !== this.#pieceSize) return;
    piece.used = 0;
    piece.written = 0;
    piece.lines = 0;
    this.#spare ??= piece;
  }

  #lost(piece: Piece, reason: unknown): void {
    this.dropped += piece.lines;
    const now = performance.now();
    if (this.#failing || now < this.#nextWarning) return;
    this.#failing = true;
    this.#nextWarning = now + warnInterval;
    this.#log.warn('the access log cannot be written; lines are dropped until it can', { path: this.#path ?? 'stdout', reason });
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info('the access log is written again', { path: this.#path ?? 'stdout', droppedSoFar: this.dropped });
  }
}

/** 64 KiB for a file. A pipe keeps lines of several writers apart only up to PIPE_BUF, which is 4 KiB (pipe(7)). */
function pieceSizeFor(file: number): number {
  const kind = fstatSync(file);
  return kind.isFIFO() || kind.isSocket() ? 4096 : 65536;
}

function newPiece(size: number): Piece {
  return { buffer: Buffer.allocUnsafeSlow(size) as LineBuffer, used: 0, written: 0, lines: 0 };
}

/** A piece for one line that is larger than all of them. */
function pieceOf(line: string): Piece {
  const buffer = Buffer.from(line, 'latin1') as LineBuffer;
  return { buffer, used: buffer.length, written: 0, lines: 1 };
}

function openForAppending(path: string): number {
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    const why = reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
    const advice = 'set server.accessLog to a path that can be written, "stdout" or "none"';
    throw new StartError(`cannot open the access log ${path}: ${why}; ${advice}`, error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
};

function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {
    // It is not needed any more; there is nothing to be done about it.
  }
}
