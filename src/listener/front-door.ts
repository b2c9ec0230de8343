// Decides at accept who may come in at all: not those on a block list, not more than there is room for, not more than an address may have.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type AddressSet, plainAddress } from '../base/ip.js';
import type { BlockLists } from '../limits/block-lists.js';
import type { Overload } from '../limits/overload.js';
import { addressKey } from '../limits/tier-key.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics, TurnedAway } from '../observe/metrics.js';
import type { NodeCap } from '../queue/node-cap.js';
import { Arrival, type Claim } from './arrival.js';
import type { Connections } from './connections.js';

export interface FrontDoorParts {
  readonly connections: Connections;
  /** Most connections of this process, which has so many files; 0: no cap. */
  readonly most: number;
  /** All connections of the node, and those of each address; null: there may be any number. */
  readonly all: NodeCap | null;
  readonly ofAddress: NodeCap | null;
  readonly blocked: Pick<BlockLists, 'blocks' | 'onChange'>;
  /** Proxies, whose many connections are those of their clients. */
  readonly trusted: AddressSet;
  readonly overload: Pick<Overload, 'shedding' | 'episode'>;
  readonly metrics: Pick<Metrics, 'turnedAway'>;
  readonly log: Logger;
}

/** What becomes of a connection: it is in, it was turned away, or it waits and is in later. */
export type Welcome = 'in' | 'out' | Arrival<TurnedAway>;

/** How often a line tells of those who were turned away, in milliseconds. */
const toldEvery = 60_000;

const reasons: Readonly<Record<TurnedAway, string>> = {
  blocked: 'their address is on a block list',
  'too-many': 'there are as many connections as may be (frontDoor.connections)',
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
   * Lets a connection in, or closes it without a word: whoever floods is not to cost more than that. Where this worker does not know
   * whether there is room on the node, it asks: the connection waits as an `Arrival`, which is to be told who takes it.
   * @param secure it asks for a handshake, which costs more than many requests
   */
  lets(socket: Socket, secure: boolean): Welcome {
    const { connections, most, overload, all, ofAddress } = this.#parts;
    const address = plainAddress(socket.remoteAddress ?? '');
    if (address === '') {
      // It is gone already.
      socket.destroy();
      return 'out';
    }
    if (this.isBlocked(address)) return this.#turnAway(socket, 'blocked', address);
    if (most > 0 && connections.size >= most) return this.#turnAway(socket, 'too-many', address);
    if (secure && overload.shedding === 'requests') return this.#turnAway(socket, 'overload', address);
    return all === null && ofAddress === null ? 'in' : this.#count(socket, address);
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

  #count(socket: Socket, address: string): Welcome {
    const { connections, all, ofAddress, trusted } = this.#parts;
    const claims: Claim<TurnedAway>[] = [];
    if (all !== null) claims.push({ cap: all, key: '', why: 'too-many' });
    if (ofAddress !== null && !trusted.has(address)) {
      claims.push({ cap: ofAddress, key: addressKey(address), why: 'too-many-of-address' });
    }
    const turnAway = (why: TurnedAway): void => void this.#turnAway(socket, why, address);
    const arrival = new Arrival<TurnedAway>(socket, { peer: address, claims, connections, turnAway });
    const reception = arrival.begin();
    return reception === 'waits' ? arrival : reception;
  }

  #turnAway(socket: Socket, why: TurnedAway, address: string): 'out' {
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
    return 'out';
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
