// Publishes what a node has counted: as soon as its workers have told, one write after the other, each by a worker that serves.
import { statsVersion } from '../model/node-stats.js';
import type { NodeCounts } from '../observe/node-counts.js';
import type { StatsAnswer, StatsOrder } from './stats-order.js';

/** Milliseconds after the first worker has told in which the others do too, unless one of them is hung: one write for all of them. */
const gather = 250;

export interface PublicationParts {
  readonly totals: NodeCounts;
  readonly boot: string;
  /** Gives an order to a process; it is answered, or the process goes. */
  readonly send: (source: number, order: StatsOrder) => void;
  /** How many processes tell each second. */
  readonly telling: () => number;
  /** The process that is to write next; null: there is none now. */
  readonly writer: () => number | null;
}

export class Publication {
  readonly #parts: PublicationParts;
  #since = Date.now();
  /** The record of an earlier run has been looked for. */
  #based = false;
  #wroteOnce = false;
  /** Who has been ordered to do what, until the answer. */
  #ordered: { readonly source: number; readonly order: StatsOrder } | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Who has told since the last write. */
  readonly #told = new Set<number>();
  /** Processes that wait for a last write before they close their store. */
  readonly #leaving = new Set<number>();

  constructor(parts: PublicationParts) {
    this.#parts = parts;
  }

  /** A worker has told something. */
  heard(source: number): void {
    this.#told.add(source);
    if (this.#told.size >= this.#parts.telling()) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), gather).unref();
  }

  /** A worker has told its last, and waits for an order to write before it closes its store. */
  leaves(source: number): void {
    this.#leaving.add(source);
    this.#next();
  }

  answered(answer: StatsAnswer): void {
    const ordered = this.#ordered;
    if (ordered === null) return;
    this.#ordered = null;
    switch (answer.kind) {
      case 'read':
        this.#goOnFrom(answer.base);
        break;
      case 'written':
        // Somebody has emptied the store, or it was started anew.
        if (this.#wroteOnce && answer.before !== this.#parts.boot) this.#parts.totals.everythingChanged();
        this.#wroteOnce = true;
        break;
      case 'failed':
        this.#failed(ordered.order);
        break;
    }
    if (answer.kind !== 'read') this.#leaving.delete(ordered.source);
    this.#next();
  }

  /** A process is gone: it answers no more. */
  gone(source: number): void {
    this.#leaving.delete(source);
    this.#told.delete(source);
    if (this.#ordered?.source !== source) return;
    this.#failed(this.#ordered.order);
    this.#ordered = null;
    this.#next();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #write(): void {
    this.close();
    this.#timer = null;
    this.#told.clear();
    // What changes while one is under way is part of the next one.
    if (this.#ordered !== null) return;
    const writer = this.#parts.writer();
    if (writer !== null) this.#order(writer);
  }

  #next(): void {
    const [source] = this.#leaving;
    if (source !== undefined) this.#order(source);
  }

  #order(source: number): void {
    if (this.#ordered !== null) return;
    const { boot, totals, send } = this.#parts;
    const head = { version: statsVersion, boot, since: this.#since, at: Date.now() } as const;
    const order: StatsOrder = this.#based
      ? { kind: 'write', head, fields: totals.takeChanged(this.#leaving.size > 0) }
      : { kind: 'read' };
    this.#ordered = { source, order };
    send(source, order);
  }

  #goOnFrom(base: Extract<StatsAnswer, { kind: 'read' }>['base']): void {
    this.#based = true;
    // Fields of another version may be there.
    this.#parts.totals.everythingChanged();
    if (base !== null) {
      this.#since = base.since;
      this.#parts.totals.goOnFrom(base.fields);
    }
    this.#write();
  }

  #failed(order: StatsOrder | undefined): void {
    if (order?.kind === 'write') this.#parts.totals.changedStill(order.fields.keys());
  }
}
