// What the policy of a frontend does to the answer of a backend before any of it is relayed.
import type { Exchange } from '../exchange/exchange.js';
import type { ResponseHead } from '../http1/message.js';
import { isReplaced } from '../model/policy/pages.js';
import type { RoutePolicy } from '../model/policy/policy.js';
import type { ErrorBodies } from './error-body.js';
import { changedForClient } from './header-rules.js';
import { PageInstead } from './page-instead.js';

/** Changes to answers of backends. */
export interface AnswerChanges {
  /** Whether the client gets a page in place of the body; `exchange.downstream` then sends it. */
  replacesBody(exchange: Exchange, policy: RoutePolicy, head: ResponseHead): boolean;
  /** The answer whose body was to be replaced could not be relayed. */
  undo(exchange: Exchange): void;
  /** The head to relay. */
  changeHead(exchange: Exchange, policy: RoutePolicy, head: ResponseHead): ResponseHead;
}

export function createAnswerChanges(bodies: ErrorBodies): AnswerChanges {
  return {
    replacesBody(exchange, { replaceBackendErrors }, { status }) {
      if (replaceBackendErrors === undefined || !isReplaced(replaceBackendErrors, status)) return false;
      exchange.downstream = new PageInstead(exchange, bodies.ofBackend(exchange, status));
      return true;
    },
    undo(exchange) {
      if (exchange.downstream instanceof PageInstead) exchange.downstream = exchange.downstream.client;
    },
    changeHead: changedForClient,
  };
}
