// One request with its response: the value that travels from the listener through the pipeline to an engine and back.
import type { ProxyError } from '../errors/proxy-error.js';
import type { RequestHead } from '../http1/message.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { BackendCounts, FrontendCounts } from '../observe/frontend-counts.js';
import type { Client } from './client.js';
import type { Downstream, Upstream } from './downstream.js';
import { OutgoingChanges } from './outgoing-changes.js';
import type { RequestBody } from './request-body.js';
import type { TimeLimits } from './time-limits.js';

/** How an exchange ended. */
export type Outcome = 'open' | 'forwarded' | 'answered' | 'cut' | 'client-gone';

/** The group that a traffic split chose for an exchange. */
export interface ChosenGroup {
  readonly name: string;
  /** The cookie that keeps the client in the group has to be set. */
  readonly tell: boolean;
}

/** Called once when an exchange ends; given by the pipeline, does the accounting. */
export type FinishExchange = (exchange: Exchange) => void;

/**
 * Which upgrade is passed on: none for a request with a body, whose end and the first bytes of the new protocol could
 * be confused, and never to HTTP/2 in clear text, which would carry requests past this proxy unseen. Ignoring an
 * upgrade is always allowed (RFC 9110 section 7.8).
 */
function forwardedUpgrade(head: RequestHead): string {
  return head.body === 0 && !/(^|[\s,])h2c?([\s,]|$)/i.test(head.upgrade) ? head.upgrade : '';
}

/** What is told of the end of an exchange where a function made for each of them would cost too much. */
export interface Ending {
  exchangeEnded(exchange: Exchange): void;
}

/** What follows an exchange for tracers, told of its turns by the pipeline. */
export interface ExchangeTrace {
  /** An attempt is about to be sent, and `exchange.traceLine` to say so. */
  attemptBegins(exchange: Exchange, backend: Backend): void;
  /** The head of the backend's answer is here. */
  answered(status: number): void;
  /** The running attempt is over without an answer that was passed on. */
  attemptFailed(error: ProxyError): void;
  /** The exchange has ended, and with it what still ran. */
  ended(exchange: Exchange): void;
}

/** All fields are set in the constructor, in this order, so that every exchange has one shape for the engine of the language. */
export class Exchange {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly client: Client;
  /** The port to the client; a stage may put one of its own before it. */
  downstream: Downstream;
  /** `performance.now()` when the head was complete. */
  readonly startedAt: number;
  /** The protocol that a backend is asked to switch to; empty for ordinary requests. */
  readonly upgrade: string;

  /** Request id; set by the stage `identify`. */
  id = '';
  /** The header lines by which the backend is told of its trace, each ended by CRLF; empty: it is told what the client told. */
  traceLine = '';
  /** What follows it for tracers; null: nobody traces. */
  trace: ExchangeTrace | null = null;
  /** Host and port that were asked for; the client's `lastAuthority` where it is the same again. Empty for a head that was refused. */
  authority = '';
  /** Address of the client as far as trusted proxies tell it. */
  clientAddress = '';
  /** What a token that was verified says of the client; null: there was none. */
  claims: Readonly<Record<string, unknown>> | null = null;
  /** `https` or `http`, as the client used it. */
  scheme: 'http' | 'https' = 'http';
  route: Route | null = null;
  /** Where it is counted; null: no frontend was found. */
  counts: FrontendCounts | null = null;
  /** The backend of the current or last attempt. */
  backend: Backend | null = null;
  /** Where the running attempt is counted; null: none runs. */
  attemptCounts: BackendCounts | null = null;
  /** The running attempt's side, while there is one. */
  upstream: Upstream | null = null;
  /** It waits until it is the turn of its client. */
  waiting = false;
  /** Attempts so far. */
  attempts = 0;
  /** The backend whose running attempt observers were told of and wait for the end of; else null. */
  observed: Backend | null = null;
  /** What its attempts are given in time; null: what the settings say. */
  limits: TimeLimits | null = null;
  /** Group of a traffic split that serves it, and whether the client is to be told; null: there is no split. */
  group: ChosenGroup | null = null;
  /** The backend that its sticky cookie names, dead or alive; null: none, or none that there is. */
  session: Backend | null = null;
  /** The backend of the next attempt, chosen before the answer of this one was dropped; else null. */
  next: Backend | null = null;
  /** Backends already tried; null until the first attempt failed. */
  tried: Backend[] | null = null;
  /** `performance.now()` when the current attempt was sent, and when its final head came; 0: not yet. */
  sentAt = 0;
  answeredAt = 0;
  /** The same for the end of the response, where an engine knows it without asking the clock again; 0: it does not. */
  completedAt = 0;
  /** Status that the client got; 0: none yet. */
  status = 0;
  /** The error that decided the answer, or the last one of an attempt. */
  error: ProxyError | null = null;
  /** Why no further backend was tried after that error, in the words of Hipache; empty: another attempt could not have helped. */
  gaveUp = '';
  outcome: Outcome = 'open';
  /** True once the exchange became a tunnel. */
  tunnel = false;
  /** The connection is to end with the answer, whatever the client wishes. */
  closing = false;
  /** Header lines to add to whatever is answered, each ended by CRLF. */
  responseLines = '';
  /** Those of them that the frontend's `responseHeaders` ask for. */
  policyLines = '';
  /** What is changed in the head for the backend; null: nothing. `changes` makes it. */
  outgoing: OutgoingChanges | null = null;

  #finish: FinishExchange | null = null;
  #releases: ((() => void) | Ending)[] | null = null;

  constructor(head: RequestHead, body: RequestBody, client: Client, downstream: Downstream, startedAt: number) {
    this.head = head;
    this.body = body;
    this.client = client;
    this.downstream = downstream;
    this.startedAt = startedAt;
    this.upgrade = head.upgrade === '' ? '' : forwardedUpgrade(head);
  }

  /** True from the moment the exchange has ended; nothing may be done for it any more. */
  get ended(): boolean {
    return this.outcome !== 'open';
  }

  /** As the client spoke it. */
  get protocol(): 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0' {
    if (this.client.http2) return 'HTTP/2.0';
    return this.head.minor === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
  }

  /** What is changed in the head for the backend, to be added to. */
  get changes(): OutgoingChanges {
    this.outgoing ??= new OutgoingChanges();
    return this.outgoing;
  }

  /** Whether it has entered the pipeline, which then accounts for it. */
  get accounted(): boolean {
    return this.#finish !== null;
  }

  /** Pipeline: who does the accounting at the end. */
  finishWith(finish: FinishExchange): void {
    this.#finish = finish;
  }

  /** The running attempt is over, as far as it is counted. */
  endAttempt(): void {
    const attempt = this.attemptCounts;
    if (attempt === null) return;
    this.attemptCounts = null;
    attempt.active--;
    attempt.attempts++;
  }

  /** Runs `release` when the exchange ends, on every path; call it beside the acquisition. */
  onFinish(release: (() => void) | Ending): void {
    if (this.ended) this.#release(release);
    else if (this.#releases === null) this.#releases = [release];
    else this.#releases.push(release);
  }

  /** Ends the exchange once: releases what was taken, accounts for it, gives the connection back to its listener. */
  end(outcome: Exclude<Outcome, 'open'>): void {
    if (this.outcome !== 'open') return;
    this.outcome = outcome;
    const releases = this.#releases;
    if (releases !== null) for (const release of releases) this.#release(release);
    this.#finish?.(this);
    this.body.release();
    this.downstream.released();
  }

  #release(release: (() => void) | Ending): void {
    if (typeof release === 'function') release();
    else release.exchangeEnded(this);
  }
}
