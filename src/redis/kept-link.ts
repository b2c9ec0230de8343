// The life of a way to Redis, one server or a cluster: made anew after a loss, watched by a heartbeat, failing fast while it is away.
import { Backoff } from '../base/backoff.js';
import type { Commands } from './commands.js';
import { asError, isTimeout, settingsError, shortReason } from './redis-errors.js';

/** A way to Redis that is kept open. */
export interface RedisSide {
  /** Where it goes, without credentials. */
  readonly place: string;
  readonly up: boolean;
  /** Names of the servers that have some keys. */
  serversOf(keys: Iterable<string>): readonly string[];
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

/** What is told of a link. */
export interface LinkEvents {
  /** Told one line at each end of an outage; absent where another link to the same server tells it. */
  readonly log?: (level: 'info' | 'warn', text: string) => void;
  onUp(): void;
  /** @param hung no reply came in time, though the connection still stood */
  onDown(reason: string, hung: boolean): void;
}

/** Why a link is lost. */
export interface Loss {
  readonly reason: string;
  readonly hung: boolean;
}

/** What both clients of ioredis have in common. */
interface LinkClient {
  readonly status: string;
  disconnect(): void;
  once(event: 'end', listener: () => void): unknown;
}

const heartbeatInterval = 1000;
export const firstRetryDelay = 50;
const longestRetryDelay = 1000;

/**
 * A client of ioredis is used for one connection only: a new one inherits no queue, database or subscription from the one that
 * broke, so that nothing happens behind the back of `prepare`.
 */
export abstract class KeptLink<Client extends LinkClient> implements RedisSide {
  readonly place: string;
  /** As its lines in the log begin. */
  readonly #title: string;
  readonly #events: LinkEvents;
  readonly #backoff = new Backoff(firstRetryDelay, longestRetryDelay);
  #client: Client | null = null;
  #up = false;
  #reason = 'not connected';
  #downSince = 0;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(place: string, title: string, events: LinkEvents) {
    this.place = place;
    this.#title = title;
    this.#events = events;
  }

  /** Makes a client that is not connected yet. @param failed told of its errors; @param gone told when its connection has closed */
  protected abstract make(failed: (error: Error) => void, gone: () => void): Client;
  /** Connects a client and makes it ready for work. */
  protected abstract open(client: Client): Promise<void>;
  protected abstract commandsOf(client: Client): Commands;
  /** Asks whether a client is still served; a connection may break without a sign. */
  protected abstract beat(client: Client): Promise<Loss | null>;
  abstract serversOf(keys: Iterable<string>): readonly string[];
  /** What an error of a command says about the link, if anything. */
  protected abstract lossBy(error: unknown): Loss | null;

  get up(): boolean {
    return this.#up;
  }

  get downSince(): number {
    return this.#downSince;
  }

  /** The client of the moment, connected or about to be. */
  protected get client(): Client | null {
    return this.#client;
  }

  async start(): Promise<void> {
    const error = await this.begin();
    const fatal = error === null ? null : settingsError(this.place, error);
    if (fatal === null) return;
    await this.close();
    throw fatal;
  }

  /** The first attempt, with what went wrong if anything did; further ones follow whatever it was. */
  async begin(): Promise<Error | null> {
    this.#heartbeat = setInterval(() => void this.#beat(), heartbeatInterval).unref();
    return this.#attempt();
  }

  async run<T>(work: (commands: Commands) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === null || !this.#up) throw new Error(`Redis at ${this.place} is away (${this.#reason})`);
    try {
      return await work(this.commandsOf(client));
    } catch (error) {
      const loss = this.lossBy(error);
      if (loss !== null) this.#lost(client, loss);
      throw error;
    }
  }

  renew(reason: string): void {
    if (this.#client !== null) this.#lost(this.#client, { reason, hung: false });
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
    let failure: Error | undefined;
    // The promise of connect() says only that the connection is closed; the reason comes by an event.
    const client = this.make(
      (error) => {
        failure = error;
      },
      () => this.#lost(client, { reason: failure === undefined ? 'connection closed' : shortReason(failure), hung: false }),
    );
    this.#client = client;
    try {
      await this.open(client);
    } catch (error) {
      const reason = failure ?? asError(error);
      this.#lost(client, { reason: shortReason(reason), hung: isTimeout(reason) });
      return reason;
    }
    if (this.#client !== client) return failure ?? new Error(this.#reason);
    this.#isUp();
    return null;
  }

  #isUp(): void {
    this.#up = true;
    this.#backoff.reset();
    this.#events.onUp();
    if (this.#downSince === 0) return;
    const seconds = Math.round((performance.now() - this.#downSince) / 1000);
    this.#downSince = 0;
    this.#events.log?.('info', `${this.#title} is back after ${seconds} s`);
  }

  #lost(client: Client, { reason, hung }: Loss): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#reason = reason;
    client.disconnect();
    const wasUp = this.#up;
    this.#up = false;
    if (!this.#closed) this.#retry = setTimeout(() => void this.#attempt(), this.#backoff.next()).unref();
    if (this.#downSince === 0) {
      this.#downSince = performance.now();
      this.#events.log?.('warn', `${this.#title} is away: ${reason}; trying again`);
    }
    if (wasUp) this.#events.onDown(reason, hung);
  }

  async #beat(): Promise<void> {
    const client = this.#client;
    if (client === null || !this.#up) return;
    const loss = await this.beat(client);
    if (loss !== null) this.#lost(client, loss);
  }
}
