// A Redis Cluster: away only when none of its nodes can be asked.
import { Cluster } from 'ioredis';
import { formatHost, type HostAndPort } from '../config/driver-url.js';
import { clusterCommands, ownerOf } from './cluster-commands.js';
import type { Commands } from './commands.js';
import { connectionOptions, type LinkOptions, tlsOptions } from './connect.js';
import { firstRetryDelay, KeptLink, type Loss } from './kept-link.js';
import { asError, isTimeout } from './redis-errors.js';

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

  serversOf(keys: Iterable<string>): readonly string[] {
    const servers = new Set<string>();
    if (this.client !== null) for (const key of keys) servers.add(ownerOf(this.client, key));
    return [...servers];
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
