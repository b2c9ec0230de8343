// The listener of one stream: accepts clients, refuses those it must, and gives the others to the mode that is in force.
import net from 'node:net';
import tls from 'node:tls';
import type { CoarseClock } from '../base/clock.js';
import { type AddressSet, plainAddress } from '../base/ip.js';
import { streamCertificate } from '../certs/static-certificate.js';
import type { StreamConfig, StreamModeName } from '../config/stream-config.js';
import type { BlockLists } from '../limits/block-lists.js';
import { acceptInto } from '../listener/accept.js';
import type { Connections } from '../listener/connections.js';
import { ProxyHeaderReader } from '../listener/proxy-header-reader.js';
import type { StreamPlan } from '../model/stream.js';
import type { AccessLog } from '../observe/access-log.js';
import type { Logger } from '../observe/logger.js';
import type { StreamCounters } from '../observe/stream-counters.js';
import type { StreamLineFormat } from '../observe/stream-line.js';
import type { Admission, Waiter } from '../queue/admission.js';
import type { BackendTls } from '../upstream/dial.js';
import { ClientAccounts } from './client-accounts.js';
import { openPlace } from './open-place.js';
import type { StreamMode, StreamModeTable } from './stream.js';
import { type ClientOwner, StreamClient } from './stream-client.js';
import type { StreamSocket, StreamUser } from './stream-socket.js';
import type { Targets } from './targets.js';
import { WaitingClients } from './waiting-clients.js';

export interface TcpListenerParts {
  readonly config: StreamConfig;
  readonly plan: StreamPlan;
  readonly modes: StreamModeTable;
  readonly targets: Targets;
  readonly blocked: Pick<BlockLists, 'refuses'>;
  /** Whose PROXY headers are believed. */
  readonly trusted: AddressSet;
  readonly trust: BackendTls;
  /** Where the node counts what streams may have. */
  readonly admission: Admission<Waiter>;
  readonly connections: Connections;
  readonly clock: CoarseClock;
  readonly counters: StreamCounters;
  readonly log: Logger;
  readonly accessLog: Pick<AccessLog, 'enabled' | 'line'>;
  readonly lineFormat: StreamLineFormat;
  /** Milliseconds for a TLS handshake and for a PROXY header. */
  readonly headTimeout: number;
}

export class TcpListener implements ClientOwner {
  readonly #parts: TcpListenerParts;
  readonly #server: net.Server;
  readonly #secureContext: tls.SecureContext | null;
  readonly #line: WaitingClients;
  readonly #accounts: ClientAccounts;
  #plan: StreamPlan;
  #modeName: StreamModeName;
  #mode: StreamMode;
  /** Clients that the mode has, of `maxConnections`. */
  #admitted = 0;
  #stopped = false;
  #port = 0;
  #stopAccepting: () => void = () => {};

