// The file of the memory store: a JSON object of frontend names and their lists, replaced as a whole or not at all.
import { open, readFile, rename, rm } from 'node:fs/promises';
import { StartError } from '../errors/start-error.js';
import type { MemoryHistory } from './memory-history.js';
import type { MemoryMarks } from './memory-marks.js';
import type { MemoryRecords, RecordsDocument } from './memory-records.js';

/** Changes that come together are written together. */
const writeDelay = 50;

/** What the file holds besides lists. */
export interface FileParts {
  readonly records: MemoryRecords;
  readonly marks: MemoryMarks;
  readonly history: MemoryHistory;
}

/** `{"frontends": {"example.com": ["example", "http://127.0.0.1:3000"]}, "records": {"route": {"example.com": {"strategy": "IP_HASH"}}}}` */
export class FrontendFile {
  readonly #path: string;
  readonly #onError: (text: string) => void;
  #lists: ReadonlyMap<string, readonly string[]> | null = null;
  #parts: FileParts | null = null;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param onError told in one line when the file could not be written; what is in memory goes on being served */
  constructor(path: string, onError: (text: string) => void) {
    this.#path = path;
    this.#onError = onError;
  }

  /** What the file holds, its other parts put into `parts`; nothing where there is none yet. Rejects with a StartError when it is no such file. */
  async read(parts: FileParts): Promise<Map<string, readonly string[]>> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
      throw new StartError(`the file of the memory store cannot be read: ${reasonOf(error)}`, error);
    }
    const lists = text.trim() === '' ? new Map<string, readonly string[]>() : parseFile(text, parts);
    if (lists === null) {
      throw new StartError(
        `the file of the memory store ${this.#path} cannot be understood: it has to be {"frontends": {"HOST": ["identifier", "http://host:port"]}}; mend or remove it`,
      );
    }
    return lists;
  }

  /** Takes note of a change; it is written within a moment. */
  write(lists: ReadonlyMap<string, readonly string[]>, parts: FileParts): void {
    this.#lists = lists;
    this.#parts = parts;
    this.#timer ??= setTimeout(() => void this.flush(), writeDelay);
  }

  /** Resolves when everything that was noted is in the file, or could not be written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lists = this.#lists;
    this.#lists = null;
    if (lists !== null) {
      const records = this.#parts?.records.toDocument() ?? {};
      const maintenance = this.#parts?.marks.maintained() ?? {};
      const changes = this.#parts?.history.toDocument() ?? null;
      const document = {
        frontends: Object.fromEntries(lists),
        ...(Object.keys(records).length === 0 ? {} : { records }),
        ...(Object.keys(maintenance).length === 0 ? {} : { maintenance }),
        ...(changes === null ? {} : { changes }),
      };
      const text = `${JSON.stringify(document, null, 2)}\n`;
      this.#writing = this.#writing.then(() => this.#replace(text));
    }
    await this.#writing;
  }

  /** A reader, or the next start after a crash, finds the old file or the new one. */
  async #replace(text: string): Promise<void> {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      this.#onError(`the file of the memory store cannot be written: ${reasonOf(error)}`);
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
}

function parseFile(text: string, { records, marks, history }: FileParts): Map<string, readonly string[]> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('frontends' in value)) return null;
    const { frontends } = value;
    if (typeof frontends !== 'object' || frontends === null || Array.isArray(frontends)) return null;
    if ('records' in value && !isDocument(value.records, records)) return null;
    if ('maintenance' in value && !marks.restore(value.maintenance)) return null;
    if ('changes' in value && !history.restore(value.changes)) return null;
    const entries = Object.entries(frontends as Record<string, unknown>);
    return entries.every((entry): entry is [string, string[]] => isList(entry[1])) ? new Map(entries) : null;
  } catch {
    return null;
  }
}

function isDocument(value: unknown, records: MemoryRecords): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && records.fromDocument(value as RecordsDocument);
}

function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
