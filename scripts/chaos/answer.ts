// What came of one request, as a client reads it: every byte of the answer, and whether it was told that it is whole.
import type { Socket } from 'node:net';

/**
 * `whole`: complete by its own framing. `cut`: it had begun, and the connection ended. `closed`: the connection ended before a byte came.
 * `refused`: there was no connection. `hung`: nothing came for too long.
 */
export interface Answer {
  readonly kind: 'whole' | 'cut' | 'closed' | 'refused' | 'hung';
  /** 0: no head came. */
  readonly status: number;
  /** Of an error of the proxy. */
  readonly code: string;
  readonly body: Buffer;
  /** Another request may follow on the connection. */
  readonly keeps: boolean;
  /** What the system said of the end, or what came unasked. */
  readonly detail: string;
}

/** Reads one answer. */
export class AnswerReader {
  #received: Buffer = Buffer.alloc(0);
  #head: { status: number; code: string; length: number; chunked: boolean; keeps: boolean } | null = null;
  readonly #body: Buffer[] = [];
  #size = 0;
  /** Of a chunk that is being read; 0: a line comes. */
  #chunkLeft = 0;
  #done = false;
  #trailers = false;

  /** Any byte has come. */
  get begun(): boolean {
    return this.#head !== null || this.#received.length > 0;
  }

  /** @returns the answer, once it is complete */
  take(bytes: Buffer): Answer | null {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    if (this.#head === null && !this.#readHead()) return null;
    const head = this.#head;
    if (head === null) return null;
    if (head.chunked) this.#readChunks();
    else this.#readLength(head.length);
    if (!this.#done) return null;
    return this.answer('whole', this.#received.length > 0 ? `${this.#received.length} bytes behind the answer` : '');
  }

  /** The connection has ended. @param error none: in good order */
  end(error: string): Answer {
    const head = this.#head;
    if (head !== null && !head.chunked && Number.isNaN(head.length) && error === '') return this.answer('whole', '');
    return this.answer(this.begun ? 'cut' : 'closed', error === '' ? 'closed' : error);
  }

  answer(kind: Answer['kind'], detail: string): Answer {
    const { status = 0, code = '', keeps = false } = this.#head ?? {};
    return { kind, status, code, body: Buffer.concat(this.#body), keeps: keeps && kind === 'whole' && detail === '', detail };
  }

  #readHead(): boolean {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return false;
      const text = this.#received.toString('latin1', 0, end + 2);
      this.#received = this.#received.subarray(end + 4);
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
      if (status >= 100 && status < 200) continue;
      const chunked = /\r\ntransfer-encoding: chunked\r\n/i.test(text);
      this.#head = {
        status,
        code: /\r\nx-cjs-proxy-error: (\S+)\r\n/i.exec(text)?.[1] ?? '',
        length: Number(/\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1] ?? Number.NaN),
        chunked,
        keeps: !/\r\nconnection: close\r\n/i.test(text),
      };
      return true;
    }
  }

  #readLength(length: number): void {
    const wanted = Number.isNaN(length) ? this.#received.length : Math.min(this.#received.length, length - this.#size);
    this.#keep(wanted);
    if (this.#size === length) this.#done = true;
  }

  #readChunks(): void {
    while (!this.#done && this.#received.length > 0) {
      if (this.#chunkLeft > 0) {
        const size = Math.min(this.#chunkLeft, this.#received.length);
        this.#keep(size);
        this.#chunkLeft -= size;
        continue;
      }
      const end = this.#received.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#received.toString('latin1', 0, end);
      this.#received = this.#received.subarray(end + 2);
      if (this.#trailers) this.#done = line === '';
      // The line behind a chunk is empty.
      else if (line !== '') {
        this.#chunkLeft = Number.parseInt(line, 16);
        this.#trailers = this.#chunkLeft === 0;
      }
    }
  }

  #keep(size: number): void {
    if (size === 0) return;
    this.#body.push(this.#received.subarray(0, size));
    this.#size += size;
    this.#received = this.#received.subarray(size);
  }
}

/** Milliseconds between the parts of a request that is sent in several. */
const betweenParts = 20;

/**
 * Sends a request and reads its answer; the socket is the caller's.
 * @param parts of the request
 * @param patience milliseconds without a byte after which it counts as hung
 */
export function exchange(socket: Socket, parts: readonly (string | Buffer)[], patience: number): Promise<Answer> {
  return new Promise((resolve) => {
    const reader = new AnswerReader();
    let problem = '';
    let sent = 0;
    let sending: NodeJS.Timeout | undefined;
    const finish = (answer: Answer): void => {
      clearTimeout(late);
      clearTimeout(sending);
      socket.off('data', read).off('end', ended).off('close', ended).off('error', failed);
      // What is left of the request is not sent any more.
      resolve(sent < parts.length ? { ...answer, keeps: false } : answer);
    };
    const read = (bytes: Buffer): void => {
      late.refresh();
      const answer = reader.take(bytes);
      if (answer !== null) finish(answer);
    };
    const failed = (error: Error): void => {
      problem = (error as NodeJS.ErrnoException).code ?? error.message;
    };
    const ended = (): void => finish(reader.end(problem));
    const late = setTimeout(() => finish(reader.answer('hung', `silent for ${patience} ms`)), patience);
    const send = (): void => {
      if (sent >= parts.length || !socket.writable) return;
      socket.write(parts[sent++] as string | Buffer);
      sending = setTimeout(send, betweenParts);
    };
    socket.on('data', read).on('end', ended).on('close', ended).on('error', failed);
    if (socket.destroyed || socket.readableEnded) ended();
    else send();
  });
}
