// Dead marks of the memory store: what `dead:<name>` and `health:<name>` are in Redis.
import type { DeadMark } from '../model/frontend.js';
import type { DeadMarkRequest, MaintenanceRequest, RevivalRequest } from './store.js';

/** Indexes, marks by entry, and one expiry for all that are not under maintenance. */
interface DeadSet {
  readonly indexes: Set<string>;
  readonly marks: Map<string, DeadMark>;
  until: number;
}

/** What a record shows of its marks. */
export type ShownMarks = Readonly<{ dead: readonly string[]; marks: readonly DeadMark[]; deadUntil: number }>;

const none: ShownMarks = Object.freeze({ dead: [], marks: [], deadUntil: Number.POSITIVE_INFINITY });

const manySets = 1000;

/** Milliseconds since the epoch throughout. */
export class MemoryMarks {
  readonly #sets = new Map<string, DeadSet>();

  /** Gives the names that were marked. */
  mark(request: DeadMarkRequest, now: number): readonly string[] {
    const { host, frontend, backend, ttl, write, since = now, probed, retryAt, opens } = request;
    if (!write || ttl <= 0) return [];
    const names = [...new Set([host, frontend])];
    // Hosts of a wildcard may come by the thousand and never be asked for again.
    if (this.#sets.size >= manySets) for (const name of this.names()) this.show(name, now);
    const { index, entry } = backend;
    const until = now + Math.ceil(ttl) * 1000;
    for (const name of names) {
      const set = this.#made(name);
      set.indexes.add(String(index));
      set.until = Math.max(set.until, until);
      const known = set.marks.get(entry);
      const mark: DeadMark = {
        entry,
        index,
        until,
        since,
        ...(probed === true ? { probed } : {}),
        ...(retryAt === undefined ? {} : { retryAt }),
        ...(opens === undefined ? {} : { opens }),
        ...(name === frontend ? {} : { frontend }),
      };
      set.marks.set(entry, known?.manual === true ? { ...known, index } : mark);
    }
    return names;
  }

  revive({ name, entry, members }: RevivalRequest): void {
    const set = this.#sets.get(name);
    if (set === undefined) return;
    for (const member of members) set.indexes.delete(member);
    if (set.marks.get(entry)?.manual !== true) set.marks.delete(entry);
    this.#tidy(name, set);
  }

  maintain({ frontend, backend: { entry, index }, on }: MaintenanceRequest, now: number): void {
    if (on) {
      this.#made(frontend).marks.set(entry, { entry, index, until: Number.POSITIVE_INFINITY, since: now, manual: true });
      return;
    }
    const set = this.#sets.get(frontend);
    if (set?.marks.get(entry)?.manual !== true) return;
    set.marks.delete(entry);
    this.#tidy(frontend, set);
  }

  /** Of a backend that has left the list: its index is another's now. */
  drop(name: string, entry: string): void {
    const set = this.#sets.get(name);
    if (set === undefined) return;
    set.indexes.clear();
    set.marks.delete(entry);
    this.#tidy(name, set);
  }

  forget(name: string): void {
    this.#sets.delete(name);
  }

  names(): readonly string[] {
    return [...this.#sets.keys()];
  }

  show(name: string, now: number): ShownMarks {
    const set = this.#sets.get(name);
    if (set === undefined) return none;
    if (set.until <= now) {
      set.indexes.clear();
      for (const [entry, mark] of set.marks) if (mark.manual !== true) set.marks.delete(entry);
      this.#tidy(name, set);
    }
    const deadUntil = set.indexes.size === 0 ? Number.POSITIVE_INFINITY : set.until;
    return { dead: [...set.indexes], marks: [...set.marks.values()], deadUntil };
  }

  /** Entries under maintenance by frontend, with the moment when it began; others last for seconds and are not kept. */
  maintained(): Record<string, Record<string, number>> {
    const held = [...this.#sets].map(([name, set]): [string, Record<string, number>] => {
      const marks = [...set.marks.values()].filter((mark) => mark.manual === true);
      return [name, Object.fromEntries(marks.map((mark) => [mark.entry, mark.since ?? 0]))];
    });
    return Object.fromEntries(held.filter(([, marks]) => Object.keys(marks).length > 0));
  }

  /** Takes what `maintained` gave; false when it cannot be understood. */
  restore(document: unknown): boolean {
    if (typeof document !== 'object' || document === null || Array.isArray(document)) return false;
    for (const [name, held] of Object.entries(document as Record<string, unknown>)) {
      if (typeof held !== 'object' || held === null || Array.isArray(held)) return false;
      for (const [entry, since] of Object.entries(held as Record<string, unknown>)) {
        if (typeof since !== 'number') return false;
        this.#made(name).marks.set(entry, { entry, index: -1, until: Number.POSITIVE_INFINITY, since, manual: true });
      }
    }
    return true;
  }

  #made(name: string): DeadSet {
    let set = this.#sets.get(name);
    if (set === undefined) {
      set = { indexes: new Set(), marks: new Map(), until: 0 };
      this.#sets.set(name, set);
    }
    return set;
  }

  #tidy(name: string, set: DeadSet): void {
    if (set.indexes.size === 0 && set.marks.size === 0) this.#sets.delete(name);
  }
}
