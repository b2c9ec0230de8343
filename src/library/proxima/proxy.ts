// One client of Proxima and its upstream: connects, passes bytes both ways as they are, and tells of what fails before an answer.
import { EventEmitter } from 'node:events';
import net from 'node:net';
import { type ConnectArgs, type EndpointLike, endpoint } from './endpoint.js';

export interface ProximaProxyEvents {
  /** The upstream is there. */
  connect: [];
  /** There is no answer, nor will there be: the client has got nothing, and is left to the listener. Without one it is closed. */
  error: [error: Error];
  /** The upstream is gone. */
  close: [];
}

/** Milliseconds; 0: no limit. */
export interface ProximaLimits {
  /** For the connection to be made. */
  readonly connectTimeout: number;
  /** For the first byte, since the last one of the client. */
  readonly responseTimeout: number;
  /** Silence after which both sides are closed. */
  readonly idleTimeout: number;
}

export const standardLimits: ProximaLimits = Object.freeze({ connectTimeout: 10_000, responseTimeout: 30_000, idleTimeout: 0 });

/** Bytes that a client may send before there is an answer and that can still be said to somebody else. */
const mostRepeated = 65_536;

export class ProximaProxy extends EventEmitter<ProximaProxyEvents> {
  /** The listening server that the client came to; null: none. */
  readonly server: net.Server | null;
  readonly client: net.Socket;
  readonly upstream: net.Socket = new net.Socket({ allowHalfOpen: true });
  /** The connection to the upstream was made. */
  connected = false;
  readonly #limits: ProximaLimits;
  #said: Buffer[] | null = [];
  #saidBytes = 0;
  #answered = false;
  #over = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(server: net.Server | null, client: net.Socket, limits: ProximaLimits = standardLimits) {
    super();
    this.server = server;
    this.client = client;
    this.#limits = limits;
    client.pause();
  }

  static create(server: net.Server | null, client: net.Socket, limits?: ProximaLimits): ProximaProxy {
    return new ProximaProxy(server, client, limits);
  }

  /** All that the client has said, as long as it has no answer; null: too much to be kept. */
  get said(): Buffer | null {
    return this.#said === null ? null : Buffer.concat(this.#said);
  }

  /**
   * Connects, says what the client said first, and passes on what follows. To be called once.
   * @throws Error in Proxima's words for what is no endpoint
   */
  connect(port: number, host: string | undefined, firstPacket: Buffer): this;
  connect(to: EndpointLike, firstPacket: Buffer): this;
  connect(to: EndpointLike, ...rest: readonly (string | undefined | Buffer)[]): this {
    const [host, last] = rest;
    const firstPacket = (host instanceof Buffer ? host : last) as Buffer;
    const place = typeof to === 'number' && typeof host === 'string' ? { port: to, host } : to;
    this.#begin(endpoint.normalize(place), firstPacket);
    return this;
  }

  /** Ends both sides. @param onClose as a listener of `close` */
  close(onClose?: () => void): this {
    if (onClose !== undefined) this.once('close', onClose);
    this.upstream.destroy();
    return this;
  }

  #begin([place, host]: ConnectArgs, firstPacket: Buffer): void {
    const { client, upstream } = this;
    const { connectTimeout, idleTimeout } = this.#limits;
    this.#keep(firstPacket);
    client.on('error', () => {});
    client.on('close', this.#left);
    upstream.on('error', (error) => this.#failed(error));
    upstream.on('end', () => this.#ended());
    upstream.on('close', () => this.#gone());
    upstream.once('connect', () => this.#established(firstPacket));
    this.#wait(connectTimeout, `no connection in ${connectTimeout} ms`);
    if (idleTimeout > 0) upstream.setTimeout(idleTimeout, () => this.close());
    upstream.setNoDelay(true);
    if (typeof place === 'string') upstream.connect({ path: place });
    else upstream.connect({ port: place, ...(host === undefined ? {} : { host }) });
  }

  #established(firstPacket: Buffer): void {
    const { client, upstream } = this;
    const { responseTimeout } = this.#limits;
    this.connected = true;
    this.#wait(responseTimeout, `no answer in ${responseTimeout} ms`);
    upstream.write(firstPacket);
    client.on('data', this.#heard);
    client.pipe(upstream);
    upstream.once('data', () => {
      this.#answered = true;
      this.#said = null;
      this.#wait(0, '');
      client.off('data', this.#heard);
    });
    // An upstream that ends without a word is for somebody else to stand in for.
    upstream.pipe(client, { end: false });
    this.emit('connect');
  }

  readonly #heard = (chunk: Buffer): void => {
    this.#keep(chunk);
    this.#timer?.refresh();
  };

  readonly #left = (): void => {
    this.upstream.destroy();
  };

  #keep(chunk: Buffer): void {
    this.#saidBytes += chunk.length;
    if (this.#saidBytes > mostRepeated) this.#said = null;
    else this.#said?.push(chunk);
  }

  #wait(milliseconds: number, why: string): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = milliseconds === 0 ? null : setTimeout(() => this.#failed(new Error(why)), milliseconds);
  }

  #ended(): void {
    if (this.#answered) this.client.end();
    else this.#failed(new Error('the upstream closed the connection without an answer'));
  }

  #failed(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    const { client, upstream } = this;
    client.unpipe(upstream);
    client.off('data', this.#heard);
    client.off('close', this.#left);
    upstream.destroy();
    if (this.#answered || this.listenerCount('error') === 0) {
      client.destroy();
      return;
    }
    client.pause();
    if (!client.destroyed) this.emit('error', error);
  }

  #gone(): void {
    this.#wait(0, '');
    if (!this.#over) {
      this.#over = true;
      // What was written still goes out.
      this.client.destroySoon();
    }
    this.emit('close');
  }
}
