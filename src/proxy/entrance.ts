// What guards the entrance of a worker, wired together: block lists, caps on connections, the bound on kept bytes, the shedding of load.
import { ByteBudget } from '../base/byte-budget.js';
import type { CoarseClock } from '../base/clock.js';
import type { AddressSet } from '../base/ip.js';
import type { Config } from '../config/config.js';
import type { TargetTraps } from '../http1/target-traps.js';
import { BlockLists } from '../limits/block-lists.js';
import { LoopDelay, Overload } from '../limits/overload.js';
import type { Connections } from '../listener/connections.js';
import { connectionsForFiles, FrontDoor, type FrontDoorParts } from '../listener/front-door.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { Stage } from '../pipeline/stage.js';
import { createGate } from '../pipeline/stages/gate.js';
import type { Admission, Waiter } from '../queue/admission.js';
import { LocalAdmission } from '../queue/local-admission.js';
import { NodeCap, partOf } from '../queue/node-cap.js';
import type { Store } from '../store/store.js';

export interface EntranceParts {
  readonly config: Pick<Config, 'frontDoor' | 'streams' | 'server'>;
  readonly store: Pick<Store, 'readRecord'>;
  readonly clock: CoarseClock;
  readonly connections: Connections;
  /** Counts connections for the node; null: this process is all of it. */
  readonly admission: Admission<Waiter> | null;
  readonly trusted: AddressSet;
  readonly metrics: Pick<Metrics, 'turnedAway'>;
  readonly log: Logger;
}

export interface Entrance {
  readonly blocked: BlockLists;
  readonly overload: Overload;
  readonly door: FrontDoor;
  /** The cap on all connections of clients to the node; null: there is none. */
  readonly all: NodeCap | null;
  /** Bytes that are kept for clients. */
  readonly kept: ByteBudget;
  readonly gate: Stage;
  /** Reads the block lists and begins to watch; to be awaited before clients come. */
  start(): Promise<void>;
  close(): void;
}

/** @throws StartError when the file of blocked addresses cannot be read */
export function createEntrance(parts: EntranceParts): Entrance {
  const { config, store, clock, connections, trusted, metrics, log } = parts;
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
  const { all, ofAddress } = createCaps(parts);
  const door = new FrontDoor({
    connections,
    most: frontDoor.connections === 'auto' ? connectionsForFiles() : 0,
    all,
    ofAddress,
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
    all,
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

/**
 * There is one cap for all connections, of which each worker keeps some permits at hand; and one for every address that comes, of
 * whose connections a worker has some for itself, so that a flood of addresses is no flood of messages.
 */
function createCaps({ config, admission }: EntranceParts): Pick<FrontDoorParts, 'all' | 'ofAddress'> {
  const { connections, connectionsPerAddress } = config.frontDoor;
  const capOf = (name: string, most: number, keeps: 'reserve' | 'own'): NodeCap | null => {
    if (most === 0) return null;
    if (admission === null)
      return new NodeCap({ name, most, own: most, workers: 1, reserve: 0, admission: new LocalAdmission() });
    const workers = Math.max(1, config.server.workers);
    const part = partOf(most, workers);
    return new NodeCap({
      name,
      most,
      own: keeps === 'own' ? part : 0,
      reserve: keeps === 'reserve' ? part : 0,
      workers,
      admission,
    });
  };
  return {
    // How many files there may be is a limit of each process.
    all: capOf('all', connections === 'auto' ? 0 : connections, 'reserve'),
    ofAddress: capOf('address', connectionsPerAddress, 'own'),
  };
}

function trapsOf(refused: Config['frontDoor']['refusedPaths']): TargetTraps {
  return {
    encodedSlash: refused.includes('encoded-slash'),
    nul: refused.includes('nul'),
    dotSegment: refused.includes('dot-segment'),
  };
}
