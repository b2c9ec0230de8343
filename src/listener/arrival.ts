// A connection that is counted for the node: takes its place under each cap, waits where this worker does not know whether there is one,
// and gives all of them back when it closes.
import type { Socket } from 'node:net';
import type { Place, Waiter } from '../queue/admission.js';
import type { NodeCap } from '../queue/node-cap.js';
import type { Connections, ListedConnection } from './connections.js';

/** A place that a connection needs. */
export interface Claim<Why extends string> {
  readonly cap: NodeCap;
  readonly key: string;
  /** Why it is turned away where there is none. */
  readonly why: Why;
}

export interface ArrivalParts<Why extends string> {
  /** Address of the client. */
  readonly peer: string;
  /** In the order in which they are taken. */
  readonly claims: readonly Claim<Why>[];
  /** Where it is listed while it waits; null: it is listed already. */
  readonly connections: Connections | null;
  /** Closes it. */
  readonly turnAway: (why: Why) => void;
}

/** `in`: it has its places. `out`: it was turned away. `waits`: it is paused until `entered` is called. */
export type Reception = 'in' | 'out' | 'waits';

export class Arrival<Why extends string> implements Waiter, ListedConnection {
  slot = -1;
  /** Asking has a deadline of its own. */
  deadline = 0;
  readonly peer: string;
  /** To be set when it waits: called once it is in. Whoever takes the connection then resumes it. */
  entered: () => void = () => {};
  readonly #socket: Socket;
  readonly #parts: ArrivalParts<Why>;
  /** How many of the claims it has. */
  #taken = 0;
  #place: Place | null = null;

  constructor(socket: Socket, parts: ArrivalParts<Why>) {
    this.#socket = socket;
    this.#parts = parts;
    this.peer = parts.peer;
    socket.on('close', () => this.#giveBack());
  }

  /** To be called once, first. */
  begin(): Reception {
    const reception = this.#advance();
    if (reception !== 'waits') return reception;
    this.#socket.pause();
    // Nobody else listens for them yet.
    this.#socket.on('error', () => {});
    this.#parts.connections?.add(this);
    return 'waits';
  }

  admitted(): void {
    this.#place = null;
    this.#taken++;
    const reception = this.#advance();
    if (reception === 'waits') return;
    this.#parts.connections?.remove(this);
    if (reception === 'in') this.entered();
  }

  refused(): void {
    this.#place = null;
    this.#parts.connections?.remove(this);
    this.#turnAway();
  }

  expired(): void {}

  /** What comes out of it drains. */
  drain(): void {}

  destroy(): void {
    this.#socket.destroy();
  }

  #advance(): Reception {
    const { claims } = this.#parts;
    for (let claim = claims[this.#taken]; claim !== undefined; claim = claims[this.#taken]) {
      if (!claim.cap.enter(claim.key)) {
        this.#place = claim.cap.ask(claim.key, this);
        if (this.#place !== null) return 'waits';
        this.#turnAway();
        return 'out';
      }
      this.#taken++;
    }
    return 'in';
  }

  #turnAway(): void {
    const claim = this.#parts.claims[this.#taken];
    if (claim !== undefined) this.#parts.turnAway(claim.why);
  }

  #giveBack(): void {
    this.#parts.connections?.remove(this);
    this.#place?.giveBack();
    this.#place = null;
    for (const { cap, key } of this.#parts.claims.slice(0, this.#taken)) cap.leave(key);
    this.#taken = 0;
  }
}
