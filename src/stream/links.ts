// The upstream connections of `fifo` and `funnel`: opens as many as are allowed and needed, finds a free one, mends what was lost.
import { performance } from 'node:perf_hooks';
import { Backoff } from '../base/backoff.js';
import type { StreamSettings } from '../config/stream-config.js';
import { ProxyError } from '../errors/proxy-error.js';
import type { StreamPlan } from '../model/stream.js';
import type { StreamTarget } from '../model/stream-target.js';
import type { BackendTls } from '../upstream/dial.js';
import type { Exchange } from './exchange-line.js';
import { Link, type LinkOwner } from './link.js';
import { type LinkPlace, LinkPlaces, type PlacesOwner } from './link-places.js';
import { SendBuffer } from './send-buffer.js';
import type { StreamModeParts } from './stream.js';

/** What tells the modes apart. */
export interface LinksShape {
  /** Most connections at a time. */
  readonly most: (plan: StreamPlan) => number;
  /** One connection for each target at most; otherwise targets are chosen as the stream's strategy says. */
  readonly oneEach: (plan: StreamPlan) => boolean;
  /** Requests are sent before earlier ones are answered. */
  readonly async: (settings: StreamSettings) => boolean;
}

/** What uses the connections. */
export interface LinksOwner {
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** A connection may be free now. */
  linksFree(): void;
  /**
   * No target can be connected to, and what waits must not wait on.
   * @param news false: it was told of the same trouble before, and there was no success since
   */
  noTarget(error: ProxyError, news: boolean): void;
}

/** Milliseconds between attempts to mend. */
const firstPause = 20;
const longestPause = 1_000;

export class Links implements LinkOwner, PlacesOwner {
  settings: StreamSettings;
  readonly trust: BackendTls;
  readonly sendBuffer = new SendBuffer();
  readonly #parts: StreamModeParts;
  readonly #shape: LinksShape;
  readonly #owner: LinksOwner;
  #plan: StreamPlan;
  /** Counted from the moment at which they are begun, so that clients who come together do not open too many. */
  #links: readonly Link[] = [];
  #connecting = 0;
  readonly #places: LinkPlaces;
  /** Places that are there while their target is asked for one. */
  readonly #claims = new Set<LinkPlace>();
  /** Ids of targets that could not be connected to since the last success. */
  #tried: string[] = [];
  /** Until when what was lost is mended while requests wait; the next attempt. */
  #mendUntil = 0;
  #mending: NodeJS.Timeout | null = null;
  /** Until when no further connection is tried beside those that are up. */
  #pauseUntil = 0;
  /** What the owner was told last; empty once there was a success. */
  #trouble = '';
  readonly #backoff = new Backoff(firstPause, longestPause);
  #warming: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  #closed = false;

  constructor(parts: StreamModeParts, shape: LinksShape, owner: LinksOwner) {
    this.#parts = parts;
    this.#shape = shape;
    this.#owner = owner;
    this.#plan = parts.plan;
    this.settings = parts.plan.settings;
    this.trust = parts.trust;
    this.#places = new LinkPlaces(parts.admission, parts.plan.name, this);
  }

  get now(): number {
    return this.#parts.clock.now;
  }

  get isAsync(): boolean {
    return this.#shape.async(this.settings);
  }

