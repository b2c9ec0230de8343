// A connection in clear text from a proxy that begins with a PROXY header: read first, then the rest is given to whoever serves it.
import type { Socket } from 'node:net';
import type { ProxiedEnds } from '../upstream/proxy-header.js';
import type { BytesReceived } from './accept.js';
import { FirstBytes, type FirstBytesParts } from './first-bytes.js';
import { ProxyHeaderReader } from './proxy-header-reader.js';

export interface ProxiedArrivalParts extends FirstBytesParts {
  /** Takes the connection; null: it was refused. @param ends null: the proxy speaks for itself */
  readonly next: (socket: Socket, ends: ProxiedEnds | null) => BytesReceived | null;
}

export class ProxiedArrival extends FirstBytes {
  readonly #next: ProxiedArrivalParts['next'];
  readonly #reader = new ProxyHeaderReader();

  constructor(socket: Socket, parts: ProxiedArrivalParts) {
    super(socket, parts);
    this.#next = parts.next;
  }

  protected look(chunk: Buffer): void {
    const reading = this.#reader.push(chunk);
    if (reading === null) return;
    this.release();
    if (reading.kind === 'fault') this.socket.destroy();
    else this.passTo(this.#next(this.socket, reading.ends), reading.rest);
  }
}
