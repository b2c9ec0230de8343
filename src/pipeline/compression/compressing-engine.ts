// An engine whose answers are compressed where the policy of the frontend asks for it. It stands before any other engine.
import type { AttemptReport, Engine } from '../../engine/engine.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { ResponseHead } from '../../http1/message.js';
import type { Backend } from '../../model/backend.js';
import type { Coding, Compression } from '../../model/policy/compression.js';
import { decideCompression } from './decide-compression.js';
import { EncodedAnswer } from './encoded-answer.js';
import { encodedHead, revalidatingHead, variedHead } from './encoded-head.js';
import { availableCodings } from './encoders.js';

/** Answers that are compressed at a time: each costs up to 1.5 MB for as long as its client reads. Those beyond are passed on. */
const mostAtATime = 256;

export class CompressingEngine implements Engine {
  readonly #engine: Engine;
  readonly #reports = new WeakMap<AttemptReport, CompressingReport>();
  readonly #most: number;

  /** @param most answers that are compressed at a time */
  constructor(engine: Engine, most = mostAtATime) {
    this.#engine = engine;
    this.#most = most;
  }

  send(exchange: Exchange, backend: Backend, fresh: boolean, report: AttemptReport): void {
    const compresses = exchange.route?.policy?.compress !== undefined;
    this.#engine.send(exchange, backend, fresh, compresses ? this.#before(report) : report);
  }

  close(): void {
    this.#engine.close();
  }

  #before(report: AttemptReport): CompressingReport {
    let own = this.#reports.get(report);
    if (own === undefined) {
      own = new CompressingReport(report, this.#most);
      this.#reports.set(report, own);
    }
    return own;
  }
}

/** Hears of attempts first. */
class CompressingReport implements AttemptReport {
  readonly #report: AttemptReport;
  readonly #most: number;
  #running = 0;

  constructor(report: AttemptReport, most: number) {
    this.#report = report;
    this.#most = most;
  }

  answered(exchange: Exchange, backend: Backend, received: ResponseHead): ResponseHead | null {
    const { downstream } = exchange;
    const head = this.#report.answered(exchange, backend, received);
    const settings = exchange.route?.policy?.compress;
    // Whoever put a port of his own there answers something else.
    if (head === null || settings === undefined || exchange.downstream !== downstream) return head;
    const offered = settings.algorithms.filter((coding) => availableCodings.includes(coding));
    const decision = decideCompression(exchange.head, head, exchange.responseLines, settings, offered);
    switch (decision) {
      case 'as it is':
        return head;
      case 'varies':
        return variedHead(head);
      case 'revalidates':
        return revalidatingHead(exchange.head, head);
      default:
        return this.#encode(exchange, backend, head, decision, settings);
    }
  }

  ended(exchange: Exchange, backend: Backend): void {
    const { downstream } = exchange;
    if (downstream instanceof EncodedAnswer) downstream.attemptEnded();
    else this.#report.ended(exchange, backend);
  }

  failed(exchange: Exchange, backend: Backend, error: ProxyError): void {
    if (exchange.downstream instanceof EncodedAnswer) exchange.downstream.leave();
    this.#report.failed(exchange, backend, error);
  }

  #encode(exchange: Exchange, backend: Backend, head: ResponseHead, coding: Coding, settings: Compression): ResponseHead {
    if (exchange.head.method === 'HEAD') return encodedHead(head, coding, 0);
    if (this.#running >= this.#most) return variedHead(head);
    this.#running++;
    exchange.onFinish(() => {
      this.#running--;
    });
    new EncodedAnswer(exchange, head, coding, settings, {
      encoded: () => this.#report.ended(exchange, backend),
      encoderFailed: (error) => this.#report.failed(exchange, backend, new ProxyError('internal', `${coding} failed`, error)),
    });
    return head;
  }
}
