// WebSocket clients: a session of some messages, each of which must come back as it was sent, then another session.
import { performance } from 'node:perf_hooks';
import WebSocket from 'ws';
import { seeded } from '../../test/helpers/seeded.js';
import { contentOf } from './content.js';
import type { FaultLog } from './fault-log.js';
import type { FaultName } from './faults.js';
import { plainHost } from './requests.js';
import type { Tally } from './tally.js';

export interface WebSocketsOptions {
  readonly nodes: readonly { readonly name: string; readonly port: number }[];
  readonly seed: number;
  /** Milliseconds that a message may take to come back, and a session to begin. */
  readonly patience: number;
  readonly log: FaultLog;
  readonly tally: Tally;
}

const mostMessages = 20;
const longestMessage = 20_000;
/** Milliseconds between two messages at most; a session is shorter than what a leaving worker allows it. */
const longestPause = 150;

/** What ends a session, or keeps one from beginning: it cannot be moved to another backend or another worker. */
const ending: readonly FaultName[] = [
  'backend killed',
  'backend frozen',
  'backend silent',
  'backend resets',
  'backend half-closes',
  'backend resets within',
];
const endingAtNode: readonly FaultName[] = ['worker killed', 'node killed', 'node stopped and started', 'supervisor killed'];

export class WebSockets {
  readonly #options: WebSocketsOptions;
  readonly #running: Promise<void>[];
  #stopped = false;

  /** One client for each node. */
  constructor(options: WebSocketsOptions) {
    this.#options = options;
    this.#running = options.nodes.map((node, at) => this.#run(node, seeded(options.seed + 31 * (at + 1))));
  }

  /** Resolves when the sessions are over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #run(node: { name: string; port: number }, random: () => number): Promise<void> {
    const { log, tally } = this.#options;
    while (!this.#stopped) {
      const begunAt = performance.now();
      const session = new Session(node.port, this.#options.patience);
      const what = await this.#talk(session, random).finally(() => session.close());
      const endedAt = performance.now();
      const met = log.during(begunAt, endedAt, ending).length + log.during(begunAt, endedAt, endingAtNode, node.name).length > 0;
      if (what.kind === 'right') tally.count('WebSocket', { kind: 'right' }, 0, what.bytes);
      else if (what.kind === 'lost' && met) {
        tally.count('WebSocket', { kind: 'permitted', why: 'a WebSocket went with its backend or its worker' }, 0, what.bytes);
        await new Promise((resolve) => setTimeout(resolve, longestPause));
      } else {
        const why = `${what.kind}: ${what.text} after ${Math.round(endedAt - begunAt)} ms; ${log.describe(begunAt, endedAt)}`;
        tally.count('WebSocket', { kind: 'fault', why }, 0, what.bytes);
      }
    }
  }

  async #talk(session: Session, random: () => number): Promise<SessionEnd> {
    let bytes = 0;
    const opened = await session.next();
    if (opened.kind !== 'open') return { ...opened, bytes };
    for (let left = 1 + Math.floor(random() * mostMessages); left > 0 && !this.#stopped; left--) {
      const message = contentOf(Math.floor(random() * 100_000), 1 + Math.floor(random() * longestMessage));
      session.send(message);
      const heard = await session.next();
      if (heard.kind !== 'message') return { ...heard, bytes };
      if (!heard.data.equals(message)) return { kind: 'wrong', text: 'WRONG BYTES', bytes };
      bytes += message.length;
      await new Promise((resolve) => setTimeout(resolve, random() * longestPause));
    }
    return { kind: 'right', text: '', bytes };
  }
}

/** `open` where it is none of these: an event came that was not due. */
interface SessionEnd {
  readonly kind: 'right' | 'wrong' | 'lost' | 'hung' | 'open' | 'message';
  readonly text: string;
  readonly bytes: number;
}

type Event =
  | { readonly kind: 'open'; readonly text: string }
  | { readonly kind: 'message'; readonly text: string; readonly data: Buffer }
  | { readonly kind: 'lost' | 'hung'; readonly text: string };

/** A session whose events are asked for one by one. */
class Session {
  readonly #socket: WebSocket;
  readonly #patience: number;
  readonly #events: Event[] = [];
  #heard: () => void = () => {};

  constructor(port: number, patience: number) {
    this.#patience = patience;
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: plainHost }, perMessageDeflate: false });
    const tell = (event: Event): void => {
      this.#events.push(event);
      this.#heard();
    };
    this.#socket
      .on('open', () => tell({ kind: 'open', text: '' }))
      .on('message', (data: Buffer) => tell({ kind: 'message', text: '', data }))
      .on('error', (error) => tell({ kind: 'lost', text: error.message }))
      .on('close', (code) => tell({ kind: 'lost', text: `closed with ${code}` }));
  }

  send(message: Buffer): void {
    this.#socket.send(message, () => {});
  }

  async next(): Promise<Event> {
    const until = performance.now() + this.#patience;
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      const left = until - performance.now();
      if (left <= 0) return { kind: 'hung', text: `silent for ${this.#patience} ms` };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#socket.terminate();
  }
}
