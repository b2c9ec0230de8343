// The nodes that are there, as their heartbeats tell, and the wait for a change to be in force on all of them.
import type { NodeHeartbeat } from '../model/node.js';
import type { ManagedStore } from '../store/managed-store.js';
import { Problem } from './problem.js';

/** A node that has not applied a change in time. */
export interface Laggard {
  readonly id: string;
  readonly revision: number;
  readonly phase: NodeHeartbeat['phase'];
}

/** How often those that lag are asked for once more, in milliseconds: the end of a heartbeat may be told late. */
const lookAgain = 500;

interface Waiter {
  readonly revision: number;
  readonly done: () => void;
}

/** Told of heartbeats by the store; it never asks for all of them but at the beginning and after an outage. */
export class Fleet {
  readonly #store: Pick<ManagedStore, 'readHeartbeat' | 'readHeartbeats'>;
  readonly #nodes = new Map<string, NodeHeartbeat>();
  readonly #waiters = new Set<Waiter>();
  /** Nodes whose heartbeat is being read, and whether it has changed since. */
  readonly #reading = new Map<string, boolean>();
  readonly #onNode: (id: string, beat: NodeHeartbeat | null) => void;
  #loading: Promise<void> | null = null;
  #loaded = false;

  /** @param onNode told of each heartbeat; null: the node is gone */
  constructor(
    store: Pick<ManagedStore, 'readHeartbeat' | 'readHeartbeats'>,
    onNode: (id: string, beat: NodeHeartbeat | null) => void = () => undefined,
  ) {
    this.#store = store;
    this.#onNode = onNode;
  }

  /** By id. */
  get nodes(): readonly NodeHeartbeat[] {
    return [...this.#nodes.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** The same, asked of the store where nobody has yet. Rejects when that cannot be asked. */
  async known(): Promise<readonly NodeHeartbeat[]> {
    if (!this.#loaded) await this.load();
    return this.nodes;
  }

  /** Resolves when all nodes are known. Rejects when the store cannot be asked. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** Told by the store. */
  nodeChanged(id: string): void {
    if (this.#reading.has(id)) {
      this.#reading.set(id, true);
      return;
    }
    this.#reading.set(id, false);
    const read = this.#store.readHeartbeat(id).then(
      (beat) => this.#take(id, beat),
      // The next heartbeat comes within a second.
      () => undefined,
    );
    void read.then(() => {
      const again = this.#reading.get(id) === true;
      this.#reading.delete(id);
      if (again) this.nodeChanged(id);
    });
  }

  /** Told by the store: anything may have changed. */
  everythingChanged(): void {
    void this.load().catch(() => undefined);
  }

  /**
   * Waits until every node that serves has a revision in force. A node that goes meanwhile is not waited for.
   * @param limit milliseconds
   * @returns those that have not; empty: all have
   */
  async waitFor(revision: number, limit: number): Promise<readonly Laggard[]> {
    if (this.#behind(revision).length === 0) return [];
    let waiter: Waiter | undefined;
    let timer: NodeJS.Timeout | undefined;
    const looking = setInterval(() => {
      for (const { id } of this.#behind(revision)) this.nodeChanged(id);
    }, lookAgain);
    await new Promise<void>((resolve) => {
      waiter = { revision, done: resolve };
      this.#waiters.add(waiter);
      timer = setTimeout(resolve, limit);
    });
    clearTimeout(timer);
    clearInterval(looking);
    this.#waiters.delete(waiter as Waiter);
    return this.#behind(revision).map(({ id, revision: applied, phase }) => ({ id, revision: applied, phase }));
  }

  /** Ends every wait. */
  close(): void {
    for (const waiter of this.#waiters) waiter.done();
  }

  #behind(revision: number): NodeHeartbeat[] {
    return this.nodes.filter((beat) => beat.phase !== 'stopping' && beat.revision < revision);
  }

  async #load(): Promise<void> {
    const beats = await this.#store.readHeartbeats();
    const there = new Set(beats.map(({ id }) => id));
    for (const id of this.#nodes.keys()) if (!there.has(id)) this.#take(id, null);
    for (const beat of beats) this.#take(beat.id, beat);
    this.#loaded = true;
  }

  #take(id: string, beat: NodeHeartbeat | null): void {
    if (beat === null) this.#nodes.delete(id);
    else this.#nodes.set(id, beat);
    this.#onNode(id, beat);
    for (const waiter of this.#waiters) if (this.#behind(waiter.revision).length === 0) waiter.done();
  }
}

/** What is answered when a change is made, but is not in force everywhere in time. */
export function notApplied(revision: number, laggards: readonly Laggard[]): Problem {
  const names = laggards.map(({ id }) => id).join(', ');
  return new Problem('not-applied', `The change is made, but not in force everywhere yet: ${names}`, [], { revision, laggards });
}
