// Proxima's server as a program makes it: listeners, routes by host, handlers for what has no upstream, and events.
import { EventEmitter } from 'node:events';
import net from 'node:net';
import { parseHostPatterns } from '../../routing/host-pattern.js';
import { errorPage, errorTitle, type L4ErrorCode } from '../../stream/l4/error-page.js';
import { type ConnectArgs, type EndpointLike, endpoint } from './endpoint.js';
import { type ProximaLimits, ProximaProxy, standardLimits } from './proxy.js';
import { readHost } from './read-host.js';

/** A listening server. `secure`: its clients speak TLS, which is passed on as it is. */
export interface ProximaListener extends net.Server {
  readonly secure: boolean;
}

/** A client's socket, with the number of its connection. Emits `hostname` (the name) and `warning` (a text) besides its own events. */
export interface ProximaClient extends net.Socket {
  readonly index: number;
  readonly secure: boolean;
}

/** Serves a client itself; `firstPacket` is what it has said so far, and what follows comes as data. */
export type ProximaHandler = (server: ProximaListener, client: ProximaClient, firstPacket: Buffer) => void;

/** True: a page; false: the connection is closed; an endpoint gets the bytes as they came. */
export type ProximaAnswer = boolean | EndpointLike | ProximaHandler;

/** Milliseconds; 0: no limit. */
export interface ProximaServerOptions extends Partial<ProximaLimits> {
  /** How long a client may say nothing; absent: 1000. */
  readonly specTimeout?: number;
}

export interface ProximaServerEvents {
  listening: [server: ProximaListener];
  connection: [client: ProximaClient, server: ProximaListener];
  /** An upstream is about to be connected to. */
  proxy: [proxy: ProximaProxy, connectArgs: ConnectArgs];
  close: [server: ProximaListener];
  /** Of a listener. Where nobody listens to it, it becomes a warning of the process. */
  error: [error: Error, server: ProximaListener];
}

interface Route {
  readonly hostname: string | RegExp;
  readonly secure: boolean;
  readonly to: ConnectArgs;
  matches(host: string): boolean;
}

/** Milliseconds that a client may take to read a page, whatever it goes on sending. */
const linger = 5_000;

/**
 * @example
 * ProximaServer.create().addRoute('a.com', { port: 8081, host: '127.0.0.1' }).set504(8082).listen(8080, '127.0.0.1');
 */
export class ProximaServer extends EventEmitter<ProximaServerEvents> {
  readonly #specTimeout: number;
  readonly #limits: ProximaLimits;
  readonly #servers: ProximaListener[] = [];
  readonly #routes: Route[] = [];
  readonly #proxies = new Set<ProximaProxy>();
  readonly #answers: Record<L4ErrorCode, boolean | ConnectArgs | ProximaHandler> = { '404': true, '500': true, '504': true };
  /** Answers that a client was given: each of them once, so that nothing goes round. */
  readonly #given = new WeakMap<ProximaClient, Set<L4ErrorCode>>();
  #clients = 0;

  /** @throws Error for a time that is no whole number of milliseconds */
  constructor({ specTimeout = 1_000, ...limits }: ProximaServerOptions = {}) {
    super();
    for (const [name, value] of Object.entries({ specTimeout, ...limits }))
      if (!Number.isInteger(value) || value < 0) throw new Error(`${name} expects an integer`);
    this.#specTimeout = specTimeout;
    this.#limits = { ...standardLimits, ...limits };
  }

  static create(options?: ProximaServerOptions): ProximaServer {
    return new ProximaServer(options);
  }

