// A store whose replies a test lets go one by one: for races that a real server cannot be made to lose.
import type { FrontendRecord } from '../../src/model/frontend.js';
import type { RecordKind, StoredRecord } from '../../src/model/record-kind.js';
import { Patience } from '../../src/store/patience.js';
import type { Store, StoreListener, StoreState } from '../../src/store/store.js';

/** A read that waits for the test. The records are those of the moment when it was asked. */
export interface HeldRead {
  readonly names: readonly string[];
  reply(): void;
  fail(): void;
}

/** A record without faults or marks. */
export function recordOf(name: string, list: readonly string[], more: Partial<FrontendRecord> = {}): FrontendRecord {
  return {
    name,
    list,
    dead: [],
    marks: [],
    deadUntil: Number.POSITIVE_INFINITY,
    policy: [],
    policyFault: '',
    fault: '',
    ...more,
  };
}

export class ControlledStore implements Store {
  state: StoreState = 'live';
  readonly patience = new Patience(30);
  /** Names of each read so far. */
  readonly reads: (readonly string[])[] = [];
  /** Reads that wait, while `holding`. */
  readonly held: HeldRead[] = [];
  holding = false;
  failing = false;
  #listener: StoreListener | null = null;
  readonly #records = new Map<string, FrontendRecord>();

  async start(listener: StoreListener): Promise<void> {
    this.#listener = listener;
  }

  /** Changes a list without a word to the listener. */
  put(name: string, list: readonly string[], more: Partial<FrontendRecord> = {}): void {
    this.#records.set(name, recordOf(name, list, more));
  }

  /** Changes a list, and tells. */
  change(name: string, list: readonly string[]): void {
    this.put(name, list);
    this.#listener?.changed(name);
  }

  everythingChanged(): void {
    this.#listener?.everythingChanged();
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    this.reads.push(names);
    if (this.failing) throw new Error('the store fails');
    const begun = performance.now();
    const records = names.map((name) => this.#records.get(name) ?? recordOf(name, []));
    if (this.holding) {
      await new Promise<void>((resolve, reject) => {
        this.held.push({ names, reply: resolve, fail: () => reject(new Error('the store fails')) });
      });
    }
    for (const server of this.serversOf('frontend', names)) this.patience.replied(server, performance.now() - begun);
    return records;
  }

  serversOf(_kind: RecordKind | 'frontend', _names: readonly string[]): readonly string[] {
    return ['the only one'];
  }

  async markDead(): Promise<void> {}

  async revive(): Promise<void> {}

  async maintain(): Promise<void> {}

  async readHcheckerPing(): Promise<number> {
    return 0;
  }

  async readAppliedRevision(): Promise<number> {
    return 0;
  }

  async writeStats(): Promise<null> {
    return null;
  }

  async readStats(): Promise<[]> {
    return [];
  }

  async writeHeartbeat(): Promise<string> {
    return '';
  }

  async removeHeartbeat(): Promise<void> {}

  async readHeartbeats(): Promise<[]> {
    return [];
  }

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    this.change(name, [identifier, ...backends]);
  }

  async deleteFrontend(name: string): Promise<void> {
    this.change(name, []);
  }

  /** Elements of the record `patterns`. */
  patterns: readonly string[] = [];

  /** Replaces the host patterns, and tells. */
  changePatterns(...entries: readonly object[]): void {
    this.patterns = entries.map((entry) => JSON.stringify(entry));
    this.#listener?.recordChanged?.('patterns', '');
  }

  async readRecord(kind: RecordKind): Promise<StoredRecord> {
    if (this.failing) throw new Error('the store fails');
    return { values: kind === 'patterns' ? this.patterns : [], fault: '' };
  }

  async writeRecord(): Promise<void> {}

  async scanNames(
    kind: RecordKind | 'frontend' | 'health',
    matching: string,
    onPage: (names: readonly string[]) => void,
  ): Promise<void> {
    if (this.failing) throw new Error('the store fails');
    const has = (record: FrontendRecord) =>
      (kind === 'frontend' ? record.list : kind === 'route' ? record.policy : []).length > 0;
    onPage([...this.#records.values()].filter((record) => has(record) && record.name.includes(matching)).map(({ name }) => name));
  }

  async takeLease(): Promise<boolean> {
    return true;
  }

  async dropLease(): Promise<void> {}

  async close(): Promise<void> {}
}
