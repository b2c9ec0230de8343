// Clients of HTTP/2 for tests that are written in HTTP/1.1: what they send to this port goes to a proxy in streams, one after the other,
// and what comes back is written as HTTP/1.1. Broken streams become broken connections.
import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { fieldOf, fieldsOfLines, fieldsOfTrailers, linesOfFields } from './h2-fields.js';
import { Fields, statedDelimiter } from './http-reader.js';
import { PacedReader, passBody, writePaced } from './paced-reader.js';
import { webSocketAccept } from './websocket-stream.js';

export interface ClientBridge {
  readonly port: number;
  close(): Promise<void>;
}

/** @param port of a proxy that takes HTTP/2 in clear text */
export async function startClientBridge(port: number): Promise<ClientBridge> {
  const clients = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    void new BridgedClient(socket, port).serve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of clients) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The answer of a stream: its fields, and whether nothing follows. */
interface Answer {
  readonly raw: readonly string[];
  readonly ended: boolean;
}

class BridgedClient {
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  readonly #reader: PacedReader;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#reader = new PacedReader(socket);
    this.#session = http2.connect(`http://127.0.0.1:${port}`, { settings: { enablePush: false } });
    this.#session.on('error', () => {});
    socket.on('close', () => this.#session.destroy());
  }

  async serve(): Promise<void> {
    // Nothing can be asked for by extended CONNECT before the proxy has said that it may (RFC 8441 section 3).
    const ready = new Promise<void>((resolve) => {
      this.#session.once('remoteSettings', () => resolve());
      this.#session.once('close', () => resolve());
    });
    for (;;) {
      const bytes = await this.#reader.until('\r\n\r\n');
      if (bytes === null) break;
      await ready;
      if (!(await this.#exchange(bytes.toString('latin1')))) return;
    }
    this.#socket.end();
    this.#session.close();
  }

  /** @returns whether another request may follow */
  async #exchange(head: string): Promise<boolean> {
    const lineEnd = head.indexOf('\r\n');
    const [method = '', target = ''] = head.slice(0, lineEnd).split(' ');
    const lines = new Fields(head.slice(lineEnd));
    const protocol = lines.get('upgrade') ?? '';
    const opensTunnel = protocol !== '' && /\bupgrade\b/i.test(lines.get('connection') ?? '');
    const delimiter = statedDelimiter(lines);
    const isEmpty = delimiter.kind === 'none' || (delimiter.kind === 'length' && delimiter.length === 0);
    const absolute = /^http:\/\/([^/?]*)(.*)$/.exec(target);
    const fields: OutgoingHttpHeaders = {
      ':method': opensTunnel ? 'CONNECT' : method,
      ...(opensTunnel ? { ':protocol': protocol } : {}),
      ':scheme': 'http',
      ':authority': absolute?.[1] ?? lines.get('host') ?? '',
      ':path': absolute === null ? target : (absolute[2] as string) || '/',
      ...fieldsOfLines(lines, opensTunnel ? ['host', 'sec-websocket-key'] : ['host']),
    };
    const waitForTrailers = delimiter.kind === 'chunked';
    const stream = this.#session.request(fields, { endStream: isEmpty && !opensTunnel, waitForTrailers });
    stream.on('error', () => {});
    stream.on('headers', (_fields, _flags, raw?: readonly string[]) => this.#interim(raw ?? []));
    let trailers = '';
    stream.on('trailers', (_fields, _flags, raw?: readonly string[]) => {
      trailers = linesOfFields(raw ?? []);
    });
    let sent = '';
    stream.on('wantTrailers', () => stream.sendTrailers(fieldsOfTrailers(sent)));
    const answered = new Promise<Answer | null>((resolve) => {
      const take = (_fields: unknown, flags: number, raw: readonly string[]): void =>
        resolve({ raw, ended: (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0 });
      stream.once('response', take);
      stream.once('close', () => resolve(null));
    });
    const sending = isEmpty
      ? Promise.resolve(true)
      : passBody(this.#reader, delimiter, (piece) => writePaced(stream, piece)).then((got) => {
          sent = got ?? '';
          // close() would end the body first, as if it were complete.
          if (got === null) stream.destroy(new Error('the client broke off'));
          else if (!stream.destroyed) stream.end();
          return got !== null;
        });
    const answer = await answered;
    if (answer === null) {
      this.#socket.resetAndDestroy();
      return false;
    }
    if (opensTunnel && fieldOf(answer.raw, ':status') === '200') {
      const accept = webSocketAccept(lines.get('sec-websocket-key') ?? '');
      const switched = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Accept: ${accept}\r\n`;
      await this.#tunnel(stream, switched + linesOfFields(answer.raw));
      return false;
    }
    if (opensTunnel) stream.end();
    if (!(await this.#relay(stream, answer, method, () => trailers))) return false;
    return sending;
  }

  #interim(raw: readonly string[]): void {
    const status = fieldOf(raw, ':status');
    this.#write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${linesOfFields(raw)}\r\n`);
  }

  async #relay(stream: ClientHttp2Stream, { raw, ended }: Answer, method: string, trailers: () => string): Promise<boolean> {
    const status = fieldOf(raw, ':status');
    const bodiless = method === 'HEAD' || status === '204' || status === '304';
    const stated = fieldOf(raw, 'content-length') !== '' || bodiless;
    const framing = stated ? '' : ended ? 'content-length: 0\r\n' : 'transfer-encoding: chunked\r\n';
    this.#write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${linesOfFields(raw)}${framing}\r\n`);
    const inChunks = !stated && !ended;
    const reader = new PacedReader(stream);
    for (let piece = await reader.some(); piece !== null; piece = await reader.some()) {
      const size = Buffer.from(`${piece.length.toString(16)}\r\n`);
      await writePaced(this.#socket, inChunks ? Buffer.concat([size, piece, Buffer.from('\r\n')]) : piece);
    }
    if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) {
      this.#socket.resetAndDestroy();
      return false;
    }
    if (inChunks) this.#write(`0\r\n${trailers()}\r\n`);
    return true;
  }

  async #tunnel(stream: ClientHttp2Stream, lines: string): Promise<void> {
    this.#write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
    const back = new PacedReader(stream);
    const there = async (): Promise<void> => {
      for (let piece = await this.#reader.some(); piece !== null; piece = await this.#reader.some())
        await writePaced(stream, piece);
      if (this.#reader.broken) stream.close(http2.constants.NGHTTP2_CANCEL);
      else stream.end();
    };
    const here = async (): Promise<void> => {
      for (let piece = await back.some(); piece !== null; piece = await back.some()) await writePaced(this.#socket, piece);
      // It may be closed before its last bytes were read.
      if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) this.#socket.resetAndDestroy();
      else this.#socket.end();
    };
    await Promise.all([there(), here()]);
    this.#session.close();
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(Buffer.from(text, 'latin1'));
  }
}
