// A connection that came to a TLS address, until it can be read in clear: its greeting is looked at, then it is given to the server
// of the name that it asks for.
import type { Socket } from 'node:net';
import type tls from 'node:tls';
import { sharedReadBuffer } from '../base/shared-read-buffer.js';
import type { ReadTarget } from '../upstream/dial.js';
import type { ProxiedEnds } from '../upstream/proxy-header.js';
import type { ReadingConnection } from './accept.js';
import { type ClientHello, ClientHelloReader } from './client-hello.js';
import type { Connections, ListedConnection } from './connections.js';
import type { Welcome } from './front-door.js';
import { ProxyHeaderReader } from './proxy-header-reader.js';

/** A server that does the handshakes of a name; it does not listen. */
interface NameServer {
  readonly server: tls.Server;
  /** Which authorities client certificates are checked against; empty: none is asked for. */
  readonly authorities: string;
}

/** Who knows the servers of the names. */
export interface TlsNames {
  /** @param host lower case; empty for a client that names none. @returns null: there is no certificate for it */
  find(host: string): NameServer | null | Promise<NameServer | null>;
  /** For a client that offers `acme-tls/1` alone: an authority that looks for the proof of a host. */
  findChallenge(host: string): NameServer | null | Promise<NameServer | null>;
}

/**
 * Takes a connection over before its handshake, with all that came of it. What it reads into first is `sharedReadBuffer`.
 * @param ends what its PROXY header says; null: there is none
 * @param byEvents its bytes do not come by `bytesRead`, and have to be asked for with 'data'
 * @returns what it reads into from then on
 */
export type TakeOver = (socket: Socket, bytes: Buffer, ends: ProxiedEnds | null, byEvents: boolean) => ReadTarget;

/** Who knows the names whose TLS is not ended here. */
export interface TlsDiversion {
  /** @param host lower case, not empty. @returns null: it is ended here */
  find(host: string): TakeOver | null | Promise<TakeOver | null>;
}

/** What a handshake needs to know. */
export interface HandshakeParts {
  readonly names: TlsNames;
  readonly diversion: TlsDiversion | null;
  /** Whether a connection may come in; one that may not has been closed, one that waits is told. */
  readonly lets: (socket: Socket) => Welcome;
  readonly connections: Connections;
  readonly clock: { readonly now: number };
  /** Milliseconds for all of it; 0: as long as it takes. */
  readonly limit: number;
  /** Called with the clear side. */
  readonly secured: (socket: tls.TLSSocket, hello: ClientHello, authorities: string, ends: ProxiedEnds | null) => void;
  /** A PROXY header comes first. */
  readonly proxied: boolean;
}

/** Node tells of a secured socket, not of the one that it came from: its field `_parent`, which it does not document, does. */
const handshakes = new WeakMap<Socket, TlsHandshake>();

/** Lets a server of a name bring its connections back to their handshakes. To be called once for each server. */
export function prepareNameServer(server: tls.Server): void {
  server.on('secureConnection', (socket) => {
    const plain = (socket as tls.TLSSocket & { readonly _parent?: Socket | null })._parent;
    const handshake = plain === undefined || plain === null ? undefined : handshakes.get(plain);
    if (handshake === undefined) socket.destroy();
    else handshake.secured(socket);
  });
  // A handshake that fails, or does not come to an end, is the client's affair.
  server.on('tlsClientError', (_error: Error, socket: tls.TLSSocket) => socket.destroy());
}

export class TlsHandshake implements ListedConnection, ReadingConnection {
  slot = -1;
  deadline = 0;

