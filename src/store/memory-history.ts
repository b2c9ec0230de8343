// The revision and the history of the memory store, and as they stand in its file.
import type { HistoryEntry } from './change.js';

/** The file is written anew with each change, so that fewer are kept than in Redis. */
const kept = 500;

export class MemoryHistory {
  /** Oldest first. */
  #entries: HistoryEntry[] = [];
  #revision = 0;

  /** How many changes there were. */
  get revision(): number {
    return this.#revision;
  }

  /** @param textOf what is kept of a change, by its revision. @returns that revision */
  add(textOf: (revision: number) => string): number {
    this.#revision += 1;
    this.#entries.push({ id: this.#nextId(), text: textOf(this.#revision) });
    if (this.#entries.length > kept) this.#entries.shift();
    return this.#revision;
  }

  /** @param before only those before this id; empty: all */
  newest(before: string, count: number): HistoryEntry[] {
    const newestFirst = [...this.#entries].reverse();
    return newestFirst.filter(({ id }) => before === '' || isBefore(id, before)).slice(0, count);
  }

  find(id: string): HistoryEntry | null {
    return this.#entries.find((entry) => entry.id === id) ?? null;
  }

  /** Null: there was no change. */
  toDocument(): object | null {
    return this.#revision === 0 ? null : { revision: this.#revision, history: this.#entries };
  }

  /** Takes what `toDocument` gave; false when it cannot be understood. */
  restore(document: unknown): boolean {
    if (typeof document !== 'object' || document === null || !('revision' in document) || !('history' in document)) return false;
    const { revision, history } = document;
    if (!Number.isSafeInteger(revision) || !Array.isArray(history) || !history.every(isEntry)) return false;
    this.#revision = revision as number;
    this.#entries = history.slice(-kept);
    return true;
  }

  /** In the form of Redis: milliseconds since the epoch, and a number within them. */
  #nextId(): string {
    const [time, number] = partsOf(this.#entries.at(-1)?.id ?? '0-0');
    const now = Date.now();
    return now > time ? `${now}-0` : `${time}-${number + 1}`;
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('text' in value)) return false;
  return typeof value.id === 'string' && /^\d+-\d+$/.test(value.id) && typeof value.text === 'string';
}

function isBefore(one: string, other: string): boolean {
  const [time, number] = partsOf(one);
  const [otherTime, otherNumber] = partsOf(other);
  return time < otherTime || (time === otherTime && number < otherNumber);
}

function partsOf(id: string): [time: number, number: number] {
  const [time = '', number = ''] = id.split('-');
  return [Number(time), Number(number)];
}
