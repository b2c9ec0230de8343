// The clients: kept connections to every node, one request after the other on each, and a judgement of every answer.
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { seeded } from '../../test/helpers/seeded.js';
import { type Answer, exchange } from './answer.js';
import type { FaultLog } from './fault-log.js';
import { type Asked, judge } from './judge.js';
import { type DrawnRequest, drawRequest } from './requests.js';
import type { Tally } from './tally.js';

export interface ChaosLoadOptions {
  readonly nodes: readonly { readonly name: string; readonly port: number }[];
  /** Connections to each node. */
  readonly clients: number;
  /** Requests a second, of all clients together. */
  readonly rate: number;
  readonly seed: number;
  /** Milliseconds of silence after which a request counts as hung. */
  readonly patience: number;
  readonly log: FaultLog;
  readonly tally: Tally;
}

interface Kept {
  readonly socket: Socket;
  /** When it was begun. */
  readonly connectedAt: number;
}

/** Milliseconds before somebody who was refused tries again. */
const afterRefusal = 200;

export class ChaosLoad {
  readonly #options: ChaosLoadOptions;
  readonly #running: Promise<void>[];
  #stopped = false;
  #number: number;

  constructor(options: ChaosLoadOptions) {
    this.#options = options;
    this.#number = options.seed % 1000;
    this.#running = options.nodes.flatMap((node, at) =>
      Array.from({ length: options.clients }, (_, client) => this.#run(node, at * options.clients + client)),
    );
  }

  /** Resolves when every request that was sent has been judged, and no connection is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #run(node: { name: string; port: number }, client: number): Promise<void> {
    const { rate, clients, nodes, seed } = this.#options;
    const random = seeded(seed + client * 7919);
    const between = (1000 * clients * nodes.length) / rate;
    let due = performance.now() + random() * between;
    let kept: Kept | null = null;
    while (!this.#stopped) {
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      // Who fell behind does not catch up by a burst.
      due = Math.max(due + between, performance.now() - between);
      const request = drawRequest(this.#number++, random);
      kept = await this.#ask(node, kept, request);
      // Now and then a client is a new one.
      if (kept !== null && random() < 0.02) {
        kept.socket.destroy();
        kept = null;
      }
    }
    kept?.socket.destroy();
  }

  /** @returns the connection, if another request may follow on it */
  async #ask(node: { name: string; port: number }, before: Kept | null, request: DrawnRequest): Promise<Kept | null> {
    const { patience, log, tally } = this.#options;
    // A client that was told of the end of a connection does not use it again.
    const usable = before?.socket.writable && !before.socket.readableEnded ? before : null;
    if (usable === null) before?.socket.destroy();
    const sentAt = performance.now();
    const kept = usable ?? (await open(node.port, patience));
    const answer = typeof kept === 'string' ? withoutConnection(kept) : await exchange(kept.socket, request.parts, patience);
    const endedAt = performance.now();
    const { kind, expected, cutAt, endsByClose } = request;
    const asked: Asked = {
      ...{ kind, expected, cutAt, endsByClose, sentAt, endedAt },
      node: node.name,
      connectedAt: typeof kept === 'string' ? sentAt : kept.connectedAt,
      fresh: usable === null,
    };
    tally.count(kind, judge(asked, answer, log), endedAt - sentAt, answer.body.length);
    if (typeof kept === 'string') {
      await pause(afterRefusal);
      return null;
    }
    if (answer.keeps) return kept;
    kept.socket.destroy();
    return null;
  }
}

/** @returns a connection, or what became of the attempt: `hung`, or what the system said */
function open(port: number, patience: number): Promise<Kept | string> {
  return new Promise((resolve) => {
    const connectedAt = performance.now();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const late = setTimeout(() => done('hung'), patience);
    const done = (refusal: string): void => {
      clearTimeout(late);
      socket.off('connect', connected).off('error', failed);
      // Errors of later are told to whoever waits; one between two requests ends the connection and nothing else.
      socket.on('error', () => {});
      if (refusal !== '') socket.destroy();
      resolve(refusal === '' ? { socket, connectedAt } : refusal);
    };
    const connected = (): void => done('');
    const failed = (error: NodeJS.ErrnoException): void => done(error.code ?? error.message);
    socket.on('connect', connected).on('error', failed);
  });
}

function withoutConnection(refusal: string): Answer {
  const kind = refusal === 'hung' ? 'hung' : 'refused';
  return { kind, status: 0, code: '', body: Buffer.alloc(0), keeps: false, detail: `connect: ${refusal}` };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
