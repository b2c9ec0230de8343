// Places for the upstream connections of `fifo` and `funnel`. They are counted for the node, whichever of its workers has them: where
// all are taken and somebody else needs one, one after the other is asked for.
import type { StreamTarget } from '../model/stream-target.js';
import type { Admission, Line, Place, Waiter } from '../queue/admission.js';
import type { TargetPlace } from './target-place.js';

/** What opens connections. */
export interface PlacesOwner {
  /** A place that was asked for is there. */
  placed(place: LinkPlace): void;
  /** Somebody else waits for a place like this: one of those that are held should be given back soon. */
  wanted(place: LinkPlace): void;
}

/** Milliseconds that connections are kept while others wait for them: short for who waits, long enough to be worth a connection. */
const slice = 20;

/** A place for one connection, or a turn in the line for it. */
export class LinkPlace implements Waiter {
  /** What it is a place for: all connections of the stream, or those to one target. */
  readonly key: string;
  /** Where its connection shall go. */
  readonly target: StreamTarget;
  taken = false;
  /** What it has or asks for besides where the target may have only so many connections. */
  atTarget: TargetPlace | null = null;
  readonly #owner: LinkPlaces;
  readonly #line: Line<Waiter>;
  /** null: it was free at once. */
  #ticket: Place | null = null;

  constructor(key: string, target: StreamTarget, owner: LinkPlaces, line: Line<Waiter>) {
    this.key = key;
    this.target = target;
    this.#owner = owner;
    this.#line = line;
  }

  /** @returns whether it was free at once */
  take(): boolean {
    this.taken = this.#line.enter();
    if (!this.taken) this.#ticket = this.#line.wait(this);
    return this.taken;
  }

  admitted(): void {
    this.taken = true;
    this.#owner.admitted(this);
  }

  refused(): void {
    // Everybody may wait, and for as long as it takes.
  }

  /** Whether others wait for a place like this. */
  get contended(): boolean {
    return this.#line.contended;
  }

  /** Another number of places like this, for all. */
  change(most: number): void {
    const { limits } = this.#line;
    if (limits.active !== most) this.#line.change({ ...limits, active: most });
  }

  /** Has a function called whenever others come to wait for a place like this. */
  listen(wanted: () => void): void {
    this.#line.holders.add(wanted);
  }

  /** Gives back the place or the turn. */
  giveBack(): void {
    this.#owner.gone(this);
    this.atTarget?.giveBack();
    this.atTarget = null;
    if (this.#ticket === null) this.#line.leave();
    else this.#ticket.giveBack();
  }

  /** To be called when the last place like this is gone. */
  unlisten(wanted: () => void): void {
    this.#line.holders.delete(wanted);
  }
}

export class LinkPlaces {
  readonly #admission: Admission<Waiter>;
  readonly #stream: string;
  readonly #owner: PlacesOwner;
  readonly #places = new Set<LinkPlace>();
  #asked = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param admission where the node counts the places of streams */
  constructor(admission: Admission<Waiter>, stream: string, owner: PlacesOwner) {
    this.#admission = admission;
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Turns in lines. */
  get asked(): number {
    return this.#asked;
  }

  /**
   * Asks for a place; the owner is told when it is there, which may be before this returns.
   * @param key places of different keys are counted apart
   * @param most places with this key that the node may have
   */
  ask(key: string, most: number, target: StreamTarget): void {
    const name = key === '' ? `links ${this.#stream}` : `links ${this.#stream} ${key}`;
    const line = this.#admission.line(name, { active: most, waiting: Number.POSITIVE_INFINITY, timeout: 0 });
    const place = new LinkPlace(key, target, this, line);
    place.change(most);
    this.#places.add(place);
    place.listen(this.#wanted);
    if (place.take()) {
      this.#owner.placed(place);
      return;
    }
    this.#asked++;
  }

  /** Ids of the targets that places are held, or waited for, for. */
  targets(): string[] {
    return Array.from(this.#places, ({ target }) => target.id);
  }

  /** Places that are waited for are not needed any more. */
  withdraw(): void {
    if (this.#asked === 0) return;
    for (const place of [...this.#places]) if (!place.taken) place.giveBack();
  }

  /** Another number of places. */
  change(most: number): void {
    for (const place of this.#places) place.change(most);
  }

  /** Gives everything up that is waited for; what is held must be given back by whoever holds it. */
  close(): void {
    this.withdraw();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  admitted(place: LinkPlace): void {
    this.#asked--;
    // It may have been granted while others wait behind it, which nobody will say again.
    if (place.contended) this.#wanted();
    this.#owner.placed(place);
  }

  gone(place: LinkPlace): void {
    if (!this.#places.delete(place)) return;
    if (!place.taken) this.#asked--;
    for (const { key } of this.#places) if (key === place.key) return;
    place.unlisten(this.#wanted);
  }

  readonly #wanted = (): void => {
    this.#timer ??= setTimeout(this.#slice, slice).unref();
  };

  /** So long as others wait, one connection is given up in each slice of time. */
  readonly #slice = (): void => {
    this.#timer = null;
    for (const place of this.#places) {
      if (!place.taken || !place.contended) continue;
      this.#owner.wanted(place);
      this.#wanted();
      return;
    }
  };
}
