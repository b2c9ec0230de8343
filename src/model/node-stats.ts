// What a node has counted, as it stands in the store (`stats:<id>`): who says so, and fields of bytes that `observe/node-counts` writes.

/** Milliseconds that the record of a node stays after its last second: its counts remain in the sum of the fleet, and are its own again when it is back. */
export const statsLast = 24 * 3600_000;

/** Milliseconds after which a node that tells nothing counts as gone: nothing runs there. */
export const statsFresh = 5_000;

/** The way in which counts are bytes now. */
export const statsVersion = 3;

/** Written with each publication. */
export interface StatsHead {
  /** Of the bytes in the fields. */
  readonly version: typeof statsVersion;
  /** Drawn anew at each start of the node. */
  readonly boot: string;
  /** Milliseconds since the epoch, by the node's clock: since when it counts, and when it published. */
  readonly since: number;
  readonly at: number;
}

/** The record of a node, or a part of it. */
export interface NodeStatsRecord {
  readonly id: string;
  readonly head: StatsHead;
  /** Milliseconds since it was published, by the clock of the store. */
  readonly age: number;
  /** By name. */
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** Name of the field that holds the head. */
export const statsHeadField = 'node';

/** Reads a head; null for one that is none, or of another version. */
export function parseStatsHead(text: string | undefined): StatsHead | null {
  if (text === undefined) return null;
  try {
    const { version, boot, since, at } = JSON.parse(text) as Partial<Record<keyof StatsHead, unknown>>;
    if (version !== statsVersion || typeof boot !== 'string' || typeof since !== 'number' || typeof at !== 'number') return null;
    return { version, boot, since, at };
  } catch {
    return null;
  }
}
