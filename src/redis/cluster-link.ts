// A Redis Cluster that is kept in reach: made anew when no node of it can be asked, watched by a heartbeat, failing fast while it is away.
import { Cluster } from 'ioredis';
import { Backoff } from '../base/backoff.js';
import { formatHost, type HostAndPort } from '../config/driver-url.js';
import type { Command, CommandResult, Commands } from './commands.js';
import { connectionOptions, type LinkOptions, type RedisSide, tlsOptions } from './connect.js';
import { asError, isTimeout, settingsError, shortReason } from './redis-errors.js';
import { anyOnServer, scanServer } from './server-commands.js';

export interface ClusterLinkOptions extends Omit<LinkOptions, 'prepare'> {
  readonly nodes: readonly HostAndPort[];
  /** Makes a new client ready for work; the link is up once it resolves. */
  prepare(commands: Commands): Promise<void>;
  /** The primaries are not the same as before. */
  onTopology(): void;
}

const heartbeatInterval = 1000;
const firstRetryDelay = 50;
const longestRetryDelay = 1000;
/** Nodes are asked this often who has which slots; a MOVED reply asks at once. */
const slotsInterval = 1000;

export class ClusterLink implements RedisSide {
  readonly place: string;
  readonly #options: ClusterLinkOptions;
  readonly #backoff = new Backoff(firstRetryDelay, longestRetryDelay);
  #cluster: Cluster | null = null;
  #up = false;
  #reason = 'not connected';
  #downSince = 0;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: ClusterLinkOptions) {
    this.#options = options;
    this.place = `the cluster of ${options.nodes.map(formatHost).join(', ')}`;
  }

  get up(): boolean {
    return this.#up;
  }

  get downSince(): number {
    return this.#downSince;
  }

  /** Where the primaries are now. */
  get primaries(): readonly HostAndPort[] {
    return (this.#cluster?.nodes('master') ?? []).map((node) => ({
      host: node.options.host ?? '127.0.0.1',
      port: node.options.port ?? 6379,
    }));
  }

  async start(): Promise<void> {
    this.#heartbeat = setInterval(() => void this.#beat(), heartbeatInterval).unref();
    const error = await this.#attempt();
    const fatal = error === null ? null : settingsError(this.place, error);
    if (fatal === null) return;
    await this.close();
    throw fatal;
  }

  async run<T>(work: (commands: Commands) => Promise<T>): Promise<T> {
    const cluster = this.#cluster;
    if (cluster === null || !this.#up) throw new Error(`Redis at ${this.place} is away (${this.#reason})`);
    return work(clusterCommands(cluster));
  }

  renew(reason: string): void {
    if (this.#cluster !== null) this.#lost(this.#cluster, reason, false);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#up = false;
    this.#reason = 'closed';
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    const cluster = this.#cluster;
    this.#cluster = null;
    if (cluster === null || cluster.status === 'end') return;
    const ended = new Promise<void>((resolve) => cluster.once('end', () => resolve()));
    cluster.disconnect();
    await ended;
  }

  async #attempt(): Promise<Error | null> {
    const cluster = new Cluster([...this.#options.nodes], clusterOptions(this.#options));
    this.#cluster = cluster;
    let failure: Error | undefined;
    cluster.on('error', (error: Error) => {
      failure ??= error;
    });
    cluster.on('node error', (error: Error) => {
      failure = error;
    });
    for (const event of ['+node', '-node']) {
      cluster.on(event, () => {
        if (this.#cluster === cluster && this.#up) this.#options.onTopology();
      });
    }
    cluster.once('end', () => this.#lost(cluster, failure === undefined ? 'connection closed' : shortReason(failure), false));
    try {
      await cluster.connect();
      await this.#options.prepare(clusterCommands(cluster));
    } catch (error) {
      const reason = failure ?? asError(error);
      this.#lost(cluster, shortReason(reason), isTimeout(reason));
      return reason;
    }
    if (this.#cluster !== cluster) return failure ?? new Error(this.#reason);
    this.#isUp();
    return null;
  }

  #isUp(): void {
    this.#up = true;
    this.#backoff.reset();
    this.#options.onUp();
    if (this.#downSince === 0) return;
    const seconds = Math.round((performance.now() - this.#downSince) / 1000);
    this.#downSince = 0;
    this.#options.log?.('info', `Redis at ${this.place} is back after ${seconds} s`);
  }

  #lost(cluster: Cluster, reason: string, hung: boolean): void {
    if (this.#cluster !== cluster) return;
    this.#cluster = null;
    this.#reason = reason;
    cluster.disconnect();
    const wasUp = this.#up;
    this.#up = false;
    if (!this.#closed) this.#retry = setTimeout(() => void this.#attempt(), this.#backoff.next()).unref();
    if (this.#downSince === 0) {
      this.#downSince = performance.now();
      this.#options.log?.('warn', `Redis at ${this.place} is away: ${reason}; trying again`);
    }
    if (wasUp) this.#options.onDown(reason, hung);
  }

  /** One primary that is away is a matter of its slots alone; only when none replies is the cluster away. */
  async #beat(): Promise<void> {
    const cluster = this.#cluster;
    if (cluster === null || !this.#up) return;
    const replies = await Promise.allSettled(cluster.nodes('master').map((node) => node.ping()));
    const hung = replies.every((reply) => reply.status === 'rejected' && isTimeout(asError(reply.reason)));
    if (hung) this.#lost(cluster, `no node replied within ${this.#options.timeout} ms`, true);
  }
}

function clusterCommands(cluster: Cluster): Commands {
  const one = ([name, ...args]: Command): Promise<unknown> => cluster.call(name, ...args.map(String)) as Promise<unknown>;
  // Sent singly: the client puts those of one node into one write.
  const all = (commands: readonly Command[]): Promise<readonly CommandResult[]> =>
    Promise.all(
      commands.map(
        (command): Promise<CommandResult> =>
          one(command).then(
            (reply) => [null, reply],
            (error: unknown) => [asError(error), null],
          ),
      ),
    );
  return {
    one,
    all,
    reads: all,
    scan: async (pattern, onPage) => {
      for (const node of cluster.nodes('master')) await scanServer(node, pattern, onPage);
    },
    any: async (pattern) => {
      for (const node of cluster.nodes('master')) if (await anyOnServer(node, pattern)) return true;
      return false;
    },
  };
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
