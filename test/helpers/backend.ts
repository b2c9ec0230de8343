// A scripted origin server over net: it sees exact bytes, answers exact bytes, and can stall, cut and reset.
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { ByteQueue, EndedEarly } from './byte-queue.js';
import { type Delimiter, type Fields, type RawBody, type RawHead, readBody, readHead, statedDelimiter } from './http-reader.js';

const patience = 8000;

/** What a backend does with a request: called when its head is complete. */
export type Script = (request: BackendRequest, connection: BackendConnection) => void | Promise<void>;

/** How a backend listens. */
export interface BackendOptions {
  readonly host?: string;
  /** A unix socket instead of a port. */
  readonly path?: string;
  /** PEM, to be spoken to in TLS. */
  readonly secure?: { readonly key: string; readonly cert: string };
  /** Told of each connection before anything is read; may stop reading, or destroy it. */
  readonly accept?: (connection: BackendConnection) => void;
}

/** A request as it came. */
export class BackendRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: Fields;
  /** The head as it was sent. */
  readonly head: string;
  readonly delimiter: Delimiter;
  /** Set when the body is complete. */
  body: RawBody | null = null;
  readonly #queue: ByteQueue;
  #reading: Promise<RawBody> | null = null;

  constructor(head: RawHead, queue: ByteQueue) {
    const [method = '', target = '', version = ''] = head.startLine.split(' ');
    this.method = method;
    this.target = target;
    this.version = version;
    this.fields = head.fields;
    this.head = head.text;
    this.delimiter = statedDelimiter(head.fields);
    this.#queue = queue;
  }

  /** Reads the body; may be called any number of times. */
  whole(): Promise<RawBody> {
    this.#reading ??= readBody(this.#queue, this.delimiter).then((body) => {
      this.body = body;
      return body;
    });
    return this.#reading;
  }

  /** The body as latin1, when it is complete. */
  get text(): string {
    if (this.body === null) throw new Error(`the body of ${this.method} ${this.target} is incomplete`);
    return this.body.bytes.toString('latin1');
  }
}

/** One connection that a backend accepted. */
export class BackendConnection {
  readonly socket: Socket;
  readonly queue: ByteQueue;
  /** Requests that came on it. */
  requests = 0;
  closed = false;
  /** Bytes that the kernel took from `flood`. */
  flooded = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    this.queue = new ByteQueue(socket, patience);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Sends bytes, a text as latin1. */
  send(data: string | Buffer): void {
    if (this.socket.writable) this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Sends much, at the pace of the receiver, and counts what was taken; ends quietly when the connection does. */
  async flood(data: Buffer, piece = 64 * 1024): Promise<void> {
    for (let at = 0; at < data.length && this.socket.writable; at += piece) {
      const part = data.subarray(at, at + piece);
      await new Promise<void>((resolve) => this.socket.write(part, () => resolve()));
      this.flooded += part.length;
    }
  }

  /** Closes the sending side. */
  end(data = ''): void {
    this.socket.end(Buffer.from(data, 'latin1'));
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}

export class RawBackend {
  readonly requests: BackendRequest[] = [];
  readonly connections: BackendConnection[] = [];
  /** Errors of scripts; a test that ends well must find none. */
  readonly errors: unknown[] = [];
  readonly #server: Server;
  readonly #script: Script;
  readonly #options: BackendOptions;
  /** Beneath TLS too: whoever breaks a handshake off never becomes a connection. */
  readonly #sockets = new Set<Socket>();

  constructor(script: Script, options: BackendOptions) {
    this.#script = script;
    this.#options = options;
    const accept = (socket: Socket) => this.#accept(socket);
    this.#server = options.secure
      ? tls.createServer({ ...options.secure, allowHalfOpen: true }, accept)
      : net.createServer({ allowHalfOpen: true, noDelay: true }, accept);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(): Promise<void> {
    const { path, host = '127.0.0.1' } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      if (path !== undefined) this.#server.listen(path, resolve);
      else this.#server.listen(0, host, resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The entry of a frontend's list that names it. */
  get url(): string {
    const { path, host = '127.0.0.1', secure } = this.#options;
    if (path !== undefined) return `unix:${path}`;
    return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  /** Connections that were made to it. */
  get dialled(): number {
    return this.connections.length;
  }

  /** Connections that are still open. */
  get open(): number {
    return this.connections.filter((connection) => !connection.closed).length;
  }

  /** The only request so far; throws when there were none or more. */
  get only(): BackendRequest {
    const [first] = this.requests;
    if (first === undefined || this.requests.length > 1) throw new Error(`${this.requests.length} requests came instead of one`);
    return first;
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.socket.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const connection = new BackendConnection(socket);
    this.connections.push(connection);
    this.#options.accept?.(connection);
    if (!socket.destroyed) void this.#serve(connection);
  }

  async #serve(connection: BackendConnection): Promise<void> {
    try {
      while (!connection.closed) {
        const head = await nextHead(connection.queue);
        if (head === null) {
          connection.socket.end();
          return;
        }
        const request = new BackendRequest(head, connection.queue);
        connection.requests++;
        this.requests.push(request);
        await this.#script(request, connection);
        await request.whole();
      }
    } catch (error) {
      const left = connection.closed;
      connection.socket.destroy();
      // Who leaves in the middle of a body is what some tests are about.
      if (!(error instanceof EndedEarly) && !left) this.errors.push(error);
    }
  }
}

/** The next head on a connection, however long it takes to come; null: there is none. */
async function nextHead(queue: ByteQueue): Promise<RawHead | null> {
  for (;;) {
    try {
      return await readHead(queue);
    } catch (error) {
      if (error instanceof EndedEarly && error.partial.length === 0) return null;
      if (error instanceof EndedEarly || queue.length > 0) throw error;
    }
  }
}

/** The script that reads each request to its end and sends a text. */
export function answering(response: string | Buffer): Script {
  return async (request, connection) => {
    await request.whole();
    connection.send(response);
  };
}

/** A response with Content-Length. */
export function ok(body = '', ...lines: readonly string[]): string {
  return response('200 OK', body, ...lines);
}

/** As `ok`, with another status line behind the version. */
export function response(status: string, body = '', ...lines: readonly string[]): string {
  return `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Starts a backend that answers with a text or follows a script. */
export async function startBackend(script: Script | string, options: BackendOptions = {}): Promise<RawBackend> {
  const backend = new RawBackend(typeof script === 'string' ? answering(script) : script, options);
  await backend.listen();
  return backend;
}
