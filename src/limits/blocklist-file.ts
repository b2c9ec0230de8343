// A file of addresses that are refused, read again when it changes.
import { closeSync, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { type AddressSet, collectAddresses } from '../base/ip.js';
import { StartError } from '../errors/start-error.js';
import type { Logger } from '../observe/logger.js';
import { tellFaults } from './list-faults.js';

/**
 * How often it is looked at, in ms. Asking works on every file system and survives a file that is replaced, which being told does not;
 * it is asked at once and not through the thread pool, where a few names that do not resolve would hold it up for seconds.
 */
const interval = 500;

/** In ms: more than the times of any usual file system are rounded by. */
const clockTick = 50;

/** What is told of a file that is not there. */
const gone = 'gone';
/** What is told of one that is to be read again. */
const unknown = 'unknown';

export class BlocklistFile {
  addresses: AddressSet;

  readonly #path: string;
  readonly #log: Logger;
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | null = null;
  /** Which file was read and when it was written: taken before its content, so that what is written meanwhile is seen later. */
  #stamp = unknown;
  #told = '';

  /**
   * Reads it.
   * @param changed told when somebody may have been added
   * @throws StartError for a file that cannot be read: nobody would be refused, and nobody would know
   */
  constructor(path: string, log: Logger, changed: () => void) {
    this.#path = path;
    this.#log = log;
    this.#changed = changed;
    try {
      this.addresses = this.#read();
    } catch (error) {
      throw new StartError(`frontDoor.blocklistFile: ${path} cannot be read: ${reasonOf(error)}`);
    }
  }

  /** Begins to watch it; keeps no process alive. */
  start(): void {
    this.#timer = setInterval(() => this.#look(), interval).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#stampNow() !== this.#stamp) this.#reread();
  }

  #stampNow(): string {
    try {
      return stampOf(statSync(this.#path));
    } catch {
      return gone;
    }
  }

  #read(): AddressSet {
    const lines = this.#content().split('\n');
    const entries = lines.map((line) => line.replace(/#.*/s, '').trim()).filter((entry) => entry !== '');
    const { set, wrong } = collectAddresses(entries);
    this.#tell(tellFaults(wrong));
    return set;
  }

  #content(): string {
    this.#stamp = gone;
    const file = openSync(this.#path, 'r');
    try {
      const stats = fstatSync(file);
      // A second writing within a tick of the file system's clock leaves no trace: what is that young is read once more.
      this.#stamp = Math.abs(Date.now() - stats.mtimeMs) > clockTick ? stampOf(stats) : unknown;
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  }

  /** What was known stays in force while the file cannot be read, as when an editor is about to write it. */
  #reread(): void {
    try {
      this.addresses = this.#read();
      this.#changed();
    } catch (error) {
      this.#tell(`it cannot be read (${reasonOf(error)}); what it said before stays in force`);
    }
  }

  /** Each state once. */
  #tell(text: string): void {
    if (text === this.#told) return;
    this.#told = text;
    if (text !== '') this.#log.warn(`${this.#path}: ${text}`);
  }
}

function stampOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
