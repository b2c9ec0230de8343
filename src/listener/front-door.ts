// Decides at accept who may come in at all: not those on a block list, not more than there is room for, not more than an address may have.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type AddressSet, plainAddress } from '../base/ip.js';
import type { AddressCaps } from '../limits/address-caps.js';
import type { BlockLists } from '../limits/block-lists.js';
import type { Overload } from '../limits/overload.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics, TurnedAway } from '../observe/metrics.js';
import type { Connections } from './connections.js';

export interface FrontDoorParts {
  readonly connections: Connections;
  /** Most connections; 0: no cap. */
  readonly most: number;
  /** Null: an address may have any number. */
  readonly caps: AddressCaps | null;
  readonly blocked: Pick<BlockLists, 'blocks' | 'onChange'>;
  /** Proxies, whose many connections are those of their clients. */
  readonly trusted: AddressSet;
  readonly overload: Pick<Overload, 'shedding' | 'episode'>;
  readonly metrics: Pick<Metrics, 'turnedAway'>;
  readonly log: Logger;
}

/** How often a line tells of those who were turned away, in milliseconds. */
const toldEvery = 60_000;

const reasons: Readonly<Record<TurnedAway, string>> = {
  blocked: 'their address is on a block list',
  'too-many': 'the worker has as many connections as it may (frontDoor.connections)',
  'too-many-of-address': 'their address has as many as it may (frontDoor.connectionsPerAddress)',
  overload: 'the worker is overloaded (frontDoor.overloadDelay)',
};

export class FrontDoor {
  readonly #parts: FrontDoorParts;
  /** Those turned away for each reason since a line told of them, and an address of one. */
  readonly #untold = new Map<TurnedAway, { count: number; address: string }>();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(parts: FrontDoorParts) {
    this.#parts = parts;
    const { blocked, connections } = parts;
    blocked.onChange(() => connections.cut((address) => blocked.blocks(address)));
  }

  /** Which overload a connection that comes now comes in; 0: there is none. */
  get episode(): number {
    const { overload } = this.#parts;
    return overload.shedding === 'nothing' ? 0 : overload.episode;
  }

  /**
   * Lets a connection in, or closes it without a word: whoever floods is not to cost more than that.
   * @param secure it asks for a handshake, which costs more than many requests
   */
  lets(socket: Socket, secure: boolean): boolean {
    const { connections, most, caps, trusted, overload } = this.#parts;
    const address = plainAddress(socket.remoteAddress ?? '');
    if (address === '') {
      // It is gone already.
      socket.destroy();
      return false;
    }
    if (this.isBlocked(address)) return this.#turnAway(socket, 'blocked', address);
    if (most > 0 && connections.size >= most) return this.#turnAway(socket, 'too-many', address);
    if (secure && overload.shedding === 'requests') return this.#turnAway(socket, 'overload', address);
    if (caps === null || trusted.has(address)) return true;
    const key = caps.take(address);
    if (key === null) return this.#turnAway(socket, 'too-many-of-address', address);
    socket.once('close', () => caps.give(key));
    return true;
  }

  /** @param address of a client, in plain form */
  isBlocked(address: string): boolean {
    return this.#parts.blocked.blocks(address);
  }

  /** Told by the clock. */
  sweep(now: number): void {
    if (this.#untold.size === 0 || now - this.#toldAt < toldEvery) return;
    this.#toldAt = now;
    for (const [why, { count, address }] of this.#untold) {
      const plural = count === 1 ? 'a connection was' : `${count} connections were`;
      this.#parts.log.warn(`${plural} turned away, the last one from ${address}: ${reasons[why]}`);
    }
    this.#untold.clear();
  }

  #turnAway(socket: Socket, why: TurnedAway, address: string): false {
    const { turnedAway } = this.#parts.metrics;
    turnedAway[why]++;
    const untold = this.#untold.get(why);
    if (untold === undefined) this.#untold.set(why, { count: 1, address });
    else {
      untold.count++;
      untold.address = address;
    }
    // Nobody listens for its errors, and with a reset the kernel keeps nothing of it.
    socket.on('error', () => {});
    socket.resetAndDestroy();
    return false;
  }
}

/** Of the files that a process may open, the part that clients may have: the rest is for backends, the store and logs. */
const clientsShare = 0.75;

/** Connections that leave descriptors for backends; 0, no cap, where the system does not say how many files may be open. */
export function connectionsForFiles(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? 0 : Math.max(1, Math.floor(Number(soft) * clientsShare));
  } catch {
    return 0;
  }
}
