// One connection to one Redis server, found by its address or by sentinels.
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { formatHost, type RedisUrl } from '../config/driver-url.js';
import type { Commands } from './commands.js';
import { KeptLink, type LinkEvents, type Loss } from './kept-link.js';
import { asError, isBroken, isReadOnly, isTimeout, shortReason } from './redis-errors.js';
import { serverCommands } from './server-commands.js';
import type { RedisTls } from './tls-files.js';

export interface LinkOptions extends LinkEvents {
  readonly url: RedisUrl;
  /** For a URL that asks for TLS. */
  readonly tls?: RedisTls;
  /** What it is for; seen in `CLIENT LIST` as `cjs-proxy-<role>`. */
  readonly role: 'read' | 'write' | 'tracking';
  /** Milliseconds that a connection attempt or a command may take. */
  readonly timeout: number;
  /** Makes a new connection ready for work; the link is up once it resolves. */
  prepare(client: Redis): Promise<void>;
}

export class RedisLink extends KeptLink<Redis> {
  readonly #options: LinkOptions;
  readonly #servers: readonly string[];

  constructor(options: LinkOptions) {
    const place = placeOf(options.url);
    super(place, `Redis at ${place} (${options.role} side)`, options);
    this.#options = options;
    this.#servers = [place];
  }

  serversOf(): readonly string[] {
    return this.#servers;
  }

  protected make(failed: (error: Error) => void, gone: () => void): Redis {
    const client = new Redis(clientOptions(this.#options));
    client.once('error', failed).on('error', () => undefined);
    client.once('close', gone);
    return client;
  }

  protected async open(client: Redis): Promise<void> {
    await client.connect();
    if (this.#options.url.db !== 0) await client.select(this.#options.url.db);
    await this.#options.prepare(client);
  }

  protected commandsOf(client: Redis): Commands {
    return serverCommands(client, this.place);
  }

  /** A reply that does not come in time brings the link down. */
  protected lossBy(error: unknown): Loss | null {
    const known = asError(error);
    if (isTimeout(known)) return { reason: `no reply within ${this.#options.timeout} ms`, hung: true };
    // A primary that became a replica: the sentinels know who took its place.
    if (this.#options.url.sentinel !== undefined && isReadOnly(error)) return { reason: 'it is a replica now', hung: false };
    // Known here before the socket tells: whoever asks for the state meanwhile shall know it too.
    return isBroken(known) ? { reason: shortReason(known), hung: false } : null;
  }

  /** Only asking shows a cut cable, a firewall, a stopped process. A refusal (NOPERM) is a sign of life as well. */
  protected async beat(client: Redis): Promise<Loss | null> {
    try {
      await client.ping();
      return null;
    } catch (error) {
      return isTimeout(asError(error)) ? { reason: `no reply within ${this.#options.timeout} ms`, hung: true } : null;
    }
  }
}

function clientOptions(options: LinkOptions) {
  return { ...connectionOptions(options), ...addressOptions(options) };
}

/** How every connection behaves, wherever it goes. */
export function connectionOptions({ url, role, timeout }: Pick<LinkOptions, 'url' | 'role' | 'timeout'>) {
  return {
    ...(url.username === '' ? {} : { username: url.username }),
    ...(url.password === '' ? {} : { password: url.password }),
    connectionName: `cjs-proxy-${role}`,
    // RESP3 would drop `invalidate` pushes without a word, and nothing here needs it.
    protocol: 2 as const,
    lazyConnect: true,
    connectTimeout: timeout,
    commandTimeout: timeout,
    // A server that hangs does not answer the end of the connection either.
    disconnectTimeout: 100,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    // `prepare` asks for what is needed instead; INFO may be forbidden to this user.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
}

function addressOptions({ url, tls = {} }: LinkOptions) {
  const { sentinel } = url;
  if (sentinel === undefined) {
    const name = isIP(url.host) === 0 ? { servername: url.host } : {};
    const address = url.unixPath === '' ? { host: url.host, port: url.port } : { path: url.unixPath };
    return { ...address, ...(url.tls ? { tls: tlsOptions({ ...name, ...tls }) } : {}) };
  }
  return {
    sentinels: [...sentinel.hosts],
    name: sentinel.name,
    ...(sentinel.username === '' ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === '' ? {} : { sentinelPassword: sentinel.password }),
    ...(url.tls ? { tls: tlsOptions(tls), sentinelTLS: tlsOptions(tls), enableTLSForSentinelMode: true } : {}),
    // Each attempt asks the sentinels once; the next one is this link's to begin.
    sentinelRetryStrategy: () => null,
    // A primary that hangs keeps its connections: the sentinels tell that another took its place.
    failoverDetector: true,
  };
}

/** As ioredis takes them. */
export function tlsOptions({ ca, ...rest }: RedisTls) {
  return { ...rest, ...(ca === undefined ? {} : { ca: [...ca] }) };
}

function placeOf({ unixPath, sentinel, host, port }: RedisUrl): string {
  if (sentinel !== undefined) return `the primary ${sentinel.name} of ${sentinel.hosts.map(formatHost).join(', ')}`;
  return unixPath !== '' ? unixPath : formatHost({ host, port });
}
