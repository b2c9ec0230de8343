// What guards the entrance of a worker, wired together: block lists, caps on connections, the bound on kept bytes, the shedding of load.
import { ByteBudget } from '../base/byte-budget.js';
import type { CoarseClock } from '../base/clock.js';
import type { AddressSet } from '../base/ip.js';
import type { Config } from '../config/config.js';
import type { TargetTraps } from '../http1/target-traps.js';
import { AddressCaps } from '../limits/address-caps.js';
import { BlockLists } from '../limits/block-lists.js';
import { LoopDelay, Overload } from '../limits/overload.js';
import type { Connections } from '../listener/connections.js';
import { connectionsForFiles, FrontDoor } from '../listener/front-door.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { Stage } from '../pipeline/stage.js';
import { createGate } from '../pipeline/stages/gate.js';
import type { Store } from '../store/store.js';

export interface EntranceParts {
  readonly config: Pick<Config, 'frontDoor' | 'streams'>;
  readonly store: Pick<Store, 'readRecord'>;
  readonly clock: CoarseClock;
  readonly connections: Connections;
  readonly trusted: AddressSet;
  readonly metrics: Pick<Metrics, 'turnedAway'>;
  readonly log: Logger;
}

export interface Entrance {
  readonly blocked: BlockLists;
  readonly overload: Overload;
  readonly door: FrontDoor;
  /** Bytes that are kept for clients. */
  readonly kept: ByteBudget;
  readonly gate: Stage;
  /** Reads the block lists and begins to watch; to be awaited before clients come. */
  start(): Promise<void>;
  close(): void;
}

/** @throws StartError when the file of blocked addresses cannot be read */
export function createEntrance({ config, store, clock, connections, trusted, metrics, log }: EntranceParts): Entrance {
  const { frontDoor } = config;
  const streams = config.streams.map(({ name }) => name);
  const blocked = new BlockLists({ store, streams, file: frontDoor.blocklistFile, log });
  const loopDelay = new LoopDelay();
  const overload = new Overload({
    limit: frontDoor.overloadDelay,
    patience: frontDoor.overloadPatience,
    measure: loopDelay.mean,
    changed: (shedding, delay) =>
      log.warn(
        shedding
          ? `overloaded: the event loop is ${Math.round(delay)} ms late; new connections are answered 503 (frontDoor.overloadDelay)`
          : 'no longer overloaded: new connections are served again',
      ),
  });
  const { connections: most, connectionsPerAddress } = frontDoor;
  const door = new FrontDoor({
    connections,
    most: most === 'auto' ? connectionsForFiles() : most,
    caps: connectionsPerAddress === 0 ? null : new AddressCaps(connectionsPerAddress),
    blocked,
    trusted,
    overload,
    metrics,
    log,
  });
  const kept = new ByteBudget(frontDoor.maxBuffered);
  clock.add(overload);
  clock.add(door);
  return {
    blocked,
    overload,
    door,
    kept,
    gate: createGate({ overload, kept, blocked, traps: trapsOf(frontDoor.refusedPaths) }),
    async start() {
      if (frontDoor.overloadDelay > 0) loopDelay.start();
      await blocked.start();
    },
    close() {
      loopDelay.stop();
      blocked.close();
    },
  };
}

function trapsOf(refused: Config['frontDoor']['refusedPaths']): TargetTraps {
  return {
    encodedSlash: refused.includes('encoded-slash'),
    nul: refused.includes('nul'),
    dotSegment: refused.includes('dot-segment'),
  };
}
