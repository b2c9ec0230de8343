// Proxies over one real Redis for the tests of a file: frontends are written with redis-cli, as a person would.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { head } from '../contract/engine/world.js';
import { type BackendOptions, type RawBackend, type Script, startBackend } from './backend.js';
import { eventually } from './eventually.js';
import { connectClient, type RawClient, type RawResponse } from './raw-client.js';
import { type LogLine, recordingLogger } from './recording-logger.js';
import { startRedis, type TestRedis } from './redis.js';
import { type ProxyOverrides, type StartedProxy, startProxy } from './start-proxy.js';

/** Entries where nothing listens: privileged ports without a service. Each is normalised by a trailing slash when published. */
export const refusing = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3', 'http://127.0.0.1:4'] as const;

/** The request of a WebSocket handshake. */
export function handshake(host: string, ...lines: readonly string[]): string {
  const webSocket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGVzdA=='];
  return head('GET', '/', host, ...webSocket, ...lines);
}

/** Messages of the channel `dead`, from the moment of subscription. */
interface DeadChannel {
  readonly messages: readonly string[];
  /** Resolves with the messages when there are as many. */
  many(count: number): Promise<readonly string[]>;
}

let sites = 0;

/** A proxy with a Redis behind it. */
export class Site {
  readonly started: StartedProxy;
  readonly redis: TestRedis;
  /** What the proxy logged. */
  readonly logged: readonly LogLine[];
  readonly #prefix: string;
  readonly #clients: RawClient[] = [];
  readonly #barrier: string;

  constructor(started: StartedProxy, redis: TestRedis, prefix: string, logged: readonly LogLine[]) {
    this.started = started;
    this.redis = redis;
    this.logged = logged;
    this.#prefix = prefix;
    sites++;
    this.#barrier = `barrier-${sites}.invalid`;
  }

  /** Runs `redis-cli` and returns when the proxy has been told of the change; gives what it printed. */
  async cli(...args: readonly string[]): Promise<string> {
    const printed = await this.redis.cli(...args);
    await this.told();
    return printed;
  }

  /**
   * Waits until the proxy was told of everything that was written before: changes are told in their order, so when a later
   * one is in force, the earlier ones are.
   */
  async told(): Promise<void> {
    const key = `${this.#prefix}frontend:${this.#barrier}`;
    const served = async () => (await this.get(this.#barrier)).status === 502;
    await served();
    await this.redis.client.rpush(key, 'an identifier alone');
    await eventually('the proxy to be told of a frontend', served);
    await this.redis.client.del(key);
    await eventually('the proxy to be told that it went', async () => !(await served()));
  }

  async client(): Promise<RawClient> {
    const client = await connectClient(this.started.port);
    this.#clients.push(client);
    return client;
  }

  /** One request on a connection of its own. */
  async exchange(request: string | Buffer, method = 'GET'): Promise<RawResponse> {
    const client = await this.client();
    client.send(request);
    const response = await client.response(method);
    client.close();
    return response;
  }

  /** A GET on a connection of its own. */
  get(host: string, target = '/', ...lines: readonly string[]): Promise<RawResponse> {
    return this.exchange(head('GET', target, host, ...lines));
  }

  /** GETs one after the other; gives the bodies. */
  async bodies(host: string, count: number): Promise<string[]> {
    const client = await this.client();
    const bodies: string[] = [];
    for (let turn = 0; turn < count; turn++) {
      client.send(head('GET', '/', host));
      bodies.push((await client.response()).text);
    }
    client.close();
    return bodies;
  }

  closeClients(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }
}

/** What the tests of a file work with. */
export interface Hipache {
  readonly redis: TestRedis;
  /** The proxy with these settings, shared by the tests of the file. */
  site(settings?: ProxyOverrides): Promise<Site>;
  /** A proxy of this test's own. */
  ownSite(settings?: ProxyOverrides): Promise<Site>;
  /** A backend of this test's own. */
  backend(script: Script | string, options?: BackendOptions): Promise<RawBackend>;
  /** Listens on the channel `dead` from now until the test ends. */
  deadChannel(): Promise<DeadChannel>;
  /** A host that no other test has. */
  host(): string;
}

/** Starts a Redis before the first test and ends everything after the last. */
export function useHipache(): Hipache {
  let redis: TestRedis | null = null;
  let hosts = 0;
  const shared = new Map<string, Promise<Site>>();
  const own: Site[] = [];
  const backends: RawBackend[] = [];
  const subscribers: Redis[] = [];

  const server = (): TestRedis => {
    if (redis === null) throw new Error('Redis runs only while the tests of the file do');
    return redis;
  };

  async function start(settings: ProxyOverrides): Promise<Site> {
    const driver = settings.driver ?? server().url;
    const parsed = parseDriverUrl(driver);
    const { logger, lines } = recordingLogger();
    const started = await startProxy({ ...settings, driver }, { logger });
    return new Site(started, server(), parsed.kind === 'redis' ? parsed.prefix : '', lines);
  }

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterEach(async () => {
    for (const subscriber of subscribers.splice(0)) subscriber.disconnect();
    for (const site of shared.values()) (await site).closeClients();
    for (const site of own.splice(0)) {
      site.closeClients();
      await site.started.close();
    }
    const ended = backends.splice(0);
    for (const backend of ended) await backend.close();
    const [error] = ended.flatMap((backend) => backend.errors);
    if (error !== undefined) throw error;
  });

  afterAll(async () => {
    for (const site of shared.values()) await (await site).started.close();
    await redis?.stop();
  });

  return {
    get redis() {
      return server();
    },

    site(settings = {}) {
      const key = JSON.stringify(settings);
      let site = shared.get(key);
      if (site === undefined) {
        site = start(settings);
        shared.set(key, site);
      }
      return site;
    },

    async ownSite(settings = {}) {
      const site = await start(settings);
      own.push(site);
      return site;
    },

    async backend(script, options = {}) {
      const backend = await startBackend(script, options);
      backends.push(backend);
      return backend;
    },

    async deadChannel() {
      const subscriber = new Redis({ port: server().port, protocol: 2 });
      subscribers.push(subscriber);
      const messages: string[] = [];
      subscriber.on('message', (_channel: string, message: string) => void messages.push(message));
      await subscriber.subscribe('dead');
      return {
        messages,
        many: (count) => eventually(`${count} messages on the channel dead`, () => (messages.length >= count ? messages : null)),
      };
    },

    host() {
      hosts++;
      return `site-${hosts}.example.com`;
    },
  };
}
