// When which fault is done to whom: drawn from a seed, or each once in order; never so many that nobody could answer. Every node has a
// snapshot by then, so one that starts while Redis is away, or is empty, has to serve what it knew.
import type { FaultLog } from './fault-log.js';
import { type FaultKind, type FaultName, type Fleet, faultKinds, type Place } from './faults.js';

export interface PlanParts {
  readonly fleet: Fleet;
  readonly log: FaultLog;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Milliseconds that a place is left alone after a fault. A backend: until the last mark of it has gone, so that others may fail. */
  readonly recovery: Readonly<Record<Place['kind'], number>>;
  /** The same of a backend that was silent. */
  readonly silenceRecovery: number;
  /** The nodes whose processes are ended: the first so many. Workers of others live long enough to show a leak. */
  readonly endedNodes: number;
}

/** Milliseconds between the beginnings of faults, and that one lasts, when they are drawn. */
const betweenFaults = [200, 1_800] as const;
const lasting = [300, 3_000] as const;
/** Backends that are well at any time: one could be chosen, and die, before the other one is. */
const wellBackends = 2;

export class Plan {
  readonly #parts: PlanParts;
  readonly #busy = new Map<string, FaultName>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: PlanParts) {
    this.#parts = parts;
  }

  /** Faults drawn by chance for so many milliseconds. Rejects when one could not be done, or undone. */
  async runFor(milliseconds: number): Promise<void> {
    const { random } = this.#parts;
    const until = performance.now() + milliseconds;
    while (performance.now() < until) {
      await this.#whileWell(between(betweenFaults, random()));
      const drawn = this.#draw();
      if (drawn !== null) this.#start(drawn.kind, drawn.place, between(lasting, random()));
    }
    await Promise.all(this.#running);
  }

  /**
   * Each fault once, as soon as a place for it is free.
   * @param lasting milliseconds that each lasts
   */
  async runEach(lasting: number): Promise<void> {
    const left = [...faultKinds];
    while (left.length > 0) {
      const at = left.findIndex((kind) => this.#places(kind).length > 0);
      const kind = left[at];
      const place = kind === undefined ? undefined : this.#places(kind).at(-1);
      if (kind === undefined || place === undefined) {
        await this.#whileWell(20);
        continue;
      }
      left.splice(at, 1);
      this.#start(kind, place, lasting);
    }
    await Promise.all(this.#running);
  }

  /** Rejects as soon as a fault cannot be done or undone. */
  async #whileWell(milliseconds: number): Promise<void> {
    await Promise.race([pause(milliseconds), ...[...this.#running].map((running) => running.then(() => pause(milliseconds)))]);
  }

  #draw(): { kind: FaultKind; place: Place } | null {
    const { random } = this.#parts;
    const possible = faultKinds.flatMap((kind) => {
      const places = this.#places(kind);
      return places.length === 0 ? [] : [{ kind, places }];
    });
    let drawn = random() * possible.reduce((sum, { kind }) => sum + kind.weight, 0);
    for (const { kind, places } of possible) {
      drawn -= kind.weight;
      if (drawn < 0) return { kind, place: places[Math.floor(random() * places.length)] as Place };
    }
    return null;
  }

  /** Where it may be done now. */
  #places(kind: FaultKind): Place[] {
    const { fleet, endedNodes } = this.#parts;
    const { backends, nodes } = fleet;
    const named = (name: string, at: number): Place => ({ kind: kind.hits, name, at });
    const free = ({ name }: Place): boolean => !this.#busy.has(name);
    switch (kind.hits) {
      case 'backend': {
        const places = backends.map(({ name }, at) => named(name, at)).filter(free);
        return places.length > wellBackends ? places : [];
      }
      case 'node': {
        return nodes
          .slice(0, kind.ends === true ? endedNodes : undefined)
          .map(({ name }, at) => named(name, at))
          .filter(free);
      }
      case 'redis':
        return [named('redis', 0)].filter(free);
    }
  }

  #start(kind: FaultKind, place: Place, milliseconds: number): void {
    this.#busy.set(place.name, kind.name);
    const running = this.#do(kind, place, milliseconds);
    this.#running.add(running);
    // Whoever waits for it hears of it.
    running.then(
      () => this.#running.delete(running),
      () => {},
    );
  }

  async #do(kind: FaultKind, place: Place, milliseconds: number): Promise<void> {
    const { fleet, log, random, recovery, silenceRecovery } = this.#parts;
    const logged = log.begin(kind.name, place.name);
    const end = await kind.begin(fleet, place, random);
    await pause(milliseconds);
    await end();
    log.end(logged);
    await pause(kind.silences === true ? silenceRecovery : recovery[place.kind]);
    this.#busy.delete(place.name);
  }
}

function between([least, most]: readonly [number, number], part: number): number {
  return least + (most - least) * part;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