  /** The free connection with the fewest requests. Where all have some, one more is opened, if it may be. */
  free(): Link | null {
    let best: Link | null = null;
    for (const link of this.#links) {
      if (!link.free || (best !== null && best.load <= link.load)) continue;
      best = link;
      if (link.load === 0) return link;
    }
    const asked = this.#places.asked + this.#claims.size;
    const coming = this.#connecting + asked;
    const room = this.#links.length + asked < this.#most && coming < Math.max(1, this.#owner.waiting);
    if (room && this.#mending === null && (this.#links.length === 0 || performance.now() >= this.#pauseUntil)) this.#open();
    return best;
  }

  /** To be called where something waits and nothing is free: tells the owner when waiting is in vain. */
  check(): void {
    if (this.#links.length > 0 || this.#places.asked + this.#claims.size > 0 || this.#mending !== null || this.#closed) return;
    // Places may be taken by connections of a mode of before; they become free.
    if (this.#parts.targets.pick('', []) === 'full') return;
    this.#roundFailed(new ProxyError('no-backend', `stream ${this.#plan.name} has no target`));
  }

  update(plan: StreamPlan): void {
    this.#plan = plan;
    this.settings = plan.settings;
    const listed = new Set(plan.targets.map(({ id }) => id));
    this.#places.change(this.#shape.oneEach(plan) ? 1 : this.#most);
    let surplus = this.#links.length - this.#most;
    for (const link of [...this.#links].reverse()) {
      if (listed.has(link.target.id) && surplus <= 0) continue;
      surplus--;
      link.leaving = true;
      if (link.load === 0) link.part();
    }
  }

  /** Opens all connections; resolves when they are there, rejects with a ProxyError when one cannot be made. */
  warmUp(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#warming = { resolve, reject };
      while (this.#links.length < this.#most && this.#open()) {}
      if (this.#links.length < this.#most)
        this.#roundFailed(new ProxyError('no-backend', `stream ${this.#plan.name} has too few targets`));
    });
  }

  /** Told by the clock. */
  sweep(now: number): void {
    for (const link of this.#links) link.sweep(now);
    if (this.#owner.waiting === 0 && this.#warming === null) this.#places.withdraw();
  }

  /** Gives all connections up: what they owe fails. Others may be opened. */
  reset(): void {
    for (const link of this.#links) link.destroy(null);
  }

  close(): void {
    this.#closed = true;
    if (this.#mending !== null) clearTimeout(this.#mending);
    for (const place of this.#claims) place.giveBack();
    this.#claims.clear();
    this.#places.close();
    this.reset();
  }

  say(text: string): void {
    this.#parts.log.warn(`stream ${this.#plan.name}: ${text}`);
  }

  linkUp(link: Link, milliseconds: number): void {
    this.#connecting--;
    this.#tried = [];
    this.#pauseUntil = 0;
    this.#trouble = '';
    this.#backoff.reset();
    this.#parts.targets.connected(link.target, milliseconds);
    if (link.leaving) link.part();
    if (this.#connecting === 0 && this.#links.length === this.#most) {
      this.#warming?.resolve();
      this.#warming = null;
    }
    this.#owner.linksFree();
  }

  linkFailed(link: Link, error: ProxyError): void {
    this.#connecting--;
    this.#forget(link);
    link.place.giveBack();
    const { targets, counters } = this.#parts;
    targets.failed(link.target, error);
    this.#tried.push(link.target.id);
    if (!this.#closed) {
      if (this.#tried.length <= this.settings.retries && this.#open()) counters.retries++;
      else this.#roundFailed(error);
    }
    targets.released(link.target);
  }

  linkLost(link: Link, error: Error | null, exchanges: readonly Exchange[]): void {
    if (link.connecting) this.#connecting--;
    this.#forget(link);
    link.place.giveBack();
    if (exchanges.length > 0) this.#fail(link, error ?? new Error('it was closed'), exchanges);
    this.#parts.targets.released(link.target);
    if (!this.#closed) this.#owner.linksFree();
  }

  linkAnswered(): void {
    this.#parts.counters.exchanges++;
  }

  linkFree(link: Link): void {
    if (link.leaving && link.load === 0) link.part();
    else if (this.#owner.waiting > 0) this.#owner.linksFree();
    else if (this.#warming === null) this.#places.withdraw();
  }

  /** A place was asked for and is there. */
  placed(place: LinkPlace): void {
    const { targets } = this.#parts;
    // The list may be another one by now.
    const target = targets.plan.targets.find(({ id }) => id === place.target.id);
    if (this.#closed || target === undefined || !targets.hasRoom(target)) {
      this.#refuse(place);
      return;
    }
    place.atTarget = targets.placeAt(target, {
      admitted: () => {
        this.#claims.delete(place);
        this.#connect(place, target);
      },
      refused: () => {
        this.#claims.delete(place);
        this.#refuse(place);
      },
    });
    const taken = place.atTarget === null ? 'held' : place.atTarget.take();
    if (taken === 'held') this.#connect(place, target);
    else if (taken === 'asks') this.#claims.add(place);
    else this.#refuse(place);
  }

  /** Others of the node wait: the connection with the least to do goes, when it owes nothing any more. */
  wanted({ key }: LinkPlace): void {
    let least: Link | null = null;
    for (const link of this.#links) {
      if (link.place.key !== key) continue;
      // One at a time.
      if (link.leaving) return;
      if (least === null || link.load < least.load) least = link;
    }
    if (least === null) return;
    least.leaving = true;
    if (least.load === 0) least.part();
  }

  get #most(): number {
    return Math.max(1, this.#shape.most(this.#plan));
  }

  #connect(place: LinkPlace, target: StreamTarget): void {
    this.#parts.targets.opened(target);
    this.#connecting++;
    this.#links = [...this.#links, new Link(target, place, this, this.isAsync)];
  }

  /** There is no connection for it: others may be free, or another target have room. */
  #refuse(place: LinkPlace): void {
    place.giveBack();
    if (!this.#closed) this.#owner.linksFree();
  }

  #forget(link: Link): void {
    this.#links = this.#links.filter((other) => other !== link);
  }

  /** @returns false: there is no target for one more */
  #open(): boolean {
    const { targets } = this.#parts;
    const oneEach = this.#shape.oneEach(this.#plan);
    const picked = targets.pick('', oneEach ? [...this.#tried, ...this.#places.targets()] : this.#tried);
    if (picked === 'full' || picked === 'none') return false;
    if (oneEach) this.#places.ask(picked.id, 1, picked);
    else this.#places.ask('', this.#most, picked);
    return true;
  }

  /** What a lost connection owed is lost; what waits is not, while the connection is mended. */
  #fail(link: Link, error: Error, exchanges: readonly Exchange[]): void {
    const lost = new ProxyError('backend-closed', `${link.target.origin}: ${error.message}`, error);
    if (!this.#closed) {
      this.say(`the connection to ${link.target.origin} was lost while it owed ${exchanges.length} answers: ${error.message}`);
      this.#parts.observer?.targetFailed(lost);
      this.#mendUntil = performance.now() + this.settings.connectTimeout;
    }
    for (const { asker, answered, taker } of exchanges) {
      taker?.failed(lost);
      asker.failed(answered > 0);
    }
    // Whoever comes next finds it mended.
    if (!this.#closed && this.#links.length < this.#most) this.#open();
  }

  /** All targets that may be tried were. */
  #roundFailed(error: ProxyError): void {
    this.#tried = [];
    this.#warming?.reject(error);
    this.#warming = null;
    const pause = this.#backoff.next();
    const now = performance.now();
    this.#pauseUntil = now + pause;
    if (this.#links.length > 0) return;
    if (this.#owner.waiting === 0 || now >= this.#mendUntil) {
      const news = error.message !== this.#trouble;
      this.#trouble = error.message;
      this.#owner.noTarget(error, news);
      return;
    }
    this.#mending = setTimeout(() => {
      this.#mending = null;
      if (this.#links.length === 0 && this.#owner.waiting > 0 && !this.#open()) this.#roundFailed(error);
    }, pause);
  }
}
