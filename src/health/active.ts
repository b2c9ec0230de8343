// Active checks: probes the backends of frontends that have a `healthcheck:` record, and writes what it finds into the store.
import type { Backend } from '../model/backend.js';
import { deathsOf } from '../model/dead-set.js';
import type { FrontendRecord } from '../model/frontend.js';
import type { Healthcheck } from '../model/healthcheck.js';
import { parseBackends } from '../model/parse-backends.js';
import type { Logger } from '../observe/logger.js';
import type { RevivalRequest, Store } from '../store/store.js';
import type { ProbeResult } from './probe.js';
import { ProbeCount } from './probe-count.js';
import type { ProbeSlots } from './probe-slots.js';
import { revivalOf } from './revival.js';

export interface ActiveChecksParts {
  readonly store: Pick<Store, 'markDead' | 'revive'>;
  readonly slots: ProbeSlots;
  readonly log: Logger;
  /** Seconds that a mark lasts, unless the next probes come later. */
  readonly ttl: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The marks of a backend under hosts of a wildcard. */
  readonly marksElsewhere: (frontend: string, backend: Backend) => readonly RevivalRequest[];
}

interface Target {
  backend: Backend;
  readonly count: ProbeCount;
  due: number;
  probing: boolean;
  /** When its mark was written last; 0: not by us. */
  markedAt: number;
}

interface Checked {
  readonly name: string;
  check: Healthcheck;
  record: FrontendRecord;
  size: number;
  targets: ReadonlyMap<string, Target>;
}

/** First probes are spread over this, milliseconds, so that they do not all come at once. */
const firstSpread = 1_000;

export class ActiveChecks {
  readonly #parts: ActiveChecksParts;
  readonly #checked = new Map<string, Checked>();

  constructor(parts: ActiveChecksParts) {
    this.#parts = parts;
  }

  has(name: string): boolean {
    return this.#checked.has(name);
  }

  /** A frontend is checked from now on, or in another way; what was found of backends that it still has is kept. */
  set(name: string, check: Healthcheck, record: FrontendRecord): void {
    const { backends } = parseBackends(record.list.slice(1));
    const deaths = deathsOf([record], backends, this.#parts.now());
    const before = this.#checked.get(name);
    const targets = new Map<string, Target>();
    backends.forEach((backend, position) => {
      const death = deaths[position] ?? null;
      // Maintenance is a person's, and a breaker finds out by itself; neither is a verdict that probes could have given.
      const dead =
        death !== null && (death.kind === 'member' || (death.mark.manual !== true && death.mark.retryAt === undefined));
      const known = before?.targets.get(backend.entry);
      const target = known ?? this.#newTarget(backend, dead, check);
      target.backend = backend;
      target.count.told(dead);
      target.due = Math.min(target.due, this.#parts.now() + check.interval);
      targets.set(backend.entry, target);
    });
    this.#checked.set(name, { name, check, record, size: backends.length, targets });
  }

  forget(name: string): void {
    this.#checked.delete(name);
  }

  clear(): void {
    this.#checked.clear();
  }

  /** Begins the probes that are due, as many as may run. */
  sweep(): void {
    const { slots, now } = this.#parts;
    const at = now();
    for (const checked of this.#checked.values()) {
      for (const target of checked.targets.values()) {
        if (target.probing || target.due > at) continue;
        if (!slots.free) return;
        this.#probe(checked.name, target, checked.check);
      }
    }
  }

  #newTarget(backend: Backend, dead: boolean, { interval }: Healthcheck): Target {
    const spread = Math.random() * Math.min(interval, firstSpread);
    return { backend, count: new ProbeCount(dead), due: this.#parts.now() + spread, probing: false, markedAt: 0 };
  }

  #probe(name: string, target: Target, check: Healthcheck): void {
    const { slots, now } = this.#parts;
    target.probing = true;
    // A tenth more or less, so that probes which began together drift apart.
    target.due = now() + check.interval * (0.9 + 0.2 * Math.random());
    slots.run(target.backend, check, (result) => {
      target.probing = false;
      const checked = this.#checked.get(name);
      if (checked?.targets.get(target.backend.entry) === target) this.#found(checked, target, result);
    });
  }

  #found(checked: Checked, target: Target, result: ProbeResult): void {
    const { check } = checked;
    const changed = target.count.probed(result.kind === 'well', check.rise, check.fall);
    if (changed && !target.count.dead) this.#revive(checked, target);
    else if (result.kind === 'ill' && target.count.dead) this.#mark(checked, target, changed ? result.why : '');
  }

  /** @param why empty: it is dead already, and its mark must not end */
  #mark(checked: Checked, target: Target, why: string): void {
    const { store, log, now } = this.#parts;
    const { name, check, size } = checked;
    const { backend } = target;
    const ttl = Math.max(this.#parts.ttl, Math.ceil((3 * check.interval + check.timeout) / 1000));
    if (why === '' && now() - target.markedAt < (ttl * 1000) / 3) return;
    if (why !== '') {
      log.warn(`${name}: backend #${backend.index} is dead (${check.fall} probes in a row failed: ${why})`, {
        frontend: name,
        backend: backend.origin,
      });
    }
    target.markedAt = now();
    const quiet = why === '';
    store
      .markDead({ host: name, frontend: name, backend, size, ttl, write: true, quiet, probed: true })
      .catch((error: unknown) => {
        target.markedAt = 0;
        log.warn(`${name}: the mark of backend #${backend.index} could not be written`, { error });
      });
  }

  #revive({ name, check, record }: Checked, target: Target): void {
    const { store, log, marksElsewhere } = this.#parts;
    const { backend } = target;
    log.info(`${name}: backend #${backend.index} is alive (${check.rise} probes in a row succeeded)`, {
      frontend: name,
      backend: backend.origin,
    });
    target.markedAt = 0;
    store.revive([revivalOf(record, backend), ...marksElsewhere(name, backend)]).catch((error: unknown) => {
      target.count.told(true);
      log.warn(`${name}: backend #${backend.index} could not be revived`, { error });
    });
  }
}
