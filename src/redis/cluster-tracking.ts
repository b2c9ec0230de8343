// Tells which keys of a cluster changed: each primary tells the changes of its own slots.
import { formatHost, type HostAndPort, type RedisUrl } from '../config/driver-url.js';
import type { ClusterLink } from './cluster-link.js';
import { KeyTracking, type KeyTrackingOptions } from './tracking.js';

export interface ClusterTrackingOptions extends Omit<KeyTrackingOptions, 'url' | 'writeProbe' | 'onLost'> {
  readonly url: RedisUrl;
  readonly cluster: Pick<ClusterLink, 'primaries'>;
  writeProbe(beginning: string): Promise<boolean>;
}

/**
 * One tracking connection to each primary. A slot that moves takes its keys to another tracked primary, so that it is told by the
 * one or the other; a primary that is new is tracked before anything that it may have told is believed.
 */
export class ClusterTracking {
  readonly #options: ClusterTrackingOptions;
  readonly #nodes = new Map<string, KeyTracking>();
  /** The changes of topology are followed one after the other. */
  #following: Promise<void> = Promise.resolve();
  #armedAt = 0;
  #closed = false;

  constructor(options: ClusterTrackingOptions) {
    this.#options = options;
  }

  /** True while every change is told at once. */
  get armed(): boolean {
    const { primaries } = this.#options.cluster;
    return primaries.length > 0 && primaries.every((node) => this.#nodes.get(formatHost(node))?.armed === true);
  }

  /** When the last of them was armed, by `performance.now()`. */
  get armedAt(): number {
    return this.#armedAt;
  }

  /** Resolves after the first attempt at each primary. */
  start(): Promise<void> {
    return this.follow();
  }

  /** Tracks the primaries that there are now, and no others. Resolves after the first attempt at each new one. */
  follow(): Promise<void> {
    this.#following = this.#following.then(() => this.#followNow());
    return this.#following;
  }

  async #followNow(): Promise<void> {
    if (this.#closed) return;
    const { primaries } = this.#options.cluster;
    const wanted = new Set(primaries.map(formatHost));
    const gone = [...this.#nodes].filter(([place]) => !wanted.has(place));
    const fresh = primaries.filter((node) => !this.#nodes.has(formatHost(node)));
    if (gone.length === 0 && fresh.length === 0) return;
    for (const [place] of gone) this.#nodes.delete(place);
    const started = fresh.map((node) => {
      const tracking = this.#track(node);
      this.#nodes.set(formatHost(node), tracking);
      return tracking.start();
    });
    await Promise.all([...started, ...gone.map(([, tracking]) => tracking.close())]);
    this.#armedAt = performance.now();
    // What the ones that left would have told is not known.
    this.#options.onEverything();
  }

  /** Resolves when every change that the primaries had made before has been told. */
  async settle(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((tracking) => tracking.settle()));
  }

  /** Arms again on new connections. */
  renew(reason: string): void {
    for (const tracking of this.#nodes.values()) tracking.renew(reason);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#nodes.values()].map((tracking) => tracking.close()));
  }

  #track({ host, port }: HostAndPort): KeyTracking {
    const { cluster: _nodes, ...server } = this.#options.url;
    return new KeyTracking({ ...this.#options, url: { ...server, host, port }, onLost: () => undefined });
  }
}
