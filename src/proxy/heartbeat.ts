// Keeps the heartbeat of a node in the store: written whenever its state is told, removed at a clean end.
import { hostname } from 'node:os';
import { packageVersion } from '../base/package-version.js';
import type { NodeHeartbeat } from '../model/node.js';
import type { Logger } from '../observe/logger.js';
import type { Store } from '../store/store.js';
import { formatAddresses, type ServedAddress } from './served-proxy.js';
import type { NodeIdentity } from './worker-messages.js';
import type { NodeState } from './worker-status.js';

/** Milliseconds after which a node that tells nothing counts as gone. It tells every second. */
const heartbeatLasts = 5_000;

export interface HeartbeatParts {
  readonly node: NodeIdentity;
  readonly addresses: readonly ServedAddress[];
  readonly store: Pick<Store, 'state' | 'writeHeartbeat' | 'removeHeartbeat'>;
  readonly logger: Logger;
  /** Whether somebody has taken the node out. */
  readonly drained: () => boolean;
}

export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #addresses: readonly string[];
  /** What is to be written once the write on its way is through. */
  #next: NodeState | null = null;
  #writing: Promise<void> | null = null;
  #written = false;
  #complained = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#addresses = parts.addresses.map((address) => formatAddresses([address]));
  }

  /** Writes the state, or the newest of several that come while one is being written. */
  beat(state: NodeState): void {
    this.#next = state;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** Another process goes on with it. */
  handOver(): void {
    this.#next = null;
    this.#written = false;
  }

  /** The node ends. Never rejects: a heartbeat that cannot be removed expires. */
  async remove(): Promise<void> {
    this.#next = null;
    await this.#writing;
    const { node, store } = this.#parts;
    if (store.state !== 'away') await store.removeHeartbeat(node.id, node.boot).catch(() => {});
  }

  async #write(): Promise<void> {
    for (let state = this.#next; state !== null; state = this.#next) {
      this.#next = null;
      const { node, store, logger } = this.#parts;
      // It would fail: the store tells of the outage itself.
      if (store.state === 'away') return;
      try {
        const before = await store.writeHeartbeat(this.#heartbeat(state), heartbeatLasts);
        if (this.#written && before !== '' && before !== node.boot) this.#complain(`another node is called "${node.id}" too`);
        this.#written = true;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        logger.debug(`The heartbeat of this node was not written: ${reason}`);
        this.#complain(`its heartbeat cannot be written (${reason})`);
        return;
      }
    }
  }

  /** Once: what follows from it is the same every second. */
  #complain(why: string): void {
    if (this.#complained) return;
    this.#complained = true;
    const advice = 'each node needs a server.nodeId of its own, and the right to write node:*';
    this.#parts.logger.warn(`This node may be missing from the list of nodes: ${why}; ${advice}`);
  }

  #heartbeat(state: NodeState): NodeHeartbeat {
    const { node, drained } = this.#parts;
    const { phase, serving, active, connections, revision, staleness } = state;
    return {
      ...node,
      host: hostname(),
      addresses: this.#addresses,
      version: packageVersion,
      beatAt: Date.now(),
      phase,
      ...(drained() ? { drained: true } : {}),
      workers: serving,
      active,
      connections,
      revision,
      staleness,
    };
  }
}
