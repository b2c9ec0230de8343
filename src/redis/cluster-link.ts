// A Redis Cluster: away only when none of its nodes can be asked.
import { Cluster, Command as SentCommand } from 'ioredis';
import { formatHost, type HostAndPort } from '../config/driver-url.js';
import { type Command, type CommandResult, type Commands, type ScanStep, sent, thrownFirst } from './commands.js';
import { connectionOptions, type LinkOptions, tlsOptions } from './connect.js';
import { firstRetryDelay, KeptLink, type Loss } from './kept-link.js';
import { asError, isTimeout } from './redis-errors.js';
import { anyOnServer, scanServer, scanStepOnServer } from './server-commands.js';

export interface ClusterLinkOptions extends Omit<LinkOptions, 'prepare'> {
  readonly nodes: readonly HostAndPort[];
  /** Makes a new client ready for work; the link is up once it resolves. */
  prepare(commands: Commands): Promise<void>;
  /** The primaries are not the same as before. */
  onTopology(): void;
}

/** Nodes are asked this often who has which slots; a MOVED reply asks at once. */
const slotsInterval = 1000;

export class ClusterLink extends KeptLink<Cluster> {
  readonly #options: ClusterLinkOptions;

  constructor(options: ClusterLinkOptions) {
    const place = `the cluster of ${options.nodes.map(formatHost).join(', ')}`;
    super(place, `Redis at ${place}`, options);
    this.#options = options;
  }

  /** Where the primaries are now. */
  get primaries(): readonly HostAndPort[] {
    return (this.client?.nodes('master') ?? []).map((node) => ({
      host: node.options.host ?? '127.0.0.1',
      port: node.options.port ?? 6379,
    }));
  }

  protected make(failed: (error: Error) => void, gone: () => void): Cluster {
    const cluster = new Cluster([...this.#options.nodes], clusterOptions(this.#options));
    let told = false;
    cluster.on('error', (error: Error) => {
      if (!told) failed(error);
      told = true;
    });
    // What a node said tells more than that none was left to ask.
    cluster.on('node error', (error: Error) => {
      told = true;
      failed(error);
    });
    for (const event of ['+node', '-node']) {
      cluster.on(event, () => {
        if (this.client === cluster && this.up) this.#options.onTopology();
      });
    }
    cluster.once('end', gone);
    return cluster;
  }

  protected async open(cluster: Cluster): Promise<void> {
    await cluster.connect();
    await this.#options.prepare(clusterCommands(cluster));
  }

  protected commandsOf(cluster: Cluster): Commands {
    return clusterCommands(cluster);
  }

  /** A command speaks for the node that it went to; which of them are left is for the heartbeat to say. */
  protected lossBy(): null {
    return null;
  }

  /** One primary that is away is a matter of its slots alone; only when none replies is the cluster away. */
  protected async beat(cluster: Cluster): Promise<Loss | null> {
    const replies = await Promise.allSettled(cluster.nodes('master').map((node) => node.ping()));
    const hung = replies.every((reply) => reply.status === 'rejected' && isTimeout(asError(reply.reason)));
    return hung ? { reason: `no node replied within ${this.#options.timeout} ms`, hung: true } : null;
  }
}

function clusterCommands(cluster: Cluster): Commands {
  const one = (command: Command): Promise<unknown> => cluster.call(...sent(command)) as Promise<unknown>;
  // The client does not know how to group those by node.
  const oneOfBytes = (command: Command): Promise<unknown> => {
    const [name, ...args] = sent(command);
    return cluster.sendCommand(new SentCommand(name, args, { replyEncoding: null })) as Promise<unknown>;
  };
  // Sent singly: the client puts those of one node into one write.
  const singly = (run: typeof one, commands: readonly Command[]): Promise<CommandResult[]> =>
    Promise.all(commands.map((command): Promise<CommandResult> => run(command).then(succeeded, failed)));
  /** Of several commands in one write the client follows no redirection that is not meant for all of them, as while a slot moves. */
  const again = (result: CommandResult, command: Command): CommandResult | Promise<CommandResult> => {
    if (!isRedirected(result)) return result;
    const alone = cluster
      .pipeline()
      .call(...sent(command))
      .exec();
    return alone.then((replies) => (replies?.[0] as CommandResult | undefined) ?? result, failed);
  };
  const all = async (commands: readonly Command[]): Promise<readonly CommandResult[]> => {
    const results = await singly(one, commands);
    return results.some(isRedirected)
      ? Promise.all(results.map((result, at) => again(result, commands[at] as Command)))
      : results;
  };
  return {
    one,
    all,
    reads: all,
    readBytes: (commands) => singly(oneOfBytes, commands),
    scan: async (pattern, onPage) => {
      for (const node of cluster.nodes('master')) await scanServer(node, pattern, onPage);
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
    any: async (pattern) => {
      for (const node of cluster.nodes('master')) if (await anyOnServer(node, pattern)) return true;
      return false;
    },
  };
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

function clusterOptions(options: ClusterLinkOptions) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: true,
    enableAutoPipelining: true,
    slotsRefreshInterval: slotsInterval,
    slotsRefreshTimeout: options.timeout,
    clusterRetryStrategy: () => null,
    // A look-up that meets a fail-over shall fail soon, not wait for it: what is known is served meanwhile.
    maxRedirections: 3,
    retryDelayOnFailover: firstRetryDelay,
    retryDelayOnClusterDown: firstRetryDelay,
    redisOptions: nodeOptions(options),
  };
}

/** As for one server, except that the cluster client decides when a node is connected again. */
function nodeOptions(options: ClusterLinkOptions) {
  const { connectionName, connectTimeout, commandTimeout, disableClientInfo, protocol } = connectionOptions(options);
  const { username, password, tls } = options.url;
  return {
    ...{ connectionName, connectTimeout, commandTimeout, disableClientInfo, protocol },
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls ? { tls: tlsOptions(options.tls ?? {}) } : {}),
  };
}