  /** @throws StartError when key or certificate cannot be used */
  constructor(parts: TcpListenerParts) {
    this.#parts = parts;
    this.#plan = parts.plan;
    const { config, clock, counters } = parts;
    this.#accounts = new ClientAccounts({ ...parts, name: config.name });
    this.#secureContext =
      config.tls === null ? null : tls.createSecureContext(streamCertificate(config.tls, `stream ${config.name}`));
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true });
    this.#line = new WaitingClients(clock, counters);
    this.#modeName = parts.plan.mode;
    this.#mode = this.#createMode(parts.plan);
  }

  get name(): string {
    return this.#parts.config.name;
  }

  /** The address, or the path of the socket. */
  get address(): string {
    return this.#parts.config.path || this.#parts.config.address;
  }

  /** The real port once it is open, also where 0 was asked for; 0 for a unix socket. */
  get port(): number {
    return this.#port;
  }

  get secure(): boolean {
    return this.#secureContext !== null;
  }

  /** @throws StartError in one line when the place cannot be had */
  async open(): Promise<void> {
    await openPlace(this.#server, this.#parts.config);
    const bound = this.#server.address();
    if (typeof bound === 'object' && bound !== null) this.#port = bound.port;
    // Sockets that will be wrapped for TLS must be Node's own.
    if (this.#secureContext !== null) this.#server.on('connection', (socket) => this.#handshake(socket));
    else this.#stopAccepting = acceptInto(this.#server, () => this.#newClient());
  }

  /** What is in force changed. Connections that run go on. */
  update(plan: StreamPlan): void {
    this.#plan = plan;
    this.#parts.targets.update(plan);
    if (plan.mode === this.#modeName) {
      this.#mode.update(plan);
    } else {
      this.#parts.log.info(`stream ${plan.name}: the mode is ${plan.mode} now`);
      this.#mode.retire();
      this.#modeName = plan.mode;
      this.#mode = this.#createMode(plan);
    }
    this.#admitWaiting();
  }

  /** The block lists changed: cuts whom they refuse now, where that is asked for. */
  blockedChanged(): void {
    if (!this.#plan.settings.cutBlocked) return;
    for (const client of this.#accounts) {
      if (this.#parts.blocked.refuses(this.name, client.source.address)) client.finish('cut');
    }
  }

  /** Told by the clock. */
  sweep(): void {
    this.#parts.targets.sweep();
    this.#mode.probeTargets?.();
  }

  /** Stops accepting; connections go on. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopAccepting();
    this.#server.close();
    this.#line.close();
  }

  /** Ends everything at once. */
  close(): void {
    this.stop();
    this.#mode.close();
    // Those of earlier modes too, which end with their last client.
    for (const client of this.#accounts) {
      client.finish('cut');
      // Sockets close later than the access log does.
      this.clientGone(client);
    }
    this.#parts.targets.close();
  }

  clientGone(client: StreamClient): void {
    if (!this.#accounts.end(client)) return;
    this.#line.leave(client);
    if (!client.admitted) return;
    this.#admitted--;
    this.#admitWaiting();
  }

  #createMode(plan: StreamPlan): StreamMode {
    const { modes, targets, trust, admission, clock, log, counters } = this.#parts;
    const create = modes[plan.mode];
    if (create === undefined) throw new Error(`stream ${plan.name}: there is no mode ${plan.mode} here`);
    return create({ plan, targets, trust, admission, clock, log, counters });
  }

  #newClient(): PlainClient {
    return new PlainClient(this, (client, byEvents) => {
      if (!this.#begin(client)) return;
      if (byEvents) client.readByEvents();
      if (this.#parts.config.proxyProtocol) new HeaderFirst(client, this.#parts, () => this.#admit(client));
      else this.#admit(client);
    });
  }

  /** A client whose bytes have to be decrypted; its PROXY header, where there is one, comes in clear text. */
  #handshake(raw: net.Socket): void {
    const client = new StreamClient(this);
    client.attach(raw, 'handshake');
    if (!this.#begin(client)) return;
    if (!this.#parts.config.proxyProtocol) {
      this.#secure(client, raw);
      return;
    }
    client.expireAt(this.#parts.clock.now + this.#parts.headTimeout, 'bad-header');
    const reader = new ProxyHeaderReader();
    const received = (piece: Buffer): void => {
      const reading = reader.push(piece);
      if (reading === null) return;
      raw.off('data', received);
      raw.pause();
      if (reading.kind === 'fault') {
        client.finish('bad-header');
        return;
      }
      if (reading.ends !== null) ({ source: client.source, destination: client.destination } = reading.ends);
      if (reading.rest.length > 0) raw.unshift(reading.rest);
      this.#secure(client, raw);
    };
    raw.on('data', received);
  }

  #secure(client: StreamClient, raw: net.Socket): void {
    const secureContext = this.#secureContext as tls.SecureContext;
    const socket = new tls.TLSSocket(raw, { isServer: true, secureContext });
    let secured = false;
    client.expireAt(this.#parts.clock.now + this.#parts.headTimeout, 'handshake-failed');
    socket.once('error', () => {
      if (!secured) client.because('handshake-failed');
    });
    client.attach(socket, 'secure');
    socket.once('secure', () => {
      secured = true;
      client.expireAt(0, 'handshake-failed');
      client.pause();
      client.readByEvents();
      this.#admit(client);
    });
  }

  /** Takes account of a connection. @returns false: it was refused */
  #begin(client: StreamClient): boolean {
    const { config, trusted } = this.#parts;
    const socket = client.socket as net.Socket;
    this.#accounts.begin(client);
    const local = config.path !== '';
    const address = local ? 'unix' : plainAddress(socket.remoteAddress ?? '');
    client.source = { address, port: socket.remotePort ?? 0 };
    client.destination = { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
    // The peer may be gone already.
    if (address === '') client.finish('client-reset');
    else if (this.#parts.blocked.refuses(this.name, address)) client.finish('blocked');
    // Who may open a unix socket is for its folder to say.
    else if (config.proxyProtocol && !local && !trusted.has(address)) client.finish('not-trusted');
    else {
      const { keepAlive } = this.#plan.settings;
      if (!local && keepAlive > 0) socket.setKeepAlive(true, keepAlive);
      return true;
    }
    return false;
  }

  /** Lets a client in, whose address is known now. */
  #admit(client: StreamClient): void {
    if (this.#parts.config.proxyProtocol && this.#parts.blocked.refuses(this.name, client.source.address)) {
      client.finish('blocked');
      return;
    }
    const { maxConnections, overflow, waitTimeout } = this.#plan.settings;
    if (maxConnections > 0 && this.#admitted >= maxConnections) {
      if (overflow === 'drop' || this.#stopped) client.finish('too-many');
      else this.#line.join(client, waitTimeout);
      return;
    }
    this.#admitted++;
    client.admitted = true;
    this.#mode.accept(client);
  }

  #admitWaiting(): void {
    for (let client = this.#line.first(); client !== null; client = this.#line.first()) {
      const { maxConnections } = this.#plan.settings;
      if (maxConnections > 0 && this.#admitted >= maxConnections) return;
      this.#line.leave(client);
      if (client.isClosed || client.endedBy !== null) continue;
      this.#admitted++;
      client.admitted = true;
      this.#mode.accept(client);
    }
  }
}

/** A client in clear text: it reads for itself. */
class PlainClient extends StreamClient {
  readonly #begin: (client: StreamClient, byEvents: boolean) => void;

  constructor(owner: ClientOwner, begin: (client: StreamClient, byEvents: boolean) => void) {
    super(owner);
    this.#begin = begin;
  }

  accepted(socket: net.Socket, byEvents: boolean): void {
    this.attach(socket, 'plain');
    // Nothing is read before there is somebody to give it to.
    this.pause();
    this.#begin(this, byEvents);
  }
}

/** Reads the PROXY header of a client in clear text. */
class HeaderFirst implements StreamUser {
  readonly #client: StreamClient;
  readonly #parts: TcpListenerParts;
  readonly #done: () => void;
  readonly #reader = new ProxyHeaderReader();

  constructor(client: StreamClient, parts: TcpListenerParts, done: () => void) {
    this.#client = client;
    this.#parts = parts;
    this.#done = done;
    client.user = this;
    client.expireAt(parts.clock.now + parts.headTimeout, 'bad-header');
    client.resume();
  }

  received(_from: StreamSocket, bytes: Buffer): void {
    const client = this.#client;
    const reading = this.#reader.push(bytes);
    if (reading === null) return;
    client.pause();
    if (reading.kind === 'fault') {
      this.#parts.log.debug(`stream ${this.#parts.config.name}: ${client.source.address} sent ${reading.text}`);
      client.finish('bad-header');
      return;
    }
    if (reading.ends !== null) ({ source: client.source, destination: client.destination } = reading.ends);
    if (reading.rest.length > 0) client.head = reading.rest;
    client.expireAt(0, 'bad-header');
    client.user = null;
    this.#done();
  }

  ended(): void {
    this.#client.finish('bad-header');
  }

  drained(): void {}

  closed(): void {}
}
