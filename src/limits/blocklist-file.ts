// A file of addresses that are refused, read again when it changes.
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { type AddressSet, collectAddresses } from '../base/ip.js';
import { StartError } from '../errors/start-error.js';
import type { Logger } from '../observe/logger.js';
import { tellFaults } from './list-faults.js';

/** How often it is looked at. Asking works on every file system and survives a file that is replaced, which being told does not. */
const interval = 500;

export class BlocklistFile {
  addresses: AddressSet;

  readonly #path: string;
  readonly #log: Logger;
  readonly #changed: () => void;
  readonly #look = (): void => this.#reread();
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
    watchFile(this.#path, { interval, persistent: false }, this.#look);
    // It may have changed between the reading and the watching.
    this.#reread();
  }

  close(): void {
    unwatchFile(this.#path, this.#look);
  }

  #read(): AddressSet {
    const lines = readFileSync(this.#path, 'utf8').split('\n');
    const entries = lines.map((line) => line.replace(/#.*/s, '').trim()).filter((entry) => entry !== '');
    const { set, wrong } = collectAddresses(entries);
    this.#tell(tellFaults(wrong));
    return set;
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

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
