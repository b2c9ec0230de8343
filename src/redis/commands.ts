// What a store may ask of Redis, whether that is one server or a cluster of them.

/** The name of a command and its arguments. */
export type Command = readonly [name: string, ...args: readonly (string | number | Buffer)[]];

/** An error, or a reply in RESP2: what one command of several came to. */
export type CommandResult = readonly [error: Error | null, reply: unknown];

/** What a step of a walk through the keys found. */
export interface ScanStep {
  readonly cursor: string;
  readonly keys: readonly string[];
}

/** Told of a reply. @param server as `RedisSide.serversOf` names it */
export type OnReply = (server: string, took: number) => void;

/** Runs commands. Every method rejects at once while Redis is away, and none hangs. */
export interface Commands {
  /** One command; an error reply rejects. */
  one(command: Command): Promise<unknown>;
  /**
   * Several commands in one round trip; error replies are among the results. One server runs them as a transaction. A cluster cannot,
   * since their keys lie in different slots: there each stands alone.
   */
  all(commands: readonly Command[]): Promise<readonly CommandResult[]>;
  /**
   * As `all`, of commands that only read: they are answered also by a server that has no memory left for a transaction.
   * @param onReply told of each server once, when it has replied, and how many milliseconds that took
   */
  reads(commands: readonly Command[], onReply?: OnReply): Promise<readonly CommandResult[]>;
  /** As `reads`, where the replies may be any bytes: texts among them are buffers. */
  readBytes(commands: readonly Command[]): Promise<readonly CommandResult[]>;
  /** Gives the keys that match a glob-style pattern, a page at a time; a key may come twice. */
  scan(pattern: string, onPage: (keys: readonly string[]) => void): Promise<void>;
  /**
   * One step of such a walk.
   * @param cursor where the step before ended; empty: at the beginning
   * @param count keys to look at
   * @returns where to go on; an empty cursor: everything was seen
   */
  scanStep(pattern: string, cursor: string, count: number): Promise<ScanStep>;
  /**
   * Reads, then writes what `plan` makes of the replies, if nobody has changed a watched key meanwhile. One server writes all or
   * nothing. In a cluster nobody watches, and each group is written by itself, in their order. Only one at a time may be under way
   * on a connection.
   * @param plan gives groups of commands, each about a key of its own; none: nothing is written
   * @returns whether it was written; false: somebody came between
   */
  guarded(
    watched: readonly string[],
    reads: readonly Command[],
    plan: (replies: readonly CommandResult[]) => readonly (readonly Command[])[],
  ): Promise<boolean>;
  /** Whether any key matches a glob-style pattern. */
  any(pattern: string): Promise<boolean>;
}

/** The name of a command and its arguments as they are sent. */
export function sent([name, ...args]: Command): [name: string, ...args: (string | Buffer)[]] {
  return [name, ...args.map((arg) => (typeof arg === 'number' ? String(arg) : arg))];
}

/** Runs commands of a write; one that failed is an error of the whole. */
export async function allOrError(commands: Commands, list: readonly Command[]): Promise<void> {
  await resultsOrError(commands, list);
}

/** As `allOrError`, for whoever needs the replies. */
export async function resultsOrError(commands: Commands, list: readonly Command[]): Promise<unknown[]> {
  return thrownFirst(await commands.all(list));
}

/** The replies. @throws the first error among them */
export function thrownFirst(results: readonly CommandResult[]): unknown[] {
  return results.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
