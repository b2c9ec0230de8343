// What a case of the engine contract works with: proxies by their settings, backends, clients, and their end.
import type { EngineName } from '../../../src/config/config.js';
import { answering, type BackendOptions, type RawBackend, type Script, startBackend } from '../../helpers/backend.js';
import { startHttp2Backend } from '../../helpers/h2-backend.js';
import { type ClientBridge, startClientBridge } from '../../helpers/h2-client-bridge.js';
import { connectClient, type RawClient, type RawResponse } from '../../helpers/raw-client.js';
import { type ProxyOverrides, type StartedProxy, startProxy } from '../../helpers/start-proxy.js';

/** One expectation, stated by behaviour: it must hold whichever engine is at work. */
export interface Case {
  /** A sentence. */
  readonly title: string;
  /** Settings that the case needs; cases with equal settings share a proxy. */
  readonly settings?: ProxyOverrides;
  run(world: World): Promise<void>;
}

/** Cases about one matter. */
export interface CaseGroup {
  readonly title: string;
  readonly cases: readonly Case[];
}

/** Addresses where nothing listens: privileged ports without a service. */
const refusing = [1, 2, 3] as const;

/** What is spoken on each side of a proxy. */
export interface Sides {
  readonly clients: 'http1' | 'http2';
  readonly backends: 'http1' | 'http2';
}

const http1OnBoth: Sides = { clients: 'http1', backends: 'http1' };

/** A proxy, and where clients of a case connect to: itself, or what makes clients of HTTP/2 of them. */
interface Front {
  readonly proxy: StartedProxy;
  readonly bridge: ClientBridge | null;
}

/** Keeps the proxies of one run of the contract. */
export class Proxies {
  readonly #engine: EngineName;
  readonly #sides: Sides;
  readonly #started = new Map<string, Promise<Front>>();

  constructor(engine: EngineName, sides: Sides) {
    this.#engine = engine;
    this.#sides = sides;
  }

  /** What a case works with, in front of a proxy with these settings. */
  async world(settings: ProxyOverrides = {}): Promise<World> {
    const key = JSON.stringify(settings);
    let started = this.#started.get(key);
    if (started === undefined) {
      started = this.#start(settings);
      this.#started.set(key, started);
    }
    const { proxy, bridge } = await started;
    return new World(proxy, this.#engine, this.#sides, bridge?.port);
  }

  async close(): Promise<void> {
    for (const started of this.#started.values()) {
      const { proxy, bridge } = await started;
      await bridge?.close();
      await proxy.close();
    }
  }

  async #start(settings: ProxyOverrides): Promise<Front> {
    const bridged = this.#sides.clients === 'http2';
    const server = { ...settings.server, engine: this.#engine };
    const proxy = await startProxy({ ...settings, server, clearHttp2: bridged });
    return { proxy, bridge: bridged ? await startClientBridge(proxy.port) : null };
  }
}

let hosts = 0;

/** One case's own backends and clients, in front of and behind a proxy. */
export class World {
  readonly proxy: StartedProxy;
  readonly engine: EngineName;
  readonly refusing: readonly [string, string, string];
  readonly #sides: Sides;
  readonly #clientPort: number;
  readonly #backends: RawBackend[] = [];
  readonly #clients: RawClient[] = [];

  /** @param clientPort where clients connect to */
  constructor(proxy: StartedProxy, engine: EngineName, sides = http1OnBoth, clientPort = proxy.port) {
    this.proxy = proxy;
    this.engine = engine;
    this.#sides = sides;
    this.#clientPort = clientPort;
    const scheme = sides.backends === 'http2' ? 'h2c' : 'http';
    this.refusing = refusing.map((port) => `${scheme}://127.0.0.1:${port}`) as [string, string, string];
  }

  /** A backend that speaks what backends speak in this run. */
  async backend(script: Script | string, options: BackendOptions = {}): Promise<RawBackend> {
    const follow = typeof script === 'string' ? answering(script) : script;
    // One that has a way of its own with connections, or a path, is no server of HTTP/2.
    const speaksHttp2 = this.#sides.backends === 'http2' && options.accept === undefined && options.path === undefined;
    const backend = await (speaksHttp2 ? startHttp2Backend(follow, options) : startBackend(follow, options));
    this.#backends.push(backend);
    return backend;
  }

  /** The entry that names a backend as one that speaks TLS, which it does not. */
  inTls(backend: RawBackend): string {
    return `${this.#sides.backends === 'http2' ? 'h2' : 'https'}://127.0.0.1:${backend.port}`;
  }

  /** Writes a frontend for backends (or list entries) and gives its host, which no other case has. */
  async frontend(...backends: readonly (RawBackend | string)[]): Promise<string> {
    hosts++;
    const host = `case${hosts}.example.com`;
    const entries = backends.map((backend) => (typeof backend === 'string' ? backend : backend.url));
    await this.proxy.proxy.store.writeFrontend(host, `id-${hosts}`, entries);
    return host;
  }

  /** Writes the policy of a frontend; values that are no text are written as JSON. */
  async policy(host: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const values = Object.entries(fields).flatMap(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    await this.proxy.proxy.store.writeRecord('route', host, values);
  }

  async client(): Promise<RawClient> {
    const client = await connectClient(this.#clientPort);
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

  /** Entries of a frontend that are marked dead in the store. */
  async dead(host: string): Promise<string[]> {
    const [record] = await this.proxy.proxy.store.readFrontends([host]);
    return record === undefined ? [] : record.marks.map((mark) => mark.entry);
  }

  /** Ends everything; a script that failed fails the case. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const backend of this.#backends) await backend.close();
    const [error] = this.#backends.flatMap((backend) => backend.errors);
    if (error !== undefined) throw error;
  }
}

/** A request head. */
export function head(method: string, target: string, host: string, ...lines: readonly string[]): string {
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A request with Content-Length. */
export function withBody(method: string, target: string, host: string, body: string, ...lines: readonly string[]): string {
  return `${head(method, target, host, `Content-Length: ${body.length}`, ...lines)}${body}`;
}

/** Bytes that differ from place to place, so that a loss, a repetition or a swap shows. */
export function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
  for (let at = size - (size % 4); at < size; at++) bytes[at] = at & 0xff;
  return bytes;
}
