// Tells the bus which backends are taken out and which come back, whoever decided it: this worker, another node, a probe, a person.
import type { Backend } from '../model/backend.js';
import { type Death, deathsOf } from '../model/dead-set.js';
import type { FrontendRecord, Route } from '../model/frontend.js';
import { parseBackends } from '../model/parse-backends.js';
import type { EventBus } from '../observe/events.js';
import type { Store, StoreListener } from '../store/store.js';
import type { LocalMarks } from './local-marks.js';

/** `setTimeout` takes no more than 31 bits; what lasts longer is looked at again. */
const longestTimer = 0x7fffffff;

/** What is known of one frontend that has dead backends. */
interface Known {
  /** The dead ones, by list entry. */
  readonly dead: Map<string, Backend>;
  /** A mark that runs out is told by nobody. */
  timer: NodeJS.Timeout | null;
}

export interface BackendWatchParts {
  readonly store: Pick<Store, 'readFrontends'>;
  readonly marks: LocalMarks;
  readonly events: EventBus;
}

/** Reads nothing of the store while nobody listens. */
export class BackendWatch implements StoreListener {
  readonly #parts: BackendWatchParts;
  readonly #known = new Map<string, Known>();
  /** Frontends that are being read; true: something changed meanwhile. */
  readonly #reading = new Map<string, boolean>();
  #closed = false;

  constructor(parts: BackendWatchParts) {
    this.#parts = parts;
  }

  /** This worker has marked a backend; the store will tell of it later. */
  marked(route: Route, backend: Backend, reason: string): void {
    if (this.#closed || !this.#wanted) return;
    const known = this.#of(route.frontend);
    if (!known.dead.has(backend.entry)) {
      known.dead.set(backend.entry, backend);
      this.#tellDead(route.frontend, backend, { reason, since: Date.now(), manual: false });
    }
    this.#lookAt(route.frontend, this.#parts.marks.find(route.frontend, backend.entry)?.until ?? 0);
  }

  changed(name: string): void {
    if (this.#known.has(name)) this.#look(name);
  }

  marksChanged(name: string): void {
    if (this.#wanted) this.#look(name);
  }

  everythingChanged(): void {
    for (const name of this.#known.keys()) this.#look(name);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#known.values()) if (timer !== null) clearTimeout(timer);
    this.#known.clear();
  }

  get #wanted(): boolean {
    const { events } = this.#parts;
    return events.listens('backend.dead') || events.listens('backend.alive');
  }

  #look(name: string): void {
    if (this.#closed) return;
    const busy = this.#reading.has(name);
    this.#reading.set(name, busy);
    if (!busy) void this.#read(name);
  }

  async #read(name: string): Promise<void> {
    try {
      do {
        this.#reading.set(name, false);
        const [record] = await this.#parts.store.readFrontends([name]);
        if (record !== undefined && !this.#closed) this.#compare(record);
      } while (this.#reading.get(name) === true && !this.#closed);
    } catch {
      // The store is away; when it is back everything has changed.
    } finally {
      this.#reading.delete(name);
    }
  }

  #compare(record: FrontendRecord): void {
    const { name } = record;
    const now = Date.now();
    const { backends } = parseBackends(record.list.slice(1));
    const deaths = deathsOf([record], backends, now);
    const { dead, timer } = this.#of(name);
    if (timer !== null) clearTimeout(timer);
    let next = Number.POSITIVE_INFINITY;
    const listed = new Set<string>();
    backends.forEach((backend, position) => {
      const { entry } = backend;
      listed.add(entry);
      const death = deaths[position] ?? null;
      const local = this.#parts.marks.find(name, entry);
      if (death === null && local === null) {
        if (dead.delete(entry)) this.#tellAlive(name, backend);
        return;
      }
      next = Math.min(next, local?.until ?? next, death === null ? next : untilOf(death, record));
      if (dead.has(entry)) return;
      dead.set(entry, backend);
      const mark = death?.kind === 'mark' ? death.mark : null;
      this.#tellDead(name, backend, { reason: '', since: mark?.since || now, manual: mark?.manual === true });
    });
    // Who left the list is neither dead nor alive.
    for (const entry of dead.keys()) if (!listed.has(entry)) dead.delete(entry);
    if (dead.size === 0) this.#known.delete(name);
    else this.#lookAt(name, next);
  }

  /** Looks again once a mark has run out; 0 and Infinity: nobody knows when. */
  #lookAt(name: string, moment: number): void {
    const known = this.#of(name);
    if (known.timer !== null) clearTimeout(known.timer);
    known.timer = null;
    if (moment === 0 || moment === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(Math.max(0, moment - Date.now()) + 1, longestTimer);
    known.timer = setTimeout(() => this.#look(name), delay).unref();
  }

  #of(name: string): Known {
    let known = this.#known.get(name);
    if (known === undefined) {
      known = { dead: new Map(), timer: null };
      this.#known.set(name, known);
    }
    return known;
  }

  #tellDead(
    vHost: string,
    { id, origin }: Backend,
    details: { readonly reason: string; readonly since: number; readonly manual: boolean },
  ): void {
    const { events } = this.#parts;
    if (events.listens('backend.dead')) events.emit('backend.dead', { vHost, backend: { id, url: origin }, ...details });
  }

  #tellAlive(vHost: string, { id, origin }: Backend): void {
    const { events } = this.#parts;
    if (events.listens('backend.alive')) events.emit('backend.alive', { vHost, backend: { id, url: origin } });
  }
}

/** Milliseconds since the epoch. */
function untilOf(death: Death, record: FrontendRecord): number {
  if (death.kind === 'member') return record.deadUntil;
  return Math.min(death.mark.until, record.deadUntil);
}
