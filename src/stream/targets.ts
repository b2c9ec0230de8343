// The targets of one stream: which may be used, which is chosen, which are dead and tried again, how many connections each has.
import { performance } from 'node:perf_hooks';
import type { Balancer, Weights, Whose } from '../balancing/balancer.js';
import { createBalancers } from '../balancing/balancers.js';
import type { Load } from '../balancing/loads.js';
import type { Strategy } from '../config/strategy.js';
import { codeOf } from '../errors/classify.js';
import type { ProxyError } from '../errors/proxy-error.js';
import { deadByError } from '../health/decide-dead.js';
import type { RunningProbe, StartProbe } from '../health/probe.js';
import type { StreamPlan } from '../model/stream.js';
import type { StreamTarget } from '../model/stream-target.js';
import { Turn } from '../model/turn.js';
import type { Logger } from '../observe/logger.js';
import type { StreamCounters } from '../observe/stream-counters.js';
import type { Admission, Line, Waiter } from '../queue/admission.js';
import { partOf, patience } from '../queue/node-cap.js';
import { TargetPlace } from './target-place.js';

export interface TargetsParts {
  readonly plan: StreamPlan;
  readonly log: Logger;
  readonly counters: StreamCounters;
  readonly startProbe: StartProbe;
  /** Milliseconds that a target stays dead unless a probe finds it well before. */
  readonly deadTime: number;
  /** Milliseconds between two probes of a dead target; 0: none is probed. */
  readonly recoveryInterval: number;
  /** Counts the connections to each target for the node; absent: this process counts by itself. */
  readonly node?: TargetsOfNode;
  /** Milliseconds that never run backwards; a test gives its own. */
  readonly now?: () => number;
}

/** Where a node counts the connections to targets. */
export interface TargetsOfNode {
  readonly admission: Admission<Waiter>;
  /** The stream, whose connections to a target are counted apart from those of others. */
  readonly stream: string;
  readonly workers: number;
}

/** What a pick gives: a target, or whether there would be one if others had ended (`full`). */
export type Pick = StreamTarget | 'full' | 'none';

/** Milliseconds after which what was measured of a target counts for 1/e. */
const horizon = 10_000;

/** What is known of a target; kept under its id while the list changes around it. */
class Standing implements Load {
  inFlight = 0;
  /** 0: alive. */
  deadUntil = 0;
  probeDue = 0;
  probe: RunningProbe | null = null;
  /** The node has as many connections to it as there may be: nobody need ask until there is room again. */
  full = false;
  #connectTime = 0;
  #measuredAt = 0;

  latencyAt(now: number): number {
    return this.#connectTime * Math.exp((this.#measuredAt - now) / horizon);
  }

  measured(milliseconds: number, now: number): void {
    this.#connectTime = Math.max(milliseconds, (this.latencyAt(now) + milliseconds) / 2);
    this.#measuredAt = now;
  }
}

