// The records of the memory store besides frontends: by kind and name, and as they stand in its file.
import { type RecordKind, recordKinds, recordShapes, type StoredRecord } from '../model/record-kind.js';

const nothing: StoredRecord = Object.freeze({ values: [], fault: '' });

/** `{"tier": {"gold": {"points": "100"}}, "blocklist": {"": ["192.0.2.0/24"]}}` */
export type RecordsDocument = Record<string, Record<string, unknown>>;

export class MemoryRecords {
  readonly #kinds = new Map<RecordKind, Map<string, readonly string[]>>();
  /** When records that do not stay are gone, in milliseconds since the epoch; they are in no file. */
  readonly #ends = new Map<string, number>();

  read(kind: RecordKind, name: string): StoredRecord {
    const end = this.#ends.get(`${kind}:${name}`);
    if (end !== undefined && Date.now() >= end) this.write(kind, name, []);
    const values = this.#kinds.get(kind)?.get(name);
    return values === undefined ? nothing : { values, fault: '' };
  }

  /**
   * No values remove the record.
   * @param milliseconds that it lasts; absent: for good
   */
  write(kind: RecordKind, name: string, values: readonly string[], milliseconds?: number): void {
    if (milliseconds === undefined || values.length === 0) this.#ends.delete(`${kind}:${name}`);
    else this.#ends.set(`${kind}:${name}`, Date.now() + milliseconds);
    let names = this.#kinds.get(kind);
    if (names === undefined) {
      names = new Map();
      this.#kinds.set(kind, names);
    }
    if (values.length === 0) names.delete(name);
    else names.set(name, Object.freeze(recordShapes[kind] === 'set' ? [...new Set(values)] : [...values]));
  }

  names(kind: RecordKind): Iterable<string> {
    return this.#kinds.get(kind)?.keys() ?? [];
  }

  /** For the file; hashes as objects, texts as texts. */
  toDocument(): RecordsDocument {
    const document: RecordsDocument = {};
    for (const [kind, names] of this.#kinds) {
      const lasting = [...names].filter(([name]) => !this.#ends.has(`${kind}:${name}`));
      if (lasting.length > 0)
        document[kind] = Object.fromEntries(lasting.map(([name, values]) => [name, documentValue(kind, values)]));
    }
    return document;
  }

  /** Takes what a file holds; false when it cannot be understood. */
  fromDocument(document: RecordsDocument): boolean {
    for (const [kind, names] of Object.entries(document)) {
      const known = recordKinds.find((one) => one === kind);
      if (known === undefined || typeof names !== 'object' || names === null) return false;
      for (const [name, value] of Object.entries(names)) {
        const values = documentValues(known, value);
        if (values === null) return false;
        this.write(known, name, values);
      }
    }
    return true;
  }
}

function documentValue(kind: RecordKind, values: readonly string[]): unknown {
  switch (recordShapes[kind]) {
    case 'hash':
      return Object.fromEntries(
        values.flatMap((name, at) => (at % 2 === 0 && at + 1 < values.length ? [[name, values[at + 1]]] : [])),
      );
    case 'text':
      return values[0];
    default:
      return values;
  }
}

function documentValues(kind: RecordKind, value: unknown): string[] | null {
  const texts = (items: readonly unknown[]): string[] | null =>
    items.every((item) => typeof item === 'string') ? (items as string[]) : null;
  switch (recordShapes[kind]) {
    case 'hash':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? texts(Object.entries(value).flat()) : null;
    case 'text':
      return texts([value]);
    default:
      return Array.isArray(value) ? texts(value) : null;
  }
}
