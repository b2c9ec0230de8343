// A connection that was switched to another protocol: bytes both ways, each direction ending by itself.
import type { Socket } from 'node:net';
import type { Upstream } from '../../exchange/downstream.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { BodySink } from '../../exchange/request-body.js';

/** Told once how a tunnel ended. */
export interface TunnelOwner {
  /** Both directions have ended and everything was handed over. */
  tunnelEnded(): void;
  /** The backend's connection broke; null: it was closed before both directions had ended. */
  tunnelBroken(error: Error | null): void;
}

/** The backend's side of a tunnel. Made before the client is told of the switch, so that it is there for its first bytes. */
export class Tunnel implements BodySink, Upstream {
  readonly #exchange: Exchange;
  readonly #socket: Socket;
  readonly #owner: TunnelOwner;
  #backendEnded = false;
  #over = false;
  #error: Error | null = null;

  constructor(exchange: Exchange, socket: Socket, owner: TunnelOwner) {
    this.#exchange = exchange;
    this.#socket = socket;
    this.#owner = owner;
    // Silence is timed by the listener, for both directions at once.
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#closed());
    socket.on('drain', () => this.#exchange.body.resume());
  }

  /** Begins to relay; `early` came behind the backend's head. */
  open(early: Buffer): void {
    if (this.#over) return;
    if (early.length > 0) this.#socket.unshift(early);
    this.#socket.on('data', (chunk: Buffer) => {
      if (!this.#exchange.downstream.write(chunk, 0, chunk.length, false)) this.#socket.pause();
    });
    this.#socket.on('end', () => {
      this.#backendEnded = true;
      if (!this.#over) this.#exchange.downstream.end('');
    });
    this.#socket.resume();
  }

  bodyData(chunk: Buffer): boolean {
    return this.#socket.write(chunk);
  }

  bodyEnd(): void {
    this.#socket.end();
  }

  resume(): void {
    this.#socket.resume();
  }

  cut(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  /** A socket that ended in both directions closes by itself, after its last byte has left. */
  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#error === null && this.#backendEnded && this.#exchange.body.complete) this.#owner.tunnelEnded();
    else this.#owner.tunnelBroken(this.#error);
  }
}
