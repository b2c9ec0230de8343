// The connections of a store to Redis: the side that is read from, with what follows its changes, and the side that is written to.
import type { RedisUrl } from '../config/driver-url.js';
import { ClusterLink } from '../redis/cluster-link.js';
import { ClusterTracking } from '../redis/cluster-tracking.js';
import { allOrError, type Command, type Commands } from '../redis/commands.js';
import { type LinkOptions, RedisLink } from '../redis/connect.js';
import type { RedisSide } from '../redis/kept-link.js';
import type { RedisKeys } from '../redis/keys.js';
import { serverCommands } from '../redis/server-commands.js';
import type { RedisTls } from '../redis/tls-files.js';
import { KeyTracking } from '../redis/tracking.js';
import { readCommands } from './redis-record.js';

/** Where Redis is and how to behave towards it. */
export interface RedisPlaces {
  /** Where to read from, and whose `#prefix` counts for both sides, as in Hipache. */
  readonly read: RedisUrl;
  /** Where to write to; the same object where one URL was given. */
  readonly write: RedisUrl;
  /** For URLs that ask for TLS. */
  readonly tls?: RedisTls;
  /** Milliseconds that a connection attempt or a command may take. */
  readonly timeout: number;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
}

export interface RedisSidesParts extends RedisPlaces {
  readonly keys: RedisKeys;
  /** The read side is there, for the first time or again. */
  onUp(): void;
  /** A key has changed. */
  onKey(key: string): void;
  /** Any key may have. */
  onEverything(): void;
}

export interface RedisSides {
  readonly read: RedisSide;
  /** The read side again where one URL serves both. */
  readonly write: RedisSide;
  /** For changes that watch what they change, which need a connection of their own; it says nothing of its own. */
  readonly changes: RedisSide;
  readonly tracking: KeyTracking | ClusterTracking;
}

/** So many keys that none of the primaries is likely to own none of them. */
const probesPerPrimary = 32;

/** Makes them; nothing is connected yet. */
export function openSides(parts: RedisSidesParts): RedisSides {
  const { read: url, write: writeUrl, timeout, log, keys } = parts;
  const tls = parts.tls === undefined ? {} : { tls: parts.tls };
  const link = { timeout, log, onDown: () => undefined, ...tls };
  const onDown = (_reason: string, hung: boolean): void => {
    // Nor does it tell changes then, which would show only at the next heartbeat.
    if (hung) tracking.renew('the server does not reply');
  };
  const reading = { ...link, url, role: 'read' as const, onUp: () => parts.onUp(), onDown };
  // The very commands of a look-up: shows missing rights, a data set still loading, a replica without its primary.
  const tryReading = async (commands: Commands): Promise<void> => {
    for (const [error] of await commands.reads(readCommands(keys, ['']))) {
      if (error !== null) throw error;
    }
  };
  const following = {
    ...{ url, timeout, keys, log, ...tls },
    onKey: (key: string) => parts.onKey(key),
    onEverything: () => parts.onEverything(),
  };
  let read: RedisSide;
  let tracking: KeyTracking | ClusterTracking;
  if (url.cluster !== undefined) {
    const cluster = new ClusterLink({
      ...reading,
      onUp: () => {
        parts.onUp();
        void followed.follow();
      },
      nodes: url.cluster,
      prepare: tryReading,
      onTopology: () => void followed.follow(),
    });
    // Keys that begin alike lie on all nodes, as long as they are many.
    const writeProbe = (beginning: string) => writeProbes(write, beginning, probesPerPrimary * cluster.primaries.length);
    const followed = new ClusterTracking({ ...following, cluster, writeProbe });
    read = cluster;
    tracking = followed;
  } else {
    const server = new RedisLink({ ...reading, prepare: (client) => tryReading(serverCommands(client, '')) });
    read = server;
    tracking = new KeyTracking({
      ...following,
      writeProbe: (beginning) => writeProbes(write, beginning, 1),
      onLost: (hung) => {
        // Both speak to one server: without this, look-ups would wait for a server that is known to hang.
        if (hung) server.renew('the server does not reply');
      },
    });
  }
  const quiet = { ...link, onUp: () => undefined };
  const write = writeUrl === url ? read : writeSide(writeUrl, quiet);
  return { read, write, changes: writeSide(writeUrl, { ...quiet, log: () => undefined }), tracking };
}

async function writeProbes(side: RedisSide, beginning: string, count: number): Promise<boolean> {
  const probes = Array.from({ length: count }, (_, at): Command => ['SET', `${beginning}${at}`, '1', 'PX', 1000]);
  try {
    await side.run((commands) => allOrError(commands, probes));
    return true;
  } catch {
    return false;
  }
}

/** The side that is written to, where it is another one than the side that is read from. */
function writeSide(url: RedisUrl, link: Pick<LinkOptions, 'timeout' | 'log' | 'tls' | 'onUp' | 'onDown'>): RedisSide {
  const role = 'write' as const;
  if (url.cluster === undefined) {
    return new RedisLink({ ...link, url, role, prepare: async (client) => void (await client.ping()) });
  }
  return new ClusterLink({ ...link, url, role, nodes: url.cluster, prepare: async () => undefined, onTopology: () => undefined });
}