  #socket: Socket | null = null;
  readonly #parts: HandshakeParts;
  /** What came before the server took over. */
  #reader: ClientHelloReader | null = new ClientHelloReader();
  #hello: ClientHello | null = null;
  #authorities = '';
  #over = false;
  #header: ProxyHeaderReader | null = null;
  #ends: ProxiedEnds | null = null;
  #byEvents = false;
  /** Who took the connection over. */
  #taker: ReadTarget | null = null;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
  }

  accepted(socket: Socket, byEvents: boolean): void {
    this.#byEvents = byEvents;
    const reception = this.#parts.lets(socket);
    if (reception === 'in') this.#begin(socket);
    else if (reception !== 'out') {
      reception.entered = () => {
        this.#begin(socket);
        socket.resume();
      };
    }
  }

  #begin(socket: Socket): void {
    const parts = this.#parts;
    this.#socket = socket;
    if (parts.proxied) this.#header = new ProxyHeaderReader();
    if (this.#byEvents) socket.on('data', (chunk: Buffer) => this.#received(chunk));
    this.deadline = parts.limit > 0 ? parts.clock.now + parts.limit : 0;
    parts.connections.add(this);
    socket.on('error', () => {});
    socket.on('end', () => {
      if (this.#hello === null) socket.destroy();
    });
    socket.on('close', () => this.#end());
  }

  nextBuffer(): Buffer {
    // Whoever takes over begins with the same one: a read may be under way into it.
    return this.#taker === null ? sharedReadBuffer : this.#taker.nextBuffer();
  }

  bytesRead(size: number): boolean {
    if (this.#taker !== null) return this.#taker.bytesRead(size);
    this.#received(sharedReadBuffer.subarray(0, size));
    return true;
  }

  /** Takes bytes of the greeting, which are copied. Once the server has taken over, no more come this way. */
  #received(chunk: Buffer): void {
    if (this.#header === null) {
      this.#greeted(chunk);
      return;
    }
    const reading = this.#header.push(chunk);
    if (reading === null) return;
    this.#header = null;
    if (reading.kind === 'fault') {
      this.#socket?.destroy();
      return;
    }
    this.#ends = reading.ends;
    if (reading.rest.length > 0) this.#greeted(reading.rest);
  }

  #greeted(chunk: Buffer): void {
    if (this.#hello !== null) {
      this.#reader?.keep(chunk);
      return;
    }
    const reading = this.#reader?.push(chunk) ?? 'none';
    if (reading === 'more') return;
    if (reading === 'none') {
      this.#socket?.destroy();
      return;
    }
    this.#hello = reading;
    const taker = reading.serverName === '' ? null : (this.#parts.diversion?.find(reading.serverName) ?? null);
    // A challenge for a certificate too: a backend that ends TLS itself may order its own.
    if (taker === null) this.#findServer(reading);
    else if (!(taker instanceof Promise)) this.#giveTo(taker);
    else {
      taker.then(
        (later) => (later === null ? this.#findServer(reading) : this.#giveTo(later)),
        () => this.#findServer(reading),
      );
    }
  }

  #findServer(hello: ClientHello): void {
    const { names } = this.#parts;
    const found = isChallenge(hello) ? names.findChallenge(hello.serverName) : names.find(hello.serverName);
    if (!(found instanceof Promise)) this.#handOver(found);
    else {
      found.then(
        (later) => this.#handOver(later),
        () => this.#handOver(null),
      );
    }
  }

  /** The server of the name has brought the handshake to its end. */
  secured(socket: tls.TLSSocket): void {
    this.#end();
    this.#parts.secured(socket, this.#hello as ClientHello, this.#authorities, this.#ends);
  }

  expired(): void {
    this.deadline = 0;
    this.#socket?.destroy();
  }

  /** What comes out of it drains. */
  drain(): void {}

  destroy(): void {
    this.#socket?.destroy();
  }

  #giveTo(taker: TakeOver): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    const bytes = (this.#reader as ClientHelloReader).bytes;
    this.#end();
    if (this.#byEvents) socket.removeAllListeners('data');
    this.#taker = taker(socket, bytes, this.#ends, this.#byEvents);
  }

  #handOver(named: NameServer | null): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    if (named === null) {
      // RFC 6066 section 3: a fatal alert is the answer to a name that nobody here has.
      socket.end(unrecognizedName);
      socket.destroySoon();
      return;
    }
    this.#authorities = named.authorities;
    const bytes = (this.#reader as ClientHelloReader).bytes;
    this.#reader = null;
    handshakes.set(socket, this);
    // Where the bytes came by events, they must come to nobody but the server from here on.
    socket.removeAllListeners('data');
    socket.pause();
    socket.unshift(bytes);
    named.server.emit('connection', socket);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader = null;
    this.deadline = 0;
    this.#parts.connections.remove(this);
  }
}

/** RFC 8737 section 3: no other protocol may be offered with it. */
function isChallenge({ protocols }: ClientHello): boolean {
  return protocols.length === 1 && protocols[0] === 'acme-tls/1';
}

/** A record of TLS 1.2 with the alert: fatal (2), unrecognized_name (112). */
const unrecognizedName = Buffer.from([21, 3, 3, 0, 2, 2, 112]);
