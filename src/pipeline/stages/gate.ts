// Who is turned away before anything is looked up: whom the worker has no room for, clients on a block list behind a trusted proxy, and paths
// that servers read in different ways.
import type { ByteBudget } from '../../base/byte-budget.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { findTrap, type TargetTraps } from '../../http1/target-traps.js';
import type { BlockLists } from '../../limits/block-lists.js';
import type { Overload } from '../../limits/overload.js';
import type { Stage } from '../stage.js';

export interface GateParts {
  readonly overload: Pick<Overload, 'shedding' | 'episode'>;
  /** Bytes that are kept for clients. */
  readonly kept: ByteBudget;
  readonly blocked: Pick<BlockLists, 'blocks'>;
  readonly traps: TargetTraps;
}

export function createGate({ overload, kept, blocked, traps }: GateParts): Stage {
  const looks = traps.encodedSlash || traps.nul || traps.dotSegment;
  // Making an error costs as much as the rest of a refusal.
  const busy = new ProxyError('overloaded', 'the event loop is late');
  const filled = new ProxyError('overloaded', 'frontDoor.maxBuffered is reached');

  /** From whom this worker has too much already. */
  function sheds({ client }: Exchange): boolean {
    return overload.shedding === 'requests' || client.episode === overload.episode;
  }

  return (exchange) => {
    if (overload.shedding !== 'nothing' && sheds(exchange)) {
      exchange.closing = true;
      return busy;
    }
    if (kept.full) {
      exchange.closing = true;
      return filled;
    }
    const { client, clientAddress } = exchange;
    // The address of the connection itself was looked at when it came.
    if (client.trusted && clientAddress !== client.address && blocked.blocks(clientAddress)) {
      return new ProxyError('address-denied', `${clientAddress} is on a block list`);
    }
    if (looks) {
      const trap = findTrap(exchange.head.target, traps);
      if (trap !== '') return new ProxyError('bad-target', `the path has ${trap}`);
    }
    return undefined;
  };
}
