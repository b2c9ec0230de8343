// One client whose host decides where it goes: from what it said first to a target, or to what stands in where there is none.
import type { StreamSettings } from '../../config/stream-config.js';
import type { Route } from '../../model/frontend.js';
import type { StreamEnd } from '../../observe/stream-counters.js';
import { Relay, type RelayOwner, type Unserved } from '../relay.js';
import type { StreamModeParts } from '../stream.js';
import type { StreamClient } from '../stream-client.js';
import type { Targets } from '../targets.js';
import type { Destinations } from './destinations.js';
import { errorPage, type L4ErrorCode } from './error-page.js';
import { refusalOf } from './l4-refusal.js';
import type { FindL4Route } from './l4-routes.js';
import type { Opened } from './opening.js';

/** What the clients of a listener share. */
export interface L4Parts extends Pick<StreamModeParts, 'trust' | 'clock' | 'counters'> {
  readonly destinations: Destinations;
  readonly find: FindL4Route;
  /** Tells a person once of what is wrong with a frontend. */
  readonly note: (text: string) => void;
}

/** Bytes that a client may send before there is an answer and that an endpoint for 504 is still told in full. */
const mostRepeated = 65_536;
/** Milliseconds that a client may take to read a page, whatever it goes on sending. */
const linger = 5_000;

const ends: Readonly<Record<L4ErrorCode, StreamEnd>> = { '404': 'no-route', '500': 'no-target', '504': 'no-answer' };

export class L4Client implements RelayOwner {
  readonly parts: L4Parts;
  readonly plan: { readonly settings: StreamSettings };
  readonly #client: StreamClient;
  readonly #opened: Opened;
  /** All that the client has sent, as long as it may have to be said again; null: no more. */
  #said: Buffer[] | null;
  #saidBytes: number;
  readonly #used = new Set<L4ErrorCode>();

  /** @param client is paused */
  constructor(client: StreamClient, opened: Opened, settings: StreamSettings, parts: L4Parts) {
    this.parts = parts;
    this.plan = { settings };
    this.#client = client;
    this.#opened = opened;
    this.#said = [opened.bytes];
    this.#saidBytes = opened.bytes.length;
    client.host = opened.host;
  }

  get responseTimeout(): number {
    return this.plan.settings.responseTimeout;
  }

  /** Looks for a route, and goes on. */
  start(): void {
    const found = this.parts.find(this.#opened.host, this.#opened.secure);
    if (!(found instanceof Promise)) this.#decide(found);
    else
      found.then(
        (later) => this.#decide(later),
        () => this.#decide('away'),
      );
  }

  /** Serves by a route that was found before. */
  serve(route: Route): void {
    const refusal = refusalOf(route, this.#client.source.address, this.#opened.secure);
    if (refusal === 'denied') {
      this.#client.finish('denied');
      return;
    }
    if (refusal !== null) {
      this.parts.note(refusal);
      this.#fail('500');
      return;
    }
    this.#relay(this.parts.destinations.ofRoute(route, this.#opened.secure));
  }

  #decide(found: Route | 'away' | null): void {
    if (this.#client.isClosed) return;
    if (found === null) this.#fail('404');
    else if (found === 'away') this.#fail('500');
    else this.serve(found);
  }

  /** Who finds all targets full is told as where there are none. */
  await(): boolean {
    return false;
  }

  over(): void {}

  asked(bytes: Buffer): void {
    if (this.#said === null || typeof this.plan.settings['504'] !== 'string') return;
    this.#saidBytes += bytes.length;
    if (this.#saidBytes > mostRepeated) this.#said = null;
    else this.#said.push(Buffer.from(bytes));
  }

  answered(): void {
    this.#said = null;
  }

  unserved(why: Unserved): boolean {
    return this.#handle(why === 'unreachable' ? '500' : '504');
  }

  #relay(targets: Targets): void {
    this.#client.head = this.#said === null ? null : Buffer.concat(this.#said);
    new Relay(this.#client, this, targets).go();
  }

  #fail(code: L4ErrorCode): void {
    if (!this.#handle(code)) this.#client.finish(ends[code]);
  }

  /** Goes on as the settings say for an error; each of them is used once, so that nothing goes round. @returns false: to be closed */
  #handle(code: L4ErrorCode): boolean {
    const handler = this.plan.settings[code];
    // In TLS nobody here can say anything.
    if (this.#opened.secure || handler === false || this.#used.has(code)) return false;
    this.#used.add(code);
    if (handler !== true) {
      if (this.#said === null) return false;
      this.#relay(this.parts.destinations.ofEndpoint(handler));
      return true;
    }
    const client = this.#client;
    client.because(ends[code]);
    client.user = null;
    client.write(errorPage(code));
    client.end();
    client.expireAt(this.parts.clock.now + linger, ends[code]);
    client.resume();
    return true;
  }
}
