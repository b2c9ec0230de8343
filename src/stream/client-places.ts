// The clients of a stream, of which the node may have `maxConnections` at a time: others wait for their turn, or are turned away.
import type { StreamSettings } from '../config/stream-config.js';
import type { StreamCounters } from '../observe/stream-counters.js';
import type { Admission, Line, Place, QueueLimits, Refusal, Waiter } from '../queue/admission.js';
import { partOf, patience } from '../queue/node-cap.js';
import type { StreamClient } from './stream-client.js';

export interface ClientPlacesParts {
  /** Name of the stream. */
  readonly name: string;
  readonly settings: StreamSettings;
  readonly admission: Admission<Waiter>;
  /** Workers of the node. */
  readonly workers: number;
  readonly counters: StreamCounters;
  /** Called with each client whose turn it is. */
  readonly admit: (client: StreamClient) => void;
}

/** No limit is set: nobody is counted. */
const unlimited: QueueLimits = { active: Number.POSITIVE_INFINITY, waiting: Number.POSITIVE_INFINITY, timeout: 0 };

export class ClientPlaces {
  readonly #parts: ClientPlacesParts;
  readonly #name: string;
  readonly #turns = new Map<StreamClient, Turn>();
  #limits: QueueLimits | null;
  #mayWait: boolean;
  #closed = false;

  constructor(parts: ClientPlacesParts) {
    this.#parts = parts;
    this.#name = `clients ${parts.name}`;
    this.#limits = limitsOf(parts.settings, parts.workers);
    this.#mayWait = parts.settings.overflow === 'wait';
  }

  /** Lets a client in, or has it wait, or ends it. Whoever came must be told to `leave`, however it went. */
  come(client: StreamClient): void {
    const turn = new Turn(client, this);
    this.#turns.set(client, turn);
    const line = this.#line();
    if (line === null || turn.enter(line)) this.#parts.admit(client);
    else if (!this.#closed && turn.wait(line)) this.#parts.counters.waiting++;
    else client.finish('too-many');
  }

  leave(client: StreamClient): void {
    const turn = this.#turns.get(client);
    if (turn === undefined) return;
    this.#turns.delete(client);
    if (turn.isOutside) this.#parts.counters.waiting--;
    turn.giveBack();
  }

  /**
   * Other settings. Clients that came while there was no limit are counted as far as the new one allows; none of those that
   * are there is sent away.
   */
  update(settings: StreamSettings): void {
    this.#limits = limitsOf(settings, this.#parts.workers);
    this.#mayWait = settings.overflow === 'wait';
    if (this.#limits === null) {
      this.#parts.admission.known(this.#name)?.change(unlimited);
      return;
    }
    const { active, waiting, timeout } = this.#limits;
    const line = this.#line();
    if (line === null) return;
    const { limits } = line;
    if (limits.active !== active || limits.waiting !== waiting || limits.timeout !== timeout) line.change(this.#limits);
    for (const turn of this.#turns.values()) turn.count(line);
  }

  /** Ends all who wait; who comes from now on does not. */
  close(): void {
    this.#closed = true;
    for (const [client, turn] of this.#turns) if (turn.isOutside) client.finish('cut');
  }

  /** It is the turn of one who waited. */
  admitted(client: StreamClient): void {
    this.#parts.counters.waiting--;
    // One that is being closed gives its place back as soon as its socket is gone.
    if (!client.isClosed && client.endedBy === null) this.#parts.admit(client);
  }

  refused(client: StreamClient, why: Refusal): void {
    this.#parts.counters.waiting--;
    client.finish(why === 'timeout' && this.#mayWait ? 'waited' : 'too-many');
  }

  #line(): Line<Waiter> | null {
    return this.#limits === null ? null : this.#parts.admission.line(this.#name, this.#limits);
  }
}

/** One client with its place, or in the line for one. */
class Turn implements Waiter {
  readonly #client: StreamClient;
  readonly #owner: ClientPlaces;
  /** Where it is counted; null: nowhere yet. */
  #line: Line<Waiter> | null = null;
  #asked: { readonly line: Line<Waiter>; readonly place: Place } | null = null;
  /** It has been let in. */
  #inside = true;

  constructor(client: StreamClient, owner: ClientPlaces) {
    this.#client = client;
    this.#owner = owner;
  }

  /** It waits to be let in. */
  get isOutside(): boolean {
    return !this.#inside;
  }

  enter(line: Line<Waiter>): boolean {
    if (!line.enter()) return false;
    this.#line = line;
    return true;
  }

  /** @returns false: there is no place to wait */
  wait(line: Line<Waiter>): boolean {
    if (!this.#ask(line)) return false;
    this.#inside = false;
    return true;
  }

  /** Counts a client that was let in while nobody was counted. */
  count(line: Line<Waiter>): void {
    if (this.#line === null && this.#asked === null && !this.enter(line)) this.#ask(line);
  }

  admitted(): void {
    this.#line = this.#asked?.line ?? null;
    this.#asked = null;
    if (this.#inside) return;
    this.#inside = true;
    this.#owner.admitted(this.#client);
  }

  refused(why: Refusal): void {
    this.#asked = null;
    if (this.#inside) return;
    this.#inside = true;
    this.#owner.refused(this.#client, why);
  }

  giveBack(): void {
    this.#asked?.place.giveBack();
    this.#line?.leave();
    this.#asked = null;
    this.#line = null;
  }

  #ask(line: Line<Waiter>): boolean {
    const place = line.wait(this);
    if (place !== null) this.#asked = { line, place };
    return place !== null;
  }
}

/** null: there is no limit. */
function limitsOf({ maxConnections, overflow, waitTimeout }: StreamSettings, workers: number): QueueLimits | null {
  if (maxConnections === 0) return null;
  const reserve = partOf(maxConnections, workers);
  // Who may not wait for a place still waits for the answer whether there is one.
  if (overflow === 'drop') return { active: maxConnections, waiting: 0, timeout: patience, reserve };
  return { active: maxConnections, waiting: Number.POSITIVE_INFINITY, timeout: waitTimeout, reserve };
}
