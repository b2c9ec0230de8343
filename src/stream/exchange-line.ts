// The line of the exchanges of `fifo` and `funnel`: each one request of a client with its answer, in the order of their coming.
import type { AnswerTaker } from './stream-observer.js';

/** The client of an exchange, as far as its answer is concerned. */
export interface Asker {
  /** It has left: what it is still owed is read and thrown away, so that nobody else gets it. */
  readonly gone: boolean;
  /** Takes bytes of its answers, which are copied where they cannot leave at once. */
  answer(bytes: Buffer, start: number, end: number): void;
  /** The oldest of its exchanges that a target has was answered whole. */
  answeredWhole(): void;
  /** One of its exchanges is lost, and with it the order of its answers: it is closed. @param begun a part of the answer has left */
  failed(begun: boolean): void;
  /** It is closed because an answer is larger than may be. */
  cut(): void;
}

/** One request on its way. */
export class Exchange<A extends Asker = Asker> {
  readonly asker: A;
  /** The request while it waits; empty once a target has it. */
  request: Buffer;
  /** An answer that needs no target; empty: it needs one. */
  readonly ownAnswer: string;
  /** The client is closed behind the answer. */
  readonly last: boolean;
  /** Bytes of the answer that have come. */
  answered = 0;
  /** Whoever watches, and the pieces of the answer for it. */
  taker: AnswerTaker | null = null;
  pieces: Buffer[] | null = null;

  constructor(asker: A, request: Buffer, ownAnswer: string, last: boolean) {
    this.asker = asker;
    this.request = request;
    this.ownAnswer = ownAnswer;
    this.last = last;
  }
}

/** How many places that were left pile up at the front before the rest moves up. */
const mostLeft = 1024;

/** A line. Joining and leaving cost the same however long it is. */
export class Line<T> {
  #members: T[] = [];
  #first = 0;

  get length(): number {
    return this.#members.length - this.#first;
  }

  get first(): T | undefined {
    return this.#members[this.#first];
  }

  get second(): T | undefined {
    return this.#members[this.#first + 1];
  }

  join(member: T): void {
    this.#members.push(member);
  }

  /** Takes the first out. */
  leave(): T | undefined {
    const member = this.#members[this.#first];
    if (member === undefined) return undefined;
    this.#first++;
    if (this.#first === this.#members.length) {
      this.#members.length = 0;
      this.#first = 0;
    } else if (this.#first >= mostLeft && this.#first * 2 >= this.#members.length) {
      this.#members = this.#members.slice(this.#first);
      this.#first = 0;
    }
    return member;
  }

  /** Takes out those that need not wait any more. */
  keep(wanted: (member: T) => boolean): void {
    this.#members = this.#members.slice(this.#first).filter(wanted);
    this.#first = 0;
  }

  /** Takes all out, in their order. */
  empty(): T[] {
    const members = this.#members.slice(this.#first);
    this.#members.length = 0;
    this.#first = 0;
    return members;
  }
}