  /**
   * Listens; `listening` or `error` follows. May be called again for another place.
   * @param host absent: all addresses of IPv4
   * @param secure its clients speak TLS
   */
  listen(port: number, host?: string, secure?: boolean, backlog?: number): this;
  /** @param path of a unix socket, or a socket that is open already, as `net.Server` takes it */
  listen(path: string | object, secure?: boolean): this;
  listen(place: number | string | object, ...rest: readonly (string | boolean | number | undefined)[]): this {
    const server = Object.assign(net.createServer({ allowHalfOpen: true }), { secure: rest.includes(true) });
    server.on('listening', () => this.#tell('listening', server));
    server.on('connection', (socket) => this.#accept(socket, server));
    server.on('close', () => this.#tell('close', server));
    server.on('error', (error) => this.#tell('error', error, server));
    this.#servers.push(server);
    if (typeof place === 'number') {
      const host = rest.find((one) => typeof one === 'string' && one !== '') ?? '0.0.0.0';
      const backlog = rest.find((one) => typeof one === 'number');
      server.listen({ port: place, host: String(host), ...(typeof backlog === 'number' ? { backlog } : {}) });
    } else if (typeof place === 'string') server.listen({ path: place });
    else server.listen(place);
    return this;
  }

  /**
   * Adds a route; the last one that matches wins.
   * @param hostname a name, a glob (`*`: any text, `?`: any text without dots and colons), `/an expression/`, or a RegExp; case does not matter
   * @throws Error in Proxima's words
   */
  addRoute(hostname: string | RegExp, to: EndpointLike): this;
  addRoute(hostname: string | RegExp, port: number, host?: string, secure?: boolean): this;
  addRoute(hostname: string | RegExp, path: string, secure?: boolean): this;
  addRoute(hostname: string | RegExp, to: EndpointLike, ...rest: readonly (string | boolean | undefined)[]): this {
    const host = rest.find((one) => typeof one === 'string');
    const place = typeof to === 'number' ? { port: to, host } : typeof to === 'string' ? { path: to } : to;
    const secure = typeof to === 'object' ? to.secure === true : rest.includes(true);
    const args = endpoint.normalize(place as EndpointLike);
    this.#routes.push({ hostname, secure, to: args, matches: matcherOf(hostname) });
    return this;
  }

  /** Removes the route of a name, as it was written, that was added last. Connections go on. */
  removeRoute(hostname: string | RegExp): this {
    const at = this.#routes.findLastIndex((route) => String(route.hostname) === String(hostname));
    if (at !== -1) this.#routes.splice(at, 1);
    return this;
  }

  /** For clients in clear text whose host has no route. @throws Error in Proxima's words */
  set404(answer: ProximaAnswer): this {
    return this.#set('404', answer);
  }

  /** Where the upstream cannot be connected to. */
  set500(answer: ProximaAnswer): this {
    return this.#set('500', answer);
  }

  /** Where the upstream says nothing, or leaves before its first byte. */
  set504(answer: ProximaAnswer): this {
    return this.#set('504', answer);
  }

  /** Connections that are being passed on. */
  openConnections(): number {
    return this.#proxies.size;
  }

  /** Stops listening; connections go on, and `close` follows with the last one of each listener. */
  close(): this {
    for (const server of this.#servers.splice(0)) server.close();
    return this;
  }

  #set(code: L4ErrorCode, answer: ProximaAnswer): this {
    this.#answers[code] = typeof answer === 'boolean' || typeof answer === 'function' ? answer : endpoint.normalize(answer);
    return this;
  }

  #accept(socket: net.Socket, server: ProximaListener): void {
    const { secure } = server;
    const client = Object.assign(socket, { index: ++this.#clients, secure });
    // What becomes of it shows by its end.
    client.on('error', () => {});
    readHost(client, secure, this.#specTimeout, (words) => {
      if (typeof words !== 'string') {
        this.#route(server, client, words.host, words.bytes);
        return;
      }
      tell(client, 'warning', words);
      client.destroy();
    });
    this.#tell('connection', client, server);
  }

  #route(server: ProximaListener, client: ProximaClient, host: string, bytes: Buffer): void {
    tell(client, 'hostname', host);
    const name = host.startsWith('[') ? host.slice(1, -1) : host;
    const route = this.#routes.findLast(({ secure, matches }) => secure === client.secure && matches(name));
    if (route === undefined) this.#answer('404', server, client, bytes);
    else this.#proxy(server, client, bytes, route.to);
  }

  #proxy(server: ProximaListener, client: ProximaClient, bytes: Buffer, to: ConnectArgs): void {
    const proxy = new ProximaProxy(server, client, this.#limits);
    this.#proxies.add(proxy);
    proxy.on('close', () => this.#proxies.delete(proxy));
    proxy.on('error', () => this.#answer(proxy.connected ? '504' : '500', server, client, proxy.said));
    this.#tell('proxy', proxy, [...to]);
    const [place, host] = to;
    if (typeof place === 'number') proxy.connect(place, host, bytes);
    else proxy.connect(place, bytes);
  }

  /** @param bytes all that the client has said; null: more than is kept */
  #answer(code: L4ErrorCode, server: ProximaListener, client: ProximaClient, bytes: Buffer | null): void {
    tell(client, 'warning', errorTitle(code));
    const answer = this.#answers[code];
    const given = this.#given.get(client) ?? new Set();
    this.#given.set(client, given);
    // In TLS nobody here can say anything.
    if (client.secure || answer === false || given.has(code) || (answer !== true && bytes === null)) {
      client.destroy();
      return;
    }
    given.add(code);
    if (answer === true) {
      client.end(errorPage(code));
      client.resume();
      const timer = setTimeout(() => client.destroy(), linger);
      client.once('close', () => clearTimeout(timer));
    } else if (typeof answer === 'function') {
      guarded(() => answer(server, client, bytes as Buffer));
      client.resume();
    } else this.#proxy(server, client, bytes as Buffer, answer);
  }

  #tell<Name extends keyof ProximaServerEvents>(name: Name, ...args: ProximaServerEvents[Name]): void {
    tell(this, name, ...args);
  }
}

/** Tells listeners; one that throws changes nothing. */
function tell(emitter: EventEmitter, name: string, ...args: readonly unknown[]): void {
  guarded(() => emitter.emit(name, ...args));
}

function guarded(action: () => void): void {
  try {
    action();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}

function matcherOf(hostname: string | RegExp): (host: string) => boolean {
  if (hostname instanceof RegExp) {
    const flags = [...new Set(`${hostname.flags}i`)].filter((flag) => flag !== 'g' && flag !== 'y').join('');
    const pattern = new RegExp(hostname.source, flags);
    return (host) => pattern.test(host);
  }
  const parsed = parseHostPatterns(JSON.stringify({ hostname, to: 1 }));
  const pattern = parsed.kind === 'patterns' ? parsed.patterns[0] : undefined;
  if (pattern === undefined) throw new Error(parsed.kind === 'fault' ? `the route ${parsed.text}` : 'the route has no hostname');
  return (host) => pattern.matches(host);
}
