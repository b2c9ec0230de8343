// Streams that are too large to hold: made of one buffer again and again, counted and checked where they arrive.
import net, { type Socket } from 'node:net';

const pieceSize = 64 * 1024;
/** Bytes whose place in the piece shows, so that a lost or doubled part is seen. */
const piece = Buffer.from(Array.from({ length: pieceSize }, (_, at) => (at * 31 + (at >> 8)) & 0xff));

/** Sends `size` bytes (a multiple of 64 KiB) at the pace of the receiver, in chunks if asked to. */
export class FlowSource {
  /** Bytes of content that were handed to the kernel. */
  sent = 0;
  readonly #socket: Socket;
  readonly #size: number;
  readonly #framed: Buffer;
  readonly #chunked: boolean;

  constructor(socket: Socket, size: number, chunked: boolean) {
    this.#socket = socket;
    this.#size = size;
    this.#chunked = chunked;
    this.#framed = chunked ? Buffer.concat([Buffer.from(`${pieceSize.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece;
    socket.on('drain', () => this.#more());
    this.#more();
  }

  #more(): void {
    while (this.sent < this.#size && this.#socket.writable) {
      this.sent += pieceSize;
      const last = this.sent === this.#size && this.#chunked;
      const flowing = this.#socket.write(last ? Buffer.concat([this.#framed, Buffer.from('0\r\n\r\n')]) : this.#framed);
      if (!flowing) return;
    }
  }
}

/** Takes a message from a socket: its head, then content that must be what `FlowSource` sends. */
export class FlowSink {
  head = '';
  /** Bytes of content that have come. */
  taken = 0;
  /** What was wrong with the content, or empty. */
  fault = '';
  /** The last chunk has come. */
  complete = false;
  #chunked = false;
  #line = '';
  #left = 0;
  #inData = true;

  /** @param begun called when the head is complete */
  constructor(socket: Socket, begun: (sink: FlowSink) => void = () => {}) {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const before = this.head.endsWith('\r\n\r\n');
      this.#take(bytes);
      if (!before && this.head.endsWith('\r\n\r\n')) begun(this);
    });
  }

  #take(bytes: Buffer): void {
    let at = 0;
    if (!this.head.endsWith('\r\n\r\n')) {
      const text = this.head + bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) {
        this.head = text;
        return;
      }
      at = end + 4 - this.head.length;
      this.head = text.slice(0, end + 4);
      this.#chunked = /transfer-encoding: chunked/i.test(this.head);
      this.#inData = !this.#chunked;
      this.#left = Number.POSITIVE_INFINITY;
    }
    while (at < bytes.length) at = this.#inData ? this.#content(bytes, at) : this.#chunkLine(bytes, at);
  }

  #content(bytes: Buffer, from: number): number {
    const place = this.taken % pieceSize;
    const size = Math.min(bytes.length - from, pieceSize - place, this.#left);
    if (this.fault === '' && bytes.compare(piece, place, place + size, from, from + size) !== 0) {
      this.fault = `the content differs somewhere in ${size} bytes from ${this.taken} on`;
    }
    this.taken += size;
    this.#left -= size;
    if (this.#left === 0) this.#inData = false;
    return from + size;
  }

  /** The line of a chunk; the CRLF behind the chunk before it is an empty line here. */
  #chunkLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(0x0a, from);
    this.#line += bytes.toString('latin1', from, end < 0 ? bytes.length : end + 1);
    if (end < 0) return bytes.length;
    const line = this.#line.trim();
    this.#line = '';
    if (line !== '') {
      this.#left = Number.parseInt(line, 16);
      this.#inData = this.#left > 0;
      this.complete = this.#left === 0;
    }
    return end + 1;
  }
}

/** A server of flows. */
export interface FlowServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on a free port; each connection is given away. */
export async function startFlowServer(serve: (socket: Socket) => void): Promise<FlowServer> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
