// A scripted backend that is spoken to in HTTP/2: each stream becomes a connection of HTTP/1.1 to a backend that sees and says exact bytes.
import { once } from 'node:events';
import http2, { type Http2SecureServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { type BackendOptions, RawBackend, type Script } from './backend.js';
import { fieldOf, fieldsOfLines, fieldsOfTrailers, linesOfFields } from './h2-fields.js';
import { type Delimiter, Fields } from './http-reader.js';
import { PacedReader, passBody, writePaced } from './paced-reader.js';

/** Its `url` names HTTP/2, with `secure` in TLS; what a script does is done behind it. */
export class Http2RawBackend extends RawBackend {
  readonly #front: Http2Server | Http2SecureServer;
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  readonly #isSecure: boolean;
  #dialled = 0;
  readonly #host: string;

  constructor(script: Script, { secure, host = '127.0.0.1', ...options }: BackendOptions) {
    super(script, options);
    this.#isSecure = secure !== undefined;
    this.#host = host;
    const settings = { enableConnectProtocol: true };
    this.#front = secure === undefined ? http2.createServer({ settings }) : http2.createSecureServer({ ...secure, settings });
    this.#front.on('session', (session: http2.ServerHttp2Session) => {
      this.#dialled++;
      this.#sessions.add(session);
      session.on('error', () => {});
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#front.on('stream', (stream: ServerHttp2Stream, _fields: IncomingHttpHeaders, flags: number, raw: string[]) => {
      const behind = net.connect({ port: this.#behind(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      void new BridgedStream(stream, behind, raw, (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0).run();
    });
  }

  /** Connections of HTTP/2 that were made to it; `connections` are those behind it, one a stream. */
  override get dialled(): number {
    return this.#dialled;
  }

  override get port(): number {
    return (this.#front.address() as AddressInfo).port;
  }

  #behind(): number {
    return super.port;
  }

  override async listen(): Promise<void> {
    await super.listen();
    this.#front.listen(0, this.#host);
    await once(this.#front, 'listening');
  }

  override get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `${this.#isSecure ? 'h2' : 'h2c'}://${host}:${this.port}`;
  }

  override async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#front.close();
    await once(this.#front, 'close');
    await super.close();
  }
}

/** Starts one, as `startBackend` does. */
export async function startHttp2Backend(script: Script, options: BackendOptions = {}): Promise<Http2RawBackend> {
  const backend = new Http2RawBackend(script, options);
  await backend.listen();
  return backend;
}

class BridgedStream {
  readonly #stream: ServerHttp2Stream;
  readonly #socket: Socket;
  readonly #raw: readonly string[];
  readonly #hasEnded: boolean;
  readonly #reader: PacedReader;

  constructor(stream: ServerHttp2Stream, socket: Socket, raw: readonly string[], hasEnded: boolean) {
    this.#stream = stream;
    this.#socket = socket;
    this.#raw = raw;
    this.#hasEnded = hasEnded;
    this.#reader = new PacedReader(socket);
    stream.on('error', () => {});
    stream.on('close', () => socket.destroy());
  }

  async run(): Promise<void> {
    const opensTunnel = fieldOf(this.#raw, ':protocol') !== '';
    const sending = this.#request(opensTunnel);
    const answered = await this.#answer(opensTunnel);
    // close() would end a body first, as if it were complete.
    if (!answered) this.#stream.destroy(new Error('the connection behind was broken off'));
    await sending;
  }

  async #request(opensTunnel: boolean): Promise<void> {
    const stream = this.#stream;
    const [path, authority, protocol] = [':path', ':authority', ':protocol'].map((name) => fieldOf(this.#raw, name));
    const method = opensTunnel ? 'GET' : fieldOf(this.#raw, ':method');
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n';
    const upgrade = opensTunnel ? `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n${key}` : '';
    const inChunks = !opensTunnel && !this.#hasEnded && fieldOf(this.#raw, 'content-length') === '';
    const framing = inChunks ? 'Transfer-Encoding: chunked\r\n' : '';
    const host = linesOfFields(this.#raw).toLowerCase().includes('\nhost:') ? '' : `Host: ${authority}\r\n`;
    this.#write(`${method} ${path} HTTP/1.1\r\n${host}${linesOfFields(this.#raw)}${upgrade}${framing}\r\n`);
    let trailers = '';
    stream.on('trailers', (_fields, _flags, raw?: readonly string[]) => {
      trailers = linesOfFields(raw ?? []);
    });
    const reader = new PacedReader(stream);
    for (let piece = await reader.some(); piece !== null; piece = await reader.some()) {
      const size = Buffer.from(`${piece.length.toString(16)}\r\n`);
      await writePaced(this.#socket, inChunks ? Buffer.concat([size, piece, Buffer.from('\r\n')]) : piece);
    }
    if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) this.#socket.destroy();
    else if (inChunks) this.#write(`0\r\n${trailers}\r\n`);
    else if (opensTunnel) this.#socket.end();
  }

  /** @returns false: it was broken off */
  async #answer(opensTunnel: boolean): Promise<boolean> {
    const stream = this.#stream;
    for (;;) {
      const bytes = await this.#reader.until('\r\n\r\n');
      if (bytes === null || stream.destroyed) return false;
      const head = bytes.toString('latin1');
      if (!/^HTTP\/1\.1 \d{3}[ \r]/.test(head)) return false;
      const lineEnd = head.indexOf('\r\n');
      const status = Number(head.split(' ', 2)[1]);
      const lines = new Fields(head.slice(lineEnd));
      if (status < 200 && status !== 101) {
        stream.additionalHeaders({ ':status': status, ...fieldsOfLines(lines) });
        continue;
      }
      const left = ['sec-websocket-accept'];
      if (status === 101) {
        if (!opensTunnel) return false;
        stream.respond({ ':status': 200, ...fieldsOfLines(lines, left) });
        return this.#body({ kind: 'close' });
      }
      const delimiter = delimiterOf(lines, status, fieldOf(this.#raw, ':method'));
      const endStream = delimiter.kind === 'none' || (delimiter.kind === 'length' && delimiter.length === 0);
      stream.respond(
        { ':status': status, ...fieldsOfLines(lines) },
        { endStream, waitForTrailers: delimiter.kind === 'chunked' },
      );
      return endStream || this.#body(delimiter);
    }
  }

  async #body(delimiter: Delimiter): Promise<boolean> {
    const stream = this.#stream;
    let trailers: string | null = '';
    stream.on('wantTrailers', () => stream.sendTrailers(fieldsOfTrailers(trailers ?? '')));
    trailers = await passBody(this.#reader, delimiter, (piece) => writePaced(stream, piece));
    if (trailers !== null && !stream.destroyed) stream.end();
    return trailers !== null;
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(Buffer.from(text, 'latin1'));
  }
}

function delimiterOf(lines: Fields, status: number, method: string): Delimiter {
  if (method === 'HEAD' || status === 204 || status === 304) return { kind: 'none' };
  if (lines.get('transfer-encoding') !== null) return { kind: 'chunked' };
  const length = lines.get('content-length');
  return length === null ? { kind: 'close' } : { kind: 'length', length: Number(length) };
}
