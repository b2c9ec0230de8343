// The beginning of a connection whose host decides where it goes: read from a client until it has named one, however it is cut.
import type { CoarseClock } from '../../base/clock.js';
import { ClientHelloReader } from '../../listener/client-hello.js';
import type { StreamClient } from '../stream-client.js';
import type { StreamSocket, StreamUser } from '../stream-socket.js';
import { HostLineReader } from './host-line.js';

/** What a client said first. */
export interface Opened {
  /** As routes are found by it; empty: it named none. */
  readonly host: string;
  /** It speaks TLS, so that nothing can be said to it. */
  readonly secure: boolean;
  /** All that it has sent. */
  readonly bytes: Buffer;
}

export interface OpeningLimits {
  /** Milliseconds that a client may say nothing; 0: as long as it likes. */
  readonly specTimeout: number;
  /** Milliseconds for what has begun. */
  readonly headTimeout: number;
  /** A greeting of TLS is expected, and nothing else. */
  readonly secure: boolean;
}

/**
 * Reads the opening of one client, which is paused when `done` is told. Whoever says nothing, or what is no greeting of TLS where
 * one is expected, is closed without a byte.
 */
export class Opening implements StreamUser {
  readonly #client: StreamClient;
  readonly #clock: Pick<CoarseClock, 'now'>;
  readonly #limits: OpeningLimits;
  readonly #done: (opened: Opened) => void;
  readonly #hello: ClientHelloReader | null;
  readonly #lines = new HostLineReader();
  #began = 0;
  /** Its time was up once: it has until the next tick of the clock. */
  #late = false;

  constructor(client: StreamClient, clock: Pick<CoarseClock, 'now'>, limits: OpeningLimits, done: (opened: Opened) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#limits = limits;
    this.#done = done;
    this.#hello = limits.secure ? new ClientHelloReader() : null;
  }

  start(): void {
    const client = this.#client;
    const { specTimeout } = this.#limits;
    client.user = this;
    client.expireAt(specTimeout === 0 ? 0 : this.#clock.now + specTimeout, 'silent');
    const { head } = client;
    client.head = null;
    if (head !== null) this.received(client, head);
    if (client.user === this) client.resume();
  }

  received(_from: StreamSocket, bytes: Buffer): void {
    this.#late = false;
    if (this.#began === 0) this.#began = this.#clock.now;
    if (this.#hello !== null) {
      const reading = this.#hello.push(bytes);
      if (reading === 'none') this.#client.finish('no-greeting');
      else if (reading === 'more') this.#await(this.#limits.headTimeout, this.#began);
      else this.#finish(reading.serverName, this.#hello.bytes);
      return;
    }
    const host = this.#lines.push(bytes);
    if (host !== null) {
      this.#finish(host, this.#lines.bytes);
      return;
    }
    const { headTimeout, specTimeout } = this.#limits;
    // A request says where it ends; any other text may be all there is, and its client waits for an answer.
    if (this.#lines.mayBeRequest || specTimeout === 0) this.#await(headTimeout, this.#began);
    else this.#await(specTimeout, this.#clock.now);
  }

  /** Time is up: what is there decides. */
  expired(): boolean {
    if (!this.#late) {
      // On a machine that was busy the clock may come before what has long arrived.
      this.#late = true;
      this.#client.expireAt(this.#clock.now + 1, this.#began === 0 || this.#hello === null ? 'silent' : 'no-greeting');
      return true;
    }
    if (this.#began === 0 || this.#hello !== null) return false;
    this.#finish(this.#lines.settle(), this.#lines.bytes);
    return true;
  }

  ended(): void {
    if (this.#began === 0) this.#client.finish('closed');
    else if (this.#hello !== null) this.#client.finish('no-greeting');
    else this.#finish(this.#lines.settle(), this.#lines.bytes);
  }

  drained(): void {}

  closed(): void {}

  #await(patience: number, since: number): void {
    this.#client.expireAt(patience === 0 ? 0 : since + patience, this.#hello === null ? 'silent' : 'no-greeting');
  }

  #finish(host: string, bytes: Buffer): void {
    const client = this.#client;
    client.pause();
    client.expireAt(0, 'silent');
    client.user = null;
    this.#done({ host, secure: this.#hello !== null, bytes });
  }
}
