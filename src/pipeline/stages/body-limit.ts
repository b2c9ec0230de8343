// Refuses request bodies that are larger than the policy of the frontend allows, before a backend is asked where that can be.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { Answer, Stage } from '../stage.js';

/** @param answer ends an exchange whose body turned out too large while it was under way */
export function createBodyLimit(answer: (exchange: Exchange, decision: ProxyError | Answer) => void): Stage {
  return (exchange) => {
    const policy = exchange.route?.policy ?? null;
    if (policy === null || policy.maxBody === undefined || exchange.body.length === 0) return undefined;
    const { maxBody } = policy;
    const { body } = exchange;
    if (body.length > maxBody || body.received > maxBody) return tooLarge(maxBody);
    // A body in chunks tells its length only by its end.
    if (body.length < 0) {
      body.limitTo(maxBody, () => {
        exchange.upstream?.cut();
        answer(exchange, tooLarge(maxBody));
      });
    }
    return undefined;
  };
}

function tooLarge(maxBody: number): ProxyError {
  return new ProxyError('body-too-large', `more than ${maxBody} bytes`);
}
