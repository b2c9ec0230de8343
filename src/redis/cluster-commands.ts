// Commands on a cluster: each goes to the primary that has its key, and what is about all keys goes to all of them.
import { type Cluster, Command as SentCommand } from 'ioredis';
import { type Command, type CommandResult, type Commands, type OnReply, type ScanStep, sent, thrownFirst } from './commands.js';
import { asError, isBroken, isTimeout } from './redis-errors.js';
import { anyOnServer, scanServer, scanStepOnServer } from './server-commands.js';

/** @param cluster connected */
export function clusterCommands(cluster: Cluster): Commands {
  // Not by `call`, which puts commands into groups that wait for each other: when a primary stood still, those for others were held up for
  // as long as a command may take.
  const send = (command: Command, replyEncoding: BufferEncoding | null): Promise<unknown> => {
    const [name, ...args] = sent(command);
    return cluster.sendCommand(new SentCommand(name, args, { replyEncoding })) as Promise<unknown>;
  };
  const one = (command: Command): Promise<unknown> => send(command, 'utf8');
  const oneOfBytes = (command: Command): Promise<unknown> => send(command, null);
  // Sent singly, each to the primary of its key: what one of them does not answer holds up no other.
  const singly = (run: typeof one, commands: readonly Command[], onResult?: OnResult): Promise<CommandResult[]> =>
    Promise.all(
      commands.map(async (command): Promise<CommandResult> => {
        const result = await run(command).then(succeeded, failed);
        onResult?.(command, result);
        return result;
      }),
    );
  /** A redirection that the client has not followed to its end, as while a slot moves. */
  const again = (result: CommandResult, command: Command): CommandResult | Promise<CommandResult> => {
    if (!isRedirected(result)) return result;
    const alone = cluster
      .pipeline()
      .call(...sent(command))
      .exec();
    return alone.then((replies) => (replies?.[0] as CommandResult | undefined) ?? result, failed);
  };
  const all = async (commands: readonly Command[], onResult?: OnResult): Promise<readonly CommandResult[]> => {
    const results = await singly(one, commands, onResult);
    return results.some(isRedirected)
      ? Promise.all(results.map((result, at) => again(result, commands[at] as Command)))
      : results;
  };
  return {
    one,
    all: (commands) => all(commands),
    reads: (commands, onReply) => all(commands, onReply && firstOfEach(cluster, onReply)),
    readBytes: (commands) => singly(oneOfBytes, commands),
    scan: async (pattern, onPage) => {
      await Promise.all(cluster.nodes('master').map((node) => scanServer(node, pattern, onPage)));
    },
    scanStep: (pattern, cursor, count) => scanStepOfCluster(cluster, pattern, cursor, count),
    guarded: async (_watched, reads, plan) => {
      for (const group of plan(await all(reads))) {
        const multi = cluster.multi();
        for (const command of group) multi.call(...sent(command));
        thrownFirst((await multi.exec()) ?? []);
      }
      return true;
    },
    any: (pattern) => someOf(cluster.nodes('master').map((node) => anyOnServer(node, pattern))),
  };
}

type OnResult = (command: Command, result: CommandResult) => void;

/** Tells of each server once, when it has replied to the first of some commands about keys. */
function firstOfEach(cluster: Cluster, onReply: OnReply): OnResult {
  const begun = performance.now();
  const told = new Set<string>();
  return ([, key], [error]) => {
    if (error !== null && (isTimeout(error) || isBroken(error))) return;
    const server = ownerOf(cluster, String(key));
    if (told.has(server)) return;
    told.add(server);
    onReply(server, performance.now() - begun);
  };
}

/** The primary that a key is asked of, by its address; empty: it is not known. */
export function ownerOf(cluster: Cluster, key: string): string {
  return cluster.slots[new SentCommand('GET', [key]).getSlot()]?.[0] ?? '';
}

/** Whether one says yes, without waiting for the others then. Rejects where none does and one fails. */
async function someOf(asked: readonly Promise<boolean>[]): Promise<boolean> {
  const yes = asked.map(async (one) => {
    if (!(await one)) throw new Error('no');
    return true;
  });
  return Promise.any(yes).catch(async () => {
    await Promise.all(asked);
    return false;
  });
}

const succeeded = (reply: unknown): CommandResult => [null, reply];
const failed = (error: unknown): CommandResult => [asError(error), null];

/** The node that was asked does not have the slot any more, or is about to hand it over. */
function isRedirected([error]: CommandResult): boolean {
  return error !== null && /^(?:ASK|MOVED|TRYAGAIN) ?/.test(error.message);
}

/** The primaries in the order of their addresses, which stands in the cursor: one that has left meanwhile is passed over. */
async function scanStepOfCluster(cluster: Cluster, pattern: string, cursor: string, count: number): Promise<ScanStep> {
  const nodes = cluster
    .nodes('master')
    .map((client) => ({ client, place: `${client.options.host}:${client.options.port}` }))
    .sort((one, other) => (one.place < other.place ? -1 : 1));
  const [wanted = '', at = ''] = cursor.split('|');
  const node = nodes.find(({ place }) => place >= wanted);
  if (node === undefined) return { cursor: '', keys: [] };
  const step = await scanStepOnServer(node.client, pattern, node.place === wanted ? at : '', count);
  if (step.cursor !== '') return { ...step, cursor: `${node.place}|${step.cursor}` };
  const next = nodes[nodes.indexOf(node) + 1];
  return { ...step, cursor: next === undefined ? '' : `${next.place}|` };
}
