// Copies of requests for mirrors: sent beside the exchange, never waited for, their answers thrown away.
import { DeadlineList } from '../base/deadline-list.js';
import type { Engine } from '../engine/engine.js';
import type { Exchange } from '../exchange/exchange.js';
import { chunked } from '../http1/message.js';
import type { Route } from '../model/frontend.js';
import type { Mirroring } from '../model/policy/mirror.js';
import type { Metrics } from '../observe/metrics.js';
import { MirrorCopy, type MirrorOwner, mirroredField } from './mirror-copy.js';

/** What mirroring needs. */
export interface MirrorParts {
  readonly engine: Engine;
  readonly metrics: Pick<Metrics, 'mirrored' | 'mirrorFailures' | 'mirrorsSkipped'>;
  /** From 0 to below 1; a test passes its own. */
  readonly random?: () => number;
}

/** The copies of a worker that are under way. */
export class Mirrors implements MirrorOwner {
  readonly engine: Engine;
  readonly metrics: MirrorParts['metrics'];
  readonly deadlines = new DeadlineList<MirrorCopy>((copy) => copy.fail());
  readonly #random: () => number;
  readonly #copies = new Set<MirrorCopy>();
  readonly #activeBy = new Map<string, number>();

  constructor({ engine, metrics, random = Math.random }: MirrorParts) {
    this.engine = engine;
    this.metrics = metrics;
    this.#random = random;
  }

  /** Copies that are under way. */
  get active(): number {
    return this.#copies.size;
  }

  /**
   * Sends a copy of a request, if it is one of the share and may be copied. Before its first attempt, with all changes of its
   * head made.
   */
  copy(exchange: Exchange, mirror: Mirroring): void {
    if (exchange.upgrade !== '' || this.#random() >= mirror.share) return;
    const { head, body } = exchange;
    // A mirror behind this proxy, or one that mirrors back, must not make copies of copies.
    if (head.headers.values(mirroredField).length > 0) return;
    const { frontend } = exchange.route as Route;
    const active = this.#activeBy.get(frontend) ?? 0;
    if ((head.body !== chunked && head.body > mirror.maxBody) || !body.repeatable || active >= mirror.maxActive) {
      this.metrics.mirrorsSkipped++;
      return;
    }
    const copy = new MirrorCopy(this, exchange, frontend, mirror);
    this.#copies.add(copy);
    this.#activeBy.set(frontend, active + 1);
    copy.begin(exchange);
  }

  over(copy: MirrorCopy): void {
    if (!this.#copies.delete(copy)) return;
    const left = (this.#activeBy.get(copy.frontend) ?? 1) - 1;
    if (left === 0) this.#activeBy.delete(copy.frontend);
    else this.#activeBy.set(copy.frontend, left);
  }

  /** Gives up what is under way. */
  close(): void {
    for (const copy of [...this.#copies]) copy.abandon();
  }
}
