// One connection to Redis that is kept alive: made anew after a loss, watched by a heartbeat, failing fast while it is away.
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { Backoff } from '../base/backoff.js';
import { formatHost, type RedisUrl } from '../config/driver-url.js';
import type { Commands } from './commands.js';
import { asError, isBroken, isReadOnly, isTimeout, settingsError, shortReason } from './redis-errors.js';
import { serverCommands } from './server-commands.js';
import type { RedisTls } from './tls-files.js';

/** A way to Redis that is kept open. */
export interface RedisSide {
  /** Where it goes, without credentials. */
  readonly place: string;
  readonly up: boolean;
  /** When the current outage began, by `performance.now()`; 0 while there is none. */
  readonly downSince: number;
  /** The first attempt. Resolves also when the server is away; rejects with a StartError on bad credentials or settings. */
  start(): Promise<void>;
  /** Runs commands. Rejects at once while Redis is away. */
  run<T>(work: (commands: Commands) => Promise<T>): Promise<T>;
  /** Gives what is connected up and connects anew. */
  renew(reason: string): void;
  close(): Promise<void>;
}

export interface LinkOptions {
  readonly url: RedisUrl;
  /** For a URL that asks for TLS. */
  readonly tls?: RedisTls;
  /** What it is for; seen in `CLIENT LIST` as `cjs-proxy-<role>`. */
  readonly role: 'read' | 'write' | 'tracking';
  /** Milliseconds that a connection attempt or a command may take. */
  readonly timeout: number;
  /** Told one line at each end of an outage; absent where another link to the same server tells it. */
  readonly log?: (level: 'info' | 'warn', text: string) => void;
  /** Makes a new connection ready for work; the link is up once it resolves. */
  prepare(client: Redis): Promise<void>;
  onUp(): void;
  /** @param hung no reply came in time, though the connection still stood */
  onDown(reason: string, hung: boolean): void;
}

const heartbeatInterval = 1000;
const firstRetryDelay = 50;
const longestRetryDelay = 1000;

/**
 * A client of ioredis is used for one connection only: a new one inherits no queue, database or subscription from the one that
 * broke, so that nothing happens behind the back of `prepare`.
 */
export class RedisLink implements RedisSide {
  /** Where it goes, without credentials. */
  readonly place: string;
  #up = false;
  readonly #options: LinkOptions;
  readonly #backoff = new Backoff(firstRetryDelay, longestRetryDelay);
  #client: Redis | null = null;
  #retry: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #reason = 'not connected';
  /** By `performance.now()`; 0 while up. */
  #downSince = 0;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.place = placeOf(options.url);
  }

  get up(): boolean {
    return this.#up;
  }

  /** When the current outage began, by `performance.now()`; 0 while there is none. */
  get downSince(): number {
    return this.#downSince;
  }

  /** The first attempt. Resolves also when the server is away; rejects with a StartError on bad credentials or settings. */
  async start(): Promise<void> {
    const error = await this.begin();
    const fatal = error === null ? null : settingsError(this.place, error);
    if (fatal === null) return;
    await this.close();
    throw fatal;
  }

  /** The first attempt, with what went wrong if anything did; further ones follow whatever it was. */
  async begin(): Promise<Error | null> {
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatInterval).unref();
    return this.#attempt();
  }

  /** Runs commands. Rejects at once while the link is down; a reply that does not come in time brings it down. */
  async run<T>(work: (commands: Commands) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === null || !this.#up) throw new Error(`Redis at ${this.place} is away (${this.#reason})`);
    try {
      return await work(serverCommands(client));
    } catch (error) {
      if (isTimeout(asError(error))) this.#lost(client, `no reply within ${this.#options.timeout} ms`, true);
      // A primary that became a replica: the sentinels know who took its place.
      else if (this.#options.url.sentinel !== undefined && isReadOnly(error)) this.#lost(client, 'it is a replica now', false);
      // Known here before the socket tells: whoever asks for the state meanwhile shall know it too.
      else if (isBroken(asError(error))) this.#lost(client, shortReason(asError(error)), false);
      throw error;
    }
  }

  /** Gives the connection up and makes a new one. */
  renew(reason: string): void {
    if (this.#client !== null) this.#lost(this.#client, reason, false);
  }

  /** Ends the connection; the link cannot be used again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#up = false;
    this.#reason = 'closed';
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    const client = this.#client;
    this.#client = null;
    if (client === null || client.status === 'end') return;
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    client.disconnect();
    await ended;
  }

  /** Resolves with null when the link is up, or with what went wrong; a further attempt is then under way. */
  async #attempt(): Promise<Error | null> {
    const client = new Redis(clientOptions(this.#options));
    this.#client = client;
    let failure: Error | undefined;
    // The promise of connect() says only that the connection is closed; the reason comes by this event.
    client.on('error', (error: Error) => {
      failure ??= error;
    });
    client.once('close', () => this.#lost(client, failure === undefined ? 'connection closed' : shortReason(failure), false));
    try {
      await client.connect();
      if (this.#options.url.db !== 0) await client.select(this.#options.url.db);
      await this.#options.prepare(client);
    } catch (error) {
      const reason = failure ?? asError(error);
      this.#lost(client, shortReason(reason), isTimeout(reason));
      return reason;
    }
    if (this.#client !== client) return failure ?? new Error(this.#reason);
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
    this.#options.log?.('info', `Redis at ${this.place} (${this.#options.role} side) is back after ${seconds} s`);
  }

  #lost(client: Redis, reason: string, hung: boolean): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#reason = reason;
    client.disconnect();
    const wasUp = this.#up;
    this.#up = false;
    if (!this.#closed) this.#retry = setTimeout(() => void this.#attempt(), this.#backoff.next()).unref();
    if (this.#downSince === 0) {
      this.#downSince = performance.now();
      this.#options.log?.('warn', `Redis at ${this.place} (${this.#options.role} side) is away: ${reason}; trying again`);
    }
    if (wasUp) this.#options.onDown(reason, hung);
  }

  /** A connection may break without a sign (a cable, a firewall, a stopped process): only asking shows it. */
  #beat(): void {
    const client = this.#client;
    if (client === null || !this.#up) return;
    client.ping().catch((error: Error) => {
      // A refusal (NOPERM) is a sign of life as well.
      if (isTimeout(error)) this.#lost(client, `no reply within ${this.#options.timeout} ms`, true);
    });
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
