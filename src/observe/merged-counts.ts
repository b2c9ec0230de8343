// Sums up what several workers tell of frontends. What a worker has told stays when it ends; what it had running goes with it.
import { ByteReader } from '../base/varints.js';
import { readFrontend } from './counts-bytes.js';
import { type BackendCounts, FrontendCounts, otherFrontends } from './frontend-counts.js';

/** What runs now, as one worker tells it. */
interface Running {
  readonly active: number;
  readonly running: number;
  readonly waiting: number;
}

const nothing: Running = { active: 0, running: 0, waiting: 0 };

/** What runs in one worker, as far as anything does. */
class Source {
  readonly running = new Map<FrontendCounts | BackendCounts, Running>();
  /** By name: of frontends that are not told apart. */
  readonly rest = new Map<string, Running>();
}

export interface MergedCountsParts {
  /** The most frontends that are told apart, and backends of each; absent: as many as a worker tells apart. */
  readonly most: number;
  readonly mostBackends?: number;
  /** Told of each frontend, and each backend, whose numbers are about to change. */
  readonly changing: (counts: FrontendCounts) => void;
  readonly backendChanging?: (counts: BackendCounts) => void;
  /** Asked to make room where there is none for another frontend, by `drop`. */
  readonly makeRoom: () => void;
}

export class MergedCounts {
  readonly #frontends = new Map<string, FrontendCounts>();
  readonly #parts: MergedCountsParts;
  readonly #sources = new Map<number, Source>();

  constructor(parts: MergedCountsParts) {
    this.#parts = parts;
  }

  get frontends(): ReadonlyMap<string, FrontendCounts> {
    return this.#frontends;
  }

  /**
   * @param source the worker
   * @param told what `Tally.collect` gave
   * @throws Error for bytes that nobody wrote
   */
  merge(source: number, told: string): void {
    const from = new ByteReader(told);
    while (!from.done) this.mergeFrontend(source, readFrontend(from));
  }

  mergeFrontend(source: number, told: FrontendCounts): void {
    const counts = this.frontend(told.name);
    this.#parts.changing(counts);
    if (counts.name !== told.name) {
      // Whose backends they are would not be seen any more.
      told.foldBackends();
      counts.add(told);
      replaceRunning(counts, this.#source(source).rest, told.name, told);
      return;
    }
    counts.add(told);
    const { running } = this.#source(source);
    replaceRunning(counts, running, counts, told);
    for (const backend of told.backends.values()) {
      const known = counts.backend(backend.id);
      this.#parts.backendChanging?.(known);
      // What runs on backends that are not told apart is not known of each.
      if (known.id !== backend.id) continue;
      const before = running.get(known)?.active ?? 0;
      known.active += backend.active - before;
      known.activeMax = Math.max(known.activeMax, known.active);
      if (backend.active > 0) running.set(known, { ...nothing, active: backend.active });
      else running.delete(known);
    }
  }

  /** The counts of a frontend, or those of all that are not told apart. */
  frontend(name: string): FrontendCounts {
    const known = this.#frontends.get(name);
    if (known !== undefined) return known;
    if (this.#frontends.size >= this.#parts.most && name !== otherFrontends) {
      this.#parts.makeRoom();
      if (this.#frontends.size >= this.#parts.most) return this.frontend(otherFrontends);
    }
    for (const source of this.#sources.values()) this.#endRest(source, name);
    const made = new FrontendCounts(name, this.#parts.mostBackends);
    this.#frontends.set(name, made);
    return made;
  }

  /** The worker has ended: nothing runs there. */
  lose(number: number): void {
    const source = this.#sources.get(number);
    if (source === undefined) return;
    this.#sources.delete(number);
    for (const frontend of this.#frontends.values()) {
      const backends = [...frontend.backends.values()].filter((backend) => source.running.has(backend));
      if (!source.running.has(frontend) && backends.length === 0) continue;
      this.#parts.changing(frontend);
      subtract(frontend, source.running.get(frontend) ?? nothing);
      for (const backend of backends) backend.active -= source.running.get(backend)?.active ?? 0;
    }
    for (const name of source.rest.keys()) this.#endRest(source, name);
  }

  /** Ends the counting of a frontend of which nothing runs. */
  drop(counts: FrontendCounts): void {
    if (counts.active > 0) return;
    this.#frontends.delete(counts.name);
  }

  /** What one of the frontends that were not told apart had running is no longer among the others'. */
  #endRest({ rest }: Source, name: string): void {
    const running = rest.get(name);
    if (running === undefined) return;
    rest.delete(name);
    const others = this.frontend(otherFrontends);
    this.#parts.changing(others);
    subtract(others, running);
  }

  #source(number: number): Source {
    let source = this.#sources.get(number);
    if (source === undefined) {
      source = new Source();
      this.#sources.set(number, source);
    }
    return source;
  }
}

/** Puts what runs now in place of what was told before. */
function replaceRunning<K>(counts: FrontendCounts, known: Map<K, Running>, key: K, told: FrontendCounts): void {
  subtract(counts, known.get(key) ?? nothing);
  const { active, running, waiting } = told;
  counts.active += active;
  counts.running += running;
  counts.waiting += waiting;
  counts.runningMax = Math.max(counts.runningMax, counts.running);
  counts.waitingMax = Math.max(counts.waitingMax, counts.waiting);
  if (active > 0 || running > 0 || waiting > 0) known.set(key, { active, running, waiting });
  else known.delete(key);
}

function subtract(counts: FrontendCounts, { active, running, waiting }: Running): void {
  counts.active -= active;
  counts.running -= running;
  counts.waiting -= waiting;
}
