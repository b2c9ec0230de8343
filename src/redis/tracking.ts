// Tells which keys changed: CLIENT TRACKING in broadcast mode over one connection that redirects to itself.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisUrl } from '../config/driver-url.js';
import { RedisLink } from './connect.js';
import { invalidateChannel, type RedisKeys } from './keys.js';
import { asError, isTimeout, shortReason } from './redis-errors.js';
import type { RedisTls } from './tls-files.js';

export interface KeyTrackingOptions {
  /** The server that is read from: its changes are the ones that matter, a replica's included. */
  readonly url: RedisUrl;
  /** For a URL that asks for TLS. */
  readonly tls?: RedisTls;
  readonly timeout: number;
  readonly keys: RedisKeys;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** Writes a short-lived key that begins so, that its invalidation can be awaited; false when it may or can not be written. */
  writeProbe(beginning: string): Promise<boolean>;
  /** A tracked key was written, deleted or has expired. */
  onKey(key: string): void;
  /** Anything may have changed: the connection was lost or armed again, or a database was flushed. */
  onEverything(): void;
  /** @param hung the server did not reply, so other connections to it are doubtful too */
  onLost(hung: boolean): void;
}

const probeTimeout = 1000;
/** What a server that does not track lacks, and what to do about it. */
function refusalOf(error: Error): string {
  const reason = shortReason(error);
  const isOld = /unknown (sub)?command|wrong number of arguments|syntax error/i.test(reason);
  if (isOld) return `knows no CLIENT TRACKING, which Redis has since 6.0: upgrade it (${reason})`;
  return `refuses CLIENT TRACKING${/^NOPERM/.test(reason) ? ': give this user +client|id +client|tracking +subscribe' : ''} (${reason})`;
}

/** Where tracking was refused: rights may have been given meanwhile. */
const retryRefusedAfter = 30_000;

/**
 * One RESP2 connection does all of it. With a second connection as the target of the redirection the loss of the first would never be
 * told; with one, its close is the signal that from then on nothing cached is known to be fresh.
 */
export class KeyTracking {
  readonly #options: KeyTrackingOptions;
  readonly #link: RedisLink;
  readonly #probeKey: string;
  #onProbe: (() => void) | null = null;
  #effective = false;
  #refusal = '';
  #retry: NodeJS.Timeout | undefined;
  #armedAt = 0;

  constructor(options: KeyTrackingOptions) {
    this.#options = options;
    this.#probeKey = options.keys.probe(randomUUID());
    this.#link = new RedisLink({
      url: options.url,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      role: 'tracking',
      timeout: options.timeout,
      prepare: (client) => this.#prepare(client),
      onUp: () => this.#isUp(),
      onDown: (_reason, hung) => {
        this.#effective = false;
        options.onEverything();
        options.onLost(hung);
      },
    });
  }

  /** True while every change is told at once. */
  get armed(): boolean {
    return this.#effective && this.#link.up;
  }

  /** When it was armed last, by `performance.now()`. */
  get armedAt(): number {
    return this.#armedAt;
  }

  /** Resolves after the first attempt, whatever came of it: who reads from the same server has judged the credentials. */
  async start(): Promise<void> {
    await this.#link.begin();
  }

  /** Resolves when every change that the server had made before has been told: replies and changes come in order. */
  async settle(): Promise<void> {
    await this.#link.run((commands) => commands.one(['PING']));
  }

  /** Arms again on a new connection. */
  renew(reason: string): void {
    this.#link.renew(reason);
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#link.close();
  }

  /** A refusal is no failure: the connection stays, without effect, and the store polls. */
  async #prepare(client: Redis): Promise<void> {
    client.on('messageBuffer', (_channel: Buffer, payload: unknown) => this.#receive(payload));
    try {
      await this.#arm(client);
      this.#effective = await this.#selfTest();
      if (!this.#effective) this.#refuse('accepts CLIENT TRACKING but sends no invalidations');
    } catch (error) {
      if (isTimeout(asError(error)) || client.status !== 'ready') throw error;
      this.#effective = false;
      this.#refuse(refusalOf(asError(error)));
    }
  }

  async #arm(client: Redis): Promise<void> {
    const id = await client.client('ID');
    const prefixes = [...this.#options.keys.tracked, this.#probeKey].flatMap((prefix) => ['PREFIX', prefix]);
    await client.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes);
    await client.subscribe(invalidateChannel);
  }

  /** Some servers and proxies in front of them take the command and never send anything. */
  async #selfTest(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const seen = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), probeTimeout);
      this.#onProbe = () => resolve(true);
    });
    try {
      // Without the right to write (a replica, a reader's account) there is no test, and the server is taken at its word.
      return (await this.#options.writeProbe(this.#probeKey)) ? await seen : true;
    } finally {
      clearTimeout(timer);
      this.#onProbe = null;
    }
  }

  /** ioredis gives the keys as an array of Buffers, and null for FLUSHALL and FLUSHDB. */
  #receive(payload: unknown): void {
    if (!Array.isArray(payload)) {
      this.#options.onEverything();
      return;
    }
    for (const item of payload) {
      const key = String(item);
      if (key.startsWith(this.#probeKey)) this.#onProbe?.();
      else this.#options.onKey(key);
    }
  }

  #isUp(): void {
    this.#armedAt = performance.now();
    if (this.#effective && this.#refusal !== '') {
      this.#refusal = '';
      this.#options.log('info', `Redis at ${this.#link.place} tells changes now: they are in force at once`);
    }
    // What was read while nobody told changes may be old by now.
    this.#options.onEverything();
  }

  #refuse(reason: string): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#link.renew('arming again'), retryRefusedAfter).unref();
    if (reason === this.#refusal) return;
    this.#refusal = reason;
    this.#options.log('warn', `Redis at ${this.#link.place} ${reason}; changes are noticed within a second instead of at once`);
  }
}
