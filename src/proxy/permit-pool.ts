// The permits of one frontend on this node: how many each worker holds, and which requests stand in line for one.
//
// At every moment the permits that workers hold are at most `limits.active`, unless that was lowered: a permit is counted from the
// moment it is sent until the worker has said that it gave it back. Requests are let in in the order in which they asked.
import type { PermitAnswer, PermitLimits } from '../queue/permit-messages.js';

/** One worker, as the pool knows it. */
interface Member {
  readonly worker: number;
  held: number;
  /** Its requests that stand in line. */
  requests: number;
  /** The limits that it told last. */
  limits: PermitLimits;
  /** It was told to give everything back that comes free. */
  contended: boolean;
  /** It was told that there is no place to wait. */
  full: boolean;
  /** Recalls that it has not answered. */
  recalls: number;
}

interface Request {
  readonly member: Member;
  readonly id: number;
}

/** The largest number of permits that go out beyond what was asked for. */
const largestBlock = 64;

export class PermitPool {
  readonly #frontend: string;
  readonly #send: (worker: number, answer: PermitAnswer) => void;
  readonly #members = new Map<number, Member>();
  /** Those who may wait, and behind them those of whom it is not yet known, because idle permits are on their way back. */
  readonly #waiting = new Map<string, Request>();
  readonly #asking = new Map<string, Request>();
  #limits: PermitLimits;
  #granted = 0;
  #recalls = 0;

  constructor(frontend: string, limits: PermitLimits, send: (worker: number, answer: PermitAnswer) => void) {
    this.#frontend = frontend;
    this.#limits = limits;
    this.#send = send;
  }

  /** No worker has or wants anything of it. */
  get empty(): boolean {
    return this.#members.size === 0;
  }

  ask(worker: number, id: number, limits: PermitLimits): void {
    const member = this.#member(worker, limits);
    member.requests++;
    this.#asking.set(keyOf(worker, id), { member, id });
    this.#settle();
  }

  withdraw(worker: number, id: number): void {
    const key = keyOf(worker, id);
    const request = this.#waiting.get(key) ?? this.#asking.get(key);
    if (request === undefined) return;
    this.#waiting.delete(key);
    this.#asking.delete(key);
    request.member.requests--;
    this.#settle();
  }

  /** @param answered whether it is the answer to a recall */
  give(worker: number, count: number, answered: boolean): void {
    const member = this.#members.get(worker);
    if (member === undefined) return;
    // Whatever a worker says, the node's account stays whole.
    const given = Math.min(Math.max(0, count), member.held);
    member.held -= given;
    this.#granted -= given;
    if (answered && member.recalls > 0) {
      member.recalls--;
      this.#recalls--;
    }
    this.#settle();
  }

  change(worker: number, limits: PermitLimits): void {
    this.#member(worker, limits);
    this.#settle();
  }

  /** A worker has gone, with all that it held. */
  lose(worker: number): void {
    const member = this.#members.get(worker);
    if (member === undefined) return;
    this.#members.delete(worker);
    this.#granted -= member.held;
    this.#recalls -= member.recalls;
    for (const requests of [this.#waiting, this.#asking]) {
      for (const [key, request] of requests) {
        if (request.member === member) requests.delete(key);
      }
    }
    this.#settle();
  }

  /** Each worker tells the limits as it knows them; the newest word of any of them counts. */
  #member(worker: number, limits: PermitLimits): Member {
    let member = this.#members.get(worker);
    if (member === undefined) {
      member = { worker, held: 0, requests: 0, limits, contended: false, full: false, recalls: 0 };
      this.#members.set(worker, member);
      this.#limits = limits;
    } else if (member.limits.active !== limits.active || member.limits.waiting !== limits.waiting) {
      member.limits = limits;
      this.#limits = limits;
    }
    return member;
  }

  /** Brings everything in order after something has changed. */
  #settle(): void {
    while (this.#granted < this.#limits.active && this.#grantNext());
    if (this.#contended) this.#recall();
    if (this.#recalls === 0) this.#decide();
    this.#tellRoom();
    if (!this.#contended) this.#ease();
    for (const [worker, member] of this.#members) {
      if (this.#isDone(member)) this.#members.delete(worker);
    }
  }

  get #contended(): boolean {
    if (this.#waiting.size + this.#asking.size > 0 || this.#granted > this.#limits.active) return true;
    for (const { full } of this.#members.values()) {
      if (full) return true;
    }
    return false;
  }

  /** @returns false when nobody stands in line */
  #grantNext(): boolean {
    const requests = this.#waiting.size > 0 ? this.#waiting : this.#asking;
    const [first] = requests;
    if (first === undefined) return false;
    const [key, { member, id }] = first;
    requests.delete(key);
    member.requests--;
    this.#granted++;
    const contended = this.#contended;
    const extra = contended ? 0 : this.#block();
    this.#granted += extra;
    // One that holds others will be asked for its idle ones; one that holds none has to know at once.
    if (member.held === 0) member.contended = contended;
    member.held += 1 + extra;
    this.#send(member.worker, { kind: 'grant', frontend: this.#frontend, id, count: 1 + extra, contended: member.contended });
    return true;
  }

  /** A share of what is left, so that the next requests of that worker need not ask. */
  #block(): number {
    const free = this.#limits.active - this.#granted;
    return Math.min(largestBlock, Math.max(0, Math.floor(free / (2 * this.#members.size))));
  }

  #recall(): void {
    for (const member of this.#members.values()) {
      if (member.contended || member.held === 0) continue;
      member.contended = true;
      member.recalls++;
      this.#recalls++;
      this.#send(member.worker, { kind: 'recall', frontend: this.#frontend });
    }
  }

  /** No permit is idle anywhere: those who asked find a place to wait, or none. */
  #decide(): void {
    for (const [key, request] of this.#asking) {
      this.#asking.delete(key);
      if (this.#waiting.size < this.#limits.waiting) this.#waiting.set(key, request);
      else {
        request.member.requests--;
        request.member.full = true;
        this.#send(request.member.worker, { kind: 'refuse', frontend: this.#frontend, id: request.id });
      }
    }
  }

  #tellRoom(): void {
    const room = this.#granted < this.#limits.active || this.#waiting.size + this.#asking.size < this.#limits.waiting;
    if (!room) return;
    for (const member of this.#members.values()) {
      if (!member.full) continue;
      member.full = false;
      this.#send(member.worker, { kind: 'room', frontend: this.#frontend });
    }
  }

  #ease(): void {
    for (const member of this.#members.values()) {
      if (!member.contended) continue;
      member.contended = false;
      this.#send(member.worker, { kind: 'ease', frontend: this.#frontend });
    }
  }

  #isDone(member: Member): boolean {
    return member.held === 0 && member.requests === 0 && member.recalls === 0 && !member.contended && !member.full;
  }
}

function keyOf(worker: number, id: number): string {
  return `${worker}:${id}`;
}
