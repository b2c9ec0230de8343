// Runs the stages over an exchange: in order, waiting only where a stage says so, and always ending in one place.
import { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from '../exchange/exchange.js';
import type { ExchangeHandler } from '../exchange/handler.js';
import type { StageOrder } from './order.js';
import type { Answer, Stage, StageResult } from './stage.js';

/** What the pipeline is made of. */
export interface PipelineParts {
  readonly order: StageOrder;
  /** Turns a decision into a response, or cuts a response that has begun; ends the exchange. */
  readonly answer: (exchange: Exchange, decision: ProxyError | Answer) => void;
  /** Counts the beginning of an exchange. */
  readonly begin: (exchange: Exchange) => void;
  /** Accounts for an exchange; called once for each, on every path. */
  readonly finish: (exchange: Exchange) => void;
}

/** Makes the way in for listeners. An exchange whose route is cached passes without a promise. */
export function createPipeline({ order, answer, begin, finish }: PipelineParts): ExchangeHandler {
  const { stages, policyBegin, policyEnd } = order;

  function runFrom(first: number, exchange: Exchange): void {
    try {
      for (let at = first; at < stages.length; at++) {
        if (at === policyBegin && exchange.route?.policy === null) at = policyEnd;
        const result = (stages[at] as Stage)(exchange);
        if (result === undefined) continue;
        if (result instanceof Promise) waitFor(result, at, exchange);
        else stop(result, exchange);
        return;
      }
      throw new Error('no stage took the exchange');
    } catch (error) {
      fail(error, exchange);
    }
  }

  function waitFor(pending: Promise<StageResult>, at: number, exchange: Exchange): void {
    pending.then(
      (result) => {
        // The client may have left meanwhile.
        if (exchange.ended) return;
        if (result === undefined) runFrom(at + 1, exchange);
        else stop(result, exchange);
      },
      (error: unknown) => fail(error, exchange),
    );
  }

  function stop(result: Exclude<StageResult, undefined>, exchange: Exchange): void {
    if (result !== 'taken') answer(exchange, result);
  }

  function fail(error: unknown, exchange: Exchange): void {
    if (exchange.ended) throw error;
    exchange.upstream?.cut();
    answer(exchange, error instanceof ProxyError ? error : new ProxyError('internal', String(error), error));
  }

  return {
    handle(exchange) {
      begin(exchange);
      exchange.finishWith(finish);
      runFrom(0, exchange);
    },
    refuse(exchange, error) {
      if (exchange.ended) return;
      if (!exchange.accounted) {
        begin(exchange);
        exchange.finishWith(finish);
      }
      exchange.upstream?.cut();
      answer(exchange, error);
    },
  };
}
