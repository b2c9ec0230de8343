// The listener of one stream: accepts clients, refuses those it must, and gives the others to the mode that is in force.
import net from 'node:net';
import tls from 'node:tls';
import type { CoarseClock } from '../base/clock.js';
import { type AddressSet, plainAddress } from '../base/ip.js';
import { streamCertificate } from '../certs/static-certificate.js';
import type { StreamConfig, StreamModeName } from '../config/stream-config.js';
import type { BlockLists } from '../limits/block-lists.js';
import { acceptInto } from '../listener/accept.js';
import { Arrival, type Claim } from '../listener/arrival.js';
import type { Connections } from '../listener/connections.js';
import type { StreamPlan } from '../model/stream.js';
import type { AccessLog } from '../observe/access-log.js';
import type { Logger } from '../observe/logger.js';
import type { StreamCounters, StreamEnd } from '../observe/stream-counters.js';
import type { StreamLineFormat } from '../observe/stream-line.js';
import type { Admission, Waiter } from '../queue/admission.js';
import type { NodeCap } from '../queue/node-cap.js';
import type { BackendTls } from '../upstream/dial.js';
import { ClientAccounts } from './client-accounts.js';
import { ClientPlaces } from './client-places.js';
import { readPreamble, readSecurePreamble } from './client-preamble.js';
import { openPlace } from './open-place.js';
import type { StreamMode, StreamModeTable } from './stream.js';
import { type ClientOwner, StreamClient } from './stream-client.js';
import type { Targets } from './targets.js';

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
  /** The cap on all connections of clients to the node; null: there is none. */
  readonly all: NodeCap | null;
  /** Workers of the node. */
  readonly workers: number;
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
  readonly #places: ClientPlaces;
  readonly #accounts: ClientAccounts;
  #plan: StreamPlan;
  #modeName: StreamModeName;
  #mode: StreamMode;
  #stopped = false;
  #port = 0;
  #stopAccepting: () => void = () => {};

  /** @throws StartError when key or certificate cannot be used */
  constructor(parts: TcpListenerParts) {
    this.#parts = parts;
    this.#plan = parts.plan;
    const { config } = parts;
    this.#accounts = new ClientAccounts({ ...parts, name: config.name });
    this.#secureContext =
      config.tls === null ? null : tls.createSecureContext(streamCertificate(config.tls, `stream ${config.name}`));
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true });
    this.#modeName = parts.plan.mode;
    this.#mode = this.#createMode(parts.plan);
    this.#places = new ClientPlaces({
      ...parts,
      name: config.name,
      settings: parts.plan.settings,
      admit: (client) => this.#mode.accept(client),
    });
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
    const secureContext = this.#secureContext;
    if (secureContext !== null) this.#server.on('connection', (socket) => this.#handshake(socket, secureContext));
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
    this.#places.update(plan.settings);
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
    this.#places.close();
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
    if (this.#accounts.end(client)) this.#places.leave(client);
  }

  #createMode(plan: StreamPlan): StreamMode {
    const { modes, targets, trust, admission, clock, log, counters } = this.#parts;
    const create = modes[plan.mode];
    if (create === undefined) throw new Error(`stream ${plan.name}: there is no mode ${plan.mode} here`);
    return create({ plan, targets, trust, admission, clock, log, counters });
  }

  #newClient(): PlainClient {
    return new PlainClient(this, (client, byEvents) =>
      this.#begin(client, () => {
        if (byEvents) client.readByEvents();
        readPreamble(client, this.#parts, () => this.#arrived(client));
      }),
    );
  }

  /** A client whose bytes have to be decrypted. */
  #handshake(raw: net.Socket, secureContext: tls.SecureContext): void {
    const client = new StreamClient(this);
    client.attach(raw, 'handshake');
    this.#begin(client, () => readSecurePreamble(client, raw, secureContext, this.#parts, () => this.#arrived(client)));
  }

  /** Takes account of a connection. @param go called when it may go on, which may be later; otherwise it is ended */
  #begin(client: StreamClient, go: () => void): void {
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
      this.#count(client, socket, go);
    }
  }

  /** Among all connections of clients to the node, where there may be only so many. */
  #count(client: StreamClient, socket: net.Socket, go: () => void): void {
    const { all } = this.#parts;
    if (all === null) {
      go();
      return;
    }
    const claims: Claim<StreamEnd>[] = [{ cap: all, key: '', why: 'too-many' }];
    const turnAway = (why: StreamEnd): void => client.finish(why);
    const arrival = new Arrival<StreamEnd>(socket, { peer: client.source.address, claims, connections: null, turnAway });
    const reception = arrival.begin();
    if (reception === 'in') go();
    else if (reception === 'waits') arrival.entered = go;
  }

  /** A client whose address is known now and whose bytes can be read. */
  #arrived(client: StreamClient): void {
    if (this.#parts.config.proxyProtocol && this.#parts.blocked.refuses(this.name, client.source.address)) {
      client.finish('blocked');
      return;
    }
    this.#places.come(client);
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
