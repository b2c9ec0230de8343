// What node:http makes of raw request bytes: a real server on a free port of 127.0.0.1, one connection a message.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** What the server understood of the first message. */
export type NodeVerdict =
  | {
      readonly kind: 'accepted';
      readonly method: string;
      readonly target: string;
      readonly version: string;
      /** Names and values in turn, as sent. */
      readonly headers: readonly string[];
      readonly body: string;
    }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'incomplete' };

type Settle = (verdict: NodeVerdict) => void;

/** By this code its parser says that the bytes ended too soon. */
const endedEarly = 'HPE_INVALID_EOF_STATE';

/** A node:http server with its defaults; judges one message at a time. */
export class NodeParser {
  readonly #server: Server;
  #settle: Settle = () => undefined;
  /** A connection may still fail when its message has been judged; that is not the next message's verdict. */
  readonly #settleOf = new WeakMap<object, Settle>();

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#read(request);
      response.end();
    });
    this.#server.on('connection', (socket) => this.#settleOf.set(socket, this.#settle));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const why = error.code ?? error.message;
      this.#settleOf.get(socket)?.(why === endedEarly ? { kind: 'incomplete' } : { kind: 'refused', why });
      socket.destroy();
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Sends bytes (one a character), closes the sending side, and tells what became of them. */
  async judge(text: string): Promise<NodeVerdict> {
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const verdict = await new Promise<NodeVerdict>((resolve) => {
      this.#settle = resolve;
      let answer = '';
      socket.setEncoding('latin1');
      socket.on('data', (piece: string) => {
        answer += piece;
      });
      socket.on('error', () => undefined);
      // Refused above the parser, e.g. without Host: an answer and no request. Whatever else settled it came before.
      socket.on('close', () => resolve(answer === '' ? { kind: 'incomplete' } : { kind: 'refused', why: answer.slice(9, 12) }));
      socket.end(text, 'latin1');
    });
    socket.destroy();
    return verdict;
  }

  async #read(request: IncomingMessage): Promise<void> {
    const settle = this.#settleOf.get(request.socket);
    let body = '';
    try {
      request.setEncoding('latin1');
      for await (const piece of request) body += piece as string;
    } catch {
      return; // told by clientError
    }
    const { method = '', url = '', httpVersion, rawHeaders } = request;
    settle?.({ kind: 'accepted', method, target: url, version: httpVersion, headers: rawHeaders, body });
  }
}
