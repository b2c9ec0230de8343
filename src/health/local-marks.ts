// Dead marks that this worker made and that the store may not show yet: in force at once, until the store's word replaces them.

/** One mark. Made by `LocalMarks`; to others a token for `written`. */
export interface LocalMark {
  readonly host: string;
  readonly frontend: string;
  readonly entry: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  until: number;
  /** The store has taken the mark. */
  written: boolean;
  /** A change of the marked record was told since the mark was made. */
  changed: boolean;
  /** As in a mark of the store: when a breaker lets a request through again, and how often in a row it has opened. */
  readonly retryAt?: number;
  readonly opens?: number;
}

/** After the store took a mark, how long to wait for it to tell the change: it may be polling, which takes a second. */
const longestWait = 1500;

/**
 * Marks by frontend and list entry, so that all hosts of a wildcard see them, as they will see the store's.
 *
 * A mark goes as soon as the store took it and told that the record changed: from then on the record is the truth, and
 * whoever removes the mark there revives the backend at once. A mark that the store could not take stays until its time is up.
 */
export class LocalMarks {
  /** By frontend, then by entry. */
  readonly #marks = new Map<string, Map<string, LocalMark>>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** True when there is none: the usual case, asked for each request. */
  get empty(): boolean {
    return this.#marks.size === 0;
  }

  /** Marks an entry of a frontend dead for some seconds. */
  add(host: string, frontend: string, entry: string, ttl: number, breaker: Pick<LocalMark, 'retryAt' | 'opens'> = {}): LocalMark {
    const now = this.#now();
    this.#drop((mark) => mark.until <= now);
    const mark: LocalMark = {
      host,
      frontend,
      entry,
      since: now,
      until: now + ttl * 1000,
      written: false,
      changed: false,
      ...breaker,
    };
    const siblings = this.#marks.get(frontend);
    if (siblings === undefined) this.#marks.set(frontend, new Map([[entry, mark]]));
    else siblings.set(entry, mark);
    return mark;
  }

  /** Whether an entry is marked now. */
  has(frontend: string, entry: string): boolean {
    return this.find(frontend, entry) !== null;
  }

  /** The mark of an entry, or null. */
  find(frontend: string, entry: string): LocalMark | null {
    const mark = this.#marks.get(frontend)?.get(entry);
    if (mark === undefined) return null;
    if (mark.until > this.#now()) return mark;
    this.#remove(mark);
    return null;
  }

  /** Takes the mark of an entry back, where there is one. */
  drop(frontend: string, entry: string): void {
    const mark = this.#marks.get(frontend)?.get(entry);
    if (mark !== undefined) this.#remove(mark);
  }

  /** The store took a mark. */
  written(mark: LocalMark): void {
    mark.written = true;
    if (mark.changed) this.#remove(mark);
    else mark.until = Math.min(mark.until, this.#now() + longestWait);
  }

  /** The store told that the record of a name changed: what it says replaces what was written there. */
  changed(name: string): void {
    if (!this.empty) this.#settle((mark) => mark.frontend === name || mark.host === name);
  }

  /** The store told that everything may have changed. */
  everythingChanged(): void {
    this.#settle(() => true);
  }

  #settle(concerned: (mark: LocalMark) => boolean): void {
    this.#drop((mark) => {
      if (concerned(mark)) mark.changed = true;
      return mark.written && mark.changed;
    });
  }

  #drop(unwanted: (mark: LocalMark) => boolean): void {
    for (const siblings of this.#marks.values()) {
      for (const mark of siblings.values()) {
        if (unwanted(mark)) this.#remove(mark);
      }
    }
  }

  #remove(mark: LocalMark): void {
    const siblings = this.#marks.get(mark.frontend);
    if (siblings?.get(mark.entry) !== mark) return;
    siblings.delete(mark.entry);
    if (siblings.size === 0) this.#marks.delete(mark.frontend);
  }
}
