// A client that sends exact bytes and reads answers with a deadline.
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { ByteQueue, type EndKind } from './byte-queue.js';
import { type Delimiter, type Fields, type RawHead, readBody, readHead } from './http-reader.js';

/** Milliseconds that any wait of a client may last. */
const patience = 6000;

/** An answer, final head and body. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** e.g. `HTTP/1.1`. */
  readonly version: string;
  readonly fields: Fields;
  /** The head as it was sent. */
  readonly head: string;
  readonly delimiter: Delimiter['kind'];
  readonly body: Buffer;
  /** The body as latin1. */
  readonly text: string;
  readonly trailers: Fields;
  /** Interim responses before it. */
  readonly interims: readonly RawHead[];
}

export class RawClient {
  readonly socket: Socket;
  readonly queue: ByteQueue;

  constructor(socket: Socket) {
    this.socket = socket;
    this.queue = new ByteQueue(socket, patience);
  }

  /** Sends bytes, a text as latin1. */
  send(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Sends much, at the pace of the receiver; ends quietly when the connection does. */
  async sendAll(data: Buffer, piece = 64 * 1024): Promise<void> {
    for (let at = 0; at < data.length && this.socket.writable; at += piece) {
      await new Promise<void>((resolve) => this.socket.write(data.subarray(at, at + piece), () => resolve()));
    }
  }

  /** Reads a head, interim or final. */
  head(): Promise<RawHead> {
    return readHead(this.queue);
  }

  /**
   * Reads a whole response. Rejects when it is broken off.
   * @param method of the request: an answer to HEAD has no body
   */
  async response(method = 'GET'): Promise<RawResponse> {
    const interims: RawHead[] = [];
    for (;;) {
      const head = await this.head();
      const status = statusOf(head);
      if (status >= 100 && status < 200 && status !== 101) {
        interims.push(head);
        continue;
      }
      return await this.finish(head, method, interims);
    }
  }

  /** Reads the body behind a final head that was read already. */
  async finish(head: RawHead, method = 'GET', interims: readonly RawHead[] = []): Promise<RawResponse> {
    const [version = '', status = '', ...reason] = head.startLine.split(' ');
    const delimiter = responseDelimiter(head, method);
    const { bytes, trailers } = await readBody(this.queue, delimiter);
    return {
      status: Number(status),
      reason: reason.join(' '),
      version,
      fields: head.fields,
      head: head.text,
      delimiter: delimiter.kind,
      body: bytes,
      text: bytes.toString('latin1'),
      trailers,
      interims,
    };
  }

  /** Waits until the other side ends; bytes that came before are dropped. */
  async ended(): Promise<EndKind> {
    return (await this.queue.rest()).end;
  }

  /** Stops reading, so that the other side meets a full pipe. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Closes the sending side. */
  end(): void {
    this.socket.end();
  }

  /** Goes away without a word. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Connects to a port of 127.0.0.1.
 * @param localAddress the address to come from, any of 127.0.0.0/8
 */
export async function connectClient(port: number, host = '127.0.0.1', localAddress = host): Promise<RawClient> {
  const socket = net.connect({ port, host, localAddress, allowHalfOpen: true });
  return connected(socket, 'connect');
}

/** Connects with TLS and trusts whatever certificate there is. */
export async function connectTlsClient(port: number, servername: string): Promise<RawClient> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  return connected(socket, 'secureConnect');
}

async function connected(socket: Socket, event: string): Promise<RawClient> {
  await new Promise<void>((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
  });
  return new RawClient(socket);
}

/** The status code of a response head. */
export function statusOf(head: RawHead): number {
  return Number(head.startLine.split(' ')[1]);
}

/** RFC 9112 section 6.3, as far as a test needs it. */
function responseDelimiter(head: RawHead, method: string): Delimiter {
  const status = statusOf(head);
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return { kind: 'none' };
  if (head.fields.get('transfer-encoding') !== null) return { kind: 'chunked' };
  const length = head.fields.get('content-length');
  return length === null ? { kind: 'close' } : { kind: 'length', length: Number(length) };
}
