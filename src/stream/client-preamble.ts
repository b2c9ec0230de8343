// What comes before the bytes of a stream's client: its PROXY header and its handshake, where the listener asks for them.
import type net from 'node:net';
import tls from 'node:tls';
import type { StreamConfig } from '../config/stream-config.js';
import { ProxyHeaderReader } from '../listener/proxy-header-reader.js';
import type { Logger } from '../observe/logger.js';
import type { StreamClient } from './stream-client.js';
import type { StreamSocket, StreamUser } from './stream-socket.js';

export interface PreambleParts {
  readonly config: Pick<StreamConfig, 'name' | 'proxyProtocol'>;
  readonly clock: { readonly now: number };
  readonly log: Logger;
  /** Milliseconds for a TLS handshake and for a PROXY header. */
  readonly headTimeout: number;
}

/** Reads what comes first from a client in clear text, which is paused before and after. @param done called when all is well */
export function readPreamble(client: StreamClient, parts: PreambleParts, done: () => void): void {
  if (parts.config.proxyProtocol) new HeaderFirst(client, parts, done);
  else done();
}

/** As `readPreamble`, for a client whose bytes have to be decrypted; its PROXY header comes in clear text. */
export function readSecurePreamble(
  client: StreamClient,
  raw: net.Socket,
  secureContext: tls.SecureContext,
  parts: PreambleParts,
  done: () => void,
): void {
  if (!parts.config.proxyProtocol) {
    shakeHands(client, raw, secureContext, parts, done);
    return;
  }
  client.expireAt(parts.clock.now + parts.headTimeout, 'bad-header');
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
    shakeHands(client, raw, secureContext, parts, done);
  };
  raw.on('data', received);
  // It may have been paused while it waited.
  raw.resume();
}

function shakeHands(
  client: StreamClient,
  raw: net.Socket,
  secureContext: tls.SecureContext,
  { clock, headTimeout }: PreambleParts,
  done: () => void,
): void {
  const socket = new tls.TLSSocket(raw, { isServer: true, secureContext });
  let secured = false;
  client.expireAt(clock.now + headTimeout, 'handshake-failed');
  socket.once('error', () => {
    if (!secured) client.because('handshake-failed');
  });
  client.attach(socket, 'secure');
  socket.once('secure', () => {
    secured = true;
    client.expireAt(0, 'handshake-failed');
    client.pause();
    client.readByEvents();
    done();
  });
}

/** Reads the PROXY header of a client in clear text. */
class HeaderFirst implements StreamUser {
  readonly #client: StreamClient;
  readonly #parts: PreambleParts;
  readonly #done: () => void;
  readonly #reader = new ProxyHeaderReader();

  constructor(client: StreamClient, parts: PreambleParts, done: () => void) {
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