/**
 * Marks are this worker's own and do not enter Redis: a connection that fails is tried elsewhere at no cost to its client, and
 * the `dead:` keys stay those of HTTP frontends.
 */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #now: () => number;
  readonly #standings = new Map<string, Standing>();
  readonly #balancers: Readonly<Record<Strategy, Balancer>>;
  #plan: StreamPlan;
  #weights: Weights | null = null;
  readonly #whose: Whose;
  #freeListeners: readonly (() => void)[] = [];
  #closed = false;

  constructor(parts: TargetsParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#balancers = createBalancers({ of: () => this.#standings });
    this.#whose = { frontend: parts.plan.name, turn: new Turn() };
    this.#plan = parts.plan;
    this.update(parts.plan);
  }

  get plan(): StreamPlan {
    return this.#plan;
  }

  /** The list or the settings changed. Targets that stay keep their standing; connections to those that went run on. */
  update(plan: StreamPlan): void {
    this.#plan = plan;
    const { targets } = plan;
    const uneven = targets.some(({ weight }) => weight !== targets[0]?.weight);
    const weights: number[] = [];
    for (const { index, weight } of targets) weights[index] = weight;
    this.#weights = uneven ? weights : null;
    const listed = new Set(targets.map(({ id }) => id));
    for (const [id, standing] of this.#standings) {
      // There may be more room now.
      standing.full = false;
      if (listed.has(id)) continue;
      standing.probe?.stop();
      if (standing.inFlight === 0) this.#standings.delete(id);
    }
  }

  /**
   * Chooses a target: one that is alive, else a backup, else one that is thought dead: better an attempt in vain than none.
   * @param key what clients are told apart by
   * @param tried ids of targets that failed this client already
   */
  pick(key: string, tried: readonly string[]): Pick {
    const now = this.#now();
    let full = false;
    for (const wanted of ['alive', 'backup', 'dead'] as const) {
      const candidates: StreamTarget[] = [];
      for (const target of this.#plan.targets) {
        if (target.weight === 0 || tried.includes(target.id)) continue;
        const standing = this.#standings.get(target.id);
        const dead = standing !== undefined && standing.deadUntil > now;
        if (wanted !== (dead ? 'dead' : target.backup ? 'backup' : 'alive')) continue;
        if (this.#isFull(target, standing)) full = true;
        else candidates.push(target);
      }
      if (candidates.length === 0) continue;
      const chosen = this.#balancers[this.#plan.settings.strategy].pick(candidates, this.#whose, key, this.#weights);
      // A balancer gives back one of what it was given.
      if (chosen !== null) return chosen as StreamTarget;
    }
    return full ? 'full' : 'none';
  }

  /** Whether a target that is in the list with this id has room for one more connection. */
  hasRoom(target: StreamTarget): boolean {
    return !this.#isFull(target, this.#standings.get(target.id));
  }

  /**
   * The place for a connection that was chosen, which has to be taken before it is opened, and given back when it was released.
   * @param claimant told the answer, where it comes later
   * @returns null: there may be any number of them
   */
  placeAt(target: StreamTarget, claimant: Waiter): TargetPlace | null {
    const { node } = this.#parts;
    const most = this.#mostOf(target);
    if (node === undefined || most === 0) return null;
    const limits = { active: most, waiting: 0, timeout: patience, reserve: partOf(most, node.workers) };
    const line = node.admission.line(`target ${node.stream} ${target.id}`, limits);
    if (line.limits.active !== most) line.change(limits);
    return new TargetPlace(line, claimant, (full) => this.#awaitRoom(this.#standing(target), full));
  }

  /** A connection is about to be made: counted before, so that simultaneous clients do not make too many. */
  opened(target: StreamTarget): void {
    const standing = this.#standing(target);
    standing.inFlight++;
    this.#parts.counters.targets.set(target.id, standing.inFlight);
  }

  /** The attempt failed, or the connection ended. To be called once for each `opened`. */
  released(target: StreamTarget): void {
    const standing = this.#standing(target);
    standing.inFlight--;
    if (standing.inFlight === 0) this.#parts.counters.targets.delete(target.id);
    else this.#parts.counters.targets.set(target.id, standing.inFlight);
    if (standing.inFlight === 0 && !this.#plan.targets.some(({ id }) => id === target.id)) this.#standings.delete(target.id);
    this.#tellFree();
  }

  /** Has a function called whenever a connection has ended, here or where it was in the way: somebody may be waiting for its place. @returns ends that */
  onFree(listener: () => void): () => void {
    this.#freeListeners = [...this.#freeListeners, listener];
    return () => {
      this.#freeListeners = this.#freeListeners.filter((other) => other !== listener);
    };
  }

  /** A connection was made. */
  connected(target: StreamTarget, milliseconds: number): void {
    const standing = this.#standing(target);
    standing.measured(milliseconds, this.#now());
    if (standing.deadUntil !== 0) this.#revive(target, standing);
  }

  /** A connection could not be made. */
  failed(target: StreamTarget, error: ProxyError): void {
    const { counters, deadTime, recoveryInterval } = this.#parts;
    counters.connectFailures++;
    if (!deadByError(error) || deadTime === 0) return;
    const now = this.#now();
    const standing = this.#standing(target);
    const known = standing.deadUntil > now;
    standing.deadUntil = now + deadTime;
    if (known) return;
    counters.deadMarks++;
    standing.probeDue = now + recoveryInterval;
    this.#say('warn', target, `is dead (${codeOf(error.cause) || error.code})`);
  }

  /** Told by the clock: probes those that are dead, and the others too where that is asked for. */
  sweep(): void {
    const { recoveryInterval, deadTime } = this.#parts;
    const { checkInterval } = this.#plan.settings;
    const checks = deadTime === 0 ? 0 : checkInterval;
    const now = this.#now();
    for (const target of this.#plan.targets) {
      const standing = checks > 0 ? this.#standing(target) : this.#standings.get(target.id);
      if (standing === undefined || standing.probe !== null || now < standing.probeDue) continue;
      const interval = standing.deadUntil === 0 ? checks : recoveryInterval || checks;
      if (interval === 0) continue;
      standing.probeDue = now + interval;
      this.#probe(target, standing, interval);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { probe } of this.#standings.values()) probe?.stop();
    this.#freeListeners = [];
  }

  #probe(target: StreamTarget, standing: Standing, interval: number): void {
    const { startProbe, counters, deadTime } = this.#parts;
    const probe = startProbe(target, { type: 'tcp', timeout: this.#plan.settings.connectTimeout });
    standing.probe = probe;
    const wasAlive = standing.deadUntil === 0;
    void probe.result.then((result) => {
      standing.probe = null;
      // Its mark may have come, or gone, meanwhile.
      const isDead = standing.deadUntil !== 0;
      if (result.kind === 'well') {
        if (isDead) this.#revive(target, standing);
      } else if (isDead) {
        // While its probes fail it stays dead: a mark that runs out would cost a client an attempt.
        standing.deadUntil = Math.max(standing.deadUntil, this.#now() + 2 * interval);
      } else if (wasAlive && !this.#closed) {
        standing.deadUntil = this.#now() + Math.max(deadTime, 2 * interval);
        counters.deadMarks++;
        this.#say('warn', target, `is dead (${result.why})`);
      }
    });
  }

  #revive(target: StreamTarget, standing: Standing): void {
    standing.deadUntil = 0;
    this.#say('info', target, 'is back');
  }

  #say(level: 'warn' | 'info', target: StreamTarget, what: string): void {
    this.#parts.log[level](`stream ${this.#plan.name}: target ${target.origin} ${what}`);
  }

  #awaitRoom(standing: Standing, { seekers }: Line<Waiter>): void {
    standing.full = true;
    const found = (): void => {
      seekers.delete(found);
      if (!standing.full) return;
      standing.full = false;
      this.#tellFree();
    };
    seekers.add(found);
  }

  #tellFree(): void {
    for (const listener of this.#freeListeners) listener();
  }

  #mostOf(target: StreamTarget): number {
    return target.max === 0 ? this.#plan.settings.targetConnections : target.max;
  }

  #isFull(target: StreamTarget, standing: Standing | undefined): boolean {
    const most = this.#mostOf(target);
    return most > 0 && standing !== undefined && (standing.full || standing.inFlight >= most);
  }

  #standing({ id }: StreamTarget): Standing {
    let standing = this.#standings.get(id);
    if (standing === undefined) {
      standing = new Standing();
      this.#standings.set(id, standing);
    }
    return standing;
  }
}
