// Clients that keep their connections, send at a steady rate, and look at every byte of each answer.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface EchoBackend {
  readonly url: string;
  close(): Promise<void>;
}

/** A backend whose answer can be told from the path that was asked for: `/LENGTH/NUMBER`. */
export async function startEchoBackend(): Promise<EchoBackend> {
  const server: Server = createServer((request: IncomingMessage, response) => {
    const body = expectedBody(request.url ?? '/');
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  // Longer than any pause of a test: that a kept connection to a backend ends is not what is tried here.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** An answer that was none, or another one than it should have been. */
export interface LoadFailure {
  readonly reason: string;
  /** When its connection was made, by `performance.now()`. */
  readonly connectedAt: number;
  readonly at: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly host: string;
  /** Connections at a time. */
  readonly clients: number;
  /** Requests a second, of all clients together. */
  readonly rate: number;
}

/** Requests that go on until `stop`. */
export class KeepAliveLoad {
  answered = 0;
  /** Answers with `Connection: close`. */
  closing = 0;
  connections = 0;
  readonly failures: LoadFailure[] = [];
  /** Milliseconds that each answer took, on a connection that was there. */
  readonly latencies: number[] = [];
  readonly #options: LoadOptions;
  readonly #clients: Promise<void>[];
  #stopped = false;
  #sent = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, (_, client) => this.#run(client));
  }

  /** Resolves when every request that was sent has been answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #run(client: number): Promise<void> {
    const { clients, rate } = this.#options;
    const between = (1000 * clients) / rate;
    let due = performance.now() + (between * client) / clients;
    let connection: Connection | null = null;
    while (!this.#stopped) {
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      // Who fell behind does not catch up by a burst.
      due = Math.max(due + between, performance.now() - between);
      connection = await this.#request(connection);
    }
    connection?.socket.destroy();
  }

  /** @returns the connection, if it can be used again */
  async #request(kept: Connection | null): Promise<Connection | null> {
    // A client that was told of the end of a connection does not use it again.
    let connection = kept === null || kept.ended ? null : kept;
    try {
      if (connection === null) {
        connection = new Connection(this.#options.port);
        this.connections++;
      }
      const number = this.#sent++;
      const path = `/${(number * 7919) % 5000}/${number}`;
      const begun = performance.now();
      const closes = await connection.ask(this.#options.host, path);
      if (kept !== null) this.latencies.push(performance.now() - begun);
      this.answered++;
      if (!closes) return connection;
      this.closing++;
      connection.socket.end();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.failures.push({ reason, connectedAt: connection?.connectedAt ?? 0, at: performance.now() });
      connection?.socket.destroy();
    }
    return null;
  }
}

/** What the backend answers to a path. */
function expectedBody(path: string): string {
  const length = Number(path.split('/')[1]);
  return `${path};`.repeat(Math.ceil(length / (path.length + 1)) + 1).slice(0, length + 1);
}

class Connection {
  readonly socket: Socket;
  readonly connectedAt = performance.now();
  ended = false;
  #received = '';
  #changed: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#received += text;
      this.#changed();
    });
    const end = (reason: string) => () => {
      this.ended = true;
      this.#reason ||= reason;
      this.#changed();
    };
    this.socket.on('error', (error) => end(error.message)());
    this.socket.on('end', end('the connection was closed'));
    this.socket.on('close', end('the connection was closed'));
  }

  #reason = '';

  /** @returns whether the answer says that the connection closes */
  async ask(host: string, path: string): Promise<boolean> {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const expected = expectedBody(path);
    for (;;) {
      const head = this.#received.indexOf('\r\n\r\n');
      if (head !== -1 && this.#received.length >= head + 4 + expected.length) {
        const lines = this.#received.slice(0, head);
        const body = this.#received.slice(head + 4);
        this.#received = '';
        if (!lines.startsWith('HTTP/1.1 200 ')) throw new Error(`answered ${lines.split('\r\n')[0]}`);
        if (body !== expected) throw new Error(`wrong bytes for ${path}`);
        return /\r\nconnection: close/i.test(lines);
      }
      if (head !== -1 && !this.#received.startsWith('HTTP/1.1 200 ')) throw new Error(`answered ${this.#received.slice(0, 40)}`);
      if (this.ended) throw new Error(`${this.#reason} after ${this.#received.length} bytes`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}
