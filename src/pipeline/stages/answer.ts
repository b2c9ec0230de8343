// Answers that the proxy makes itself: an error becomes a response if none has begun; otherwise the connection is cut.
import { STATUS_CODES } from 'node:http';
import { httpDate } from '../../base/http-date.js';
import { catalog, type ErrorCode } from '../../errors/catalog.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { headerListFromPairs } from '../../http1/header-pairs.js';
import type { HeaderList } from '../../http1/headers.js';
import type { ResponseHead } from '../../http1/message.js';
import type { DebugLines } from '../debug-lines.js';
import type { ErrorBodies } from '../error-body.js';
import { changedForClient } from '../header-rules.js';
import type { Answer } from '../stage.js';

/** Seconds after which a client that got 503 may come back. */
const retryAfter = '5';

/** Headers of an error, and what they were made for. */
interface MadeHeaders {
  readonly date: string;
  readonly type: string;
  readonly retry: string;
  /** Of the body. */
  readonly length: number;
  readonly list: HeaderList;
}

/** What is true of a moment must not be kept by caches (Hipache's three fields). */
const uncacheable = ['cache-control', 'no-cache', 'pragma', 'no-cache', 'expires', '-1'] as const;

/** What `x-debug-error` says in the words of Hipache, where it has words for it. */
const hipacheWords: Partial<Record<ErrorCode, string>> = {
  'no-host': 'no host header',
  'unknown-frontend': 'frontend not found',
  'no-backend': 'Cannot find a valid backend',
  'bad-frontend-record': 'backend is invalid',
};

/**
 * Makes what ends an exchange with an answer of the proxy, or by cutting it. An exchange that has ended is left alone.
 * @param bodies what clients are shown of errors
 * @param debug adds its lines to `exchange.responseLines`
 */
export function createAnswer(
  bodies: ErrorBodies,
  debug: Pick<DebugLines, 'answered'>,
): (exchange: Exchange, answer: ProxyError | Answer) => void {
  function answerError(exchange: Exchange, error: ProxyError): void {
    exchange.error = error;
    const { begun } = exchange.downstream;
    if (begun || error.code === 'client-gone') {
      // Half a response cannot become another one: the client must see that it is incomplete.
      if (!begun) exchange.status = error.status;
      exchange.downstream.cut();
      exchange.end(error.code === 'client-gone' ? 'client-gone' : 'cut');
      return;
    }
    const { type, body } = bodies.ofError(exchange, error);
    debug.answered(exchange, exchange.gaveUp || (hipacheWords[error.code] ?? catalog[error.code].text));
    const retry = error.status === 503 ? retryAfterOf(exchange, error) : '';
    send(exchange, error.status, errorHeaders(error, type, retry, body), body);
  }

  // Refusing has to be cheaper than serving: what is the same for a second is made once in it.
  const made = new Map<ErrorCode, MadeHeaders>();

  function errorHeaders(error: ProxyError, type: string, retry: string, body: Buffer): HeaderList {
    const last = made.get(error.code);
    const date = httpDate();
    if (last?.date === date && last.type === type && last.retry === retry && last.length === body.length) return last.list;
    const pairs = ['content-type', type, 'x-cjs-proxy-error', error.code, ...uncacheable];
    if (retry !== '') pairs.push('retry-after', retry);
    const list = headerListFromPairs(withLength(pairs, error.status, body));
    made.set(error.code, { date, type, retry, length: body.length, list });
    return list;
  }

  function answerPlainly(exchange: Exchange, { status, contentType, body: text, headers = [] }: Answer): void {
    const body = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    const pairs = ['content-type', contentType, ...headers];
    const saysHowToCache = headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'cache-control');
    if (!saysHowToCache) pairs.push(...uncacheable);
    let list: HeaderList;
    try {
      list = headerListFromPairs(withLength(pairs, status, body));
    } catch (error) {
      answerError(exchange, new ProxyError('internal', 'an answer has a header that cannot be sent', error));
      return;
    }
    debug.answered(exchange, 'ok');
    send(exchange, status, list, body);
  }

  return (exchange, answer) => {
    if (exchange.ended) return;
    if (answer instanceof ProxyError) answerError(exchange, answer);
    else answerPlainly(exchange, answer);
  };
}

function retryAfterOf(exchange: Exchange, { code }: ProxyError): string {
  const closed = code === 'maintenance' ? exchange.route?.policy?.maintenance : undefined;
  return closed ? String(closed.retryAfter) : retryAfter;
}

/** 204 and 304 have no body to give a length of (RFC 9110 section 8.6). */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

function withLength(pairs: readonly string[], status: number, body: Buffer): readonly string[] {
  const dated = [...pairs, 'date', httpDate()];
  return hasNoBody(status) ? dated : [...dated, 'content-length', String(body.length)];
}

function send(exchange: Exchange, status: number, headers: HeaderList, body: Buffer): void {
  const length = hasNoBody(status) || exchange.head.method === 'HEAD' ? 0 : body.length;
  const reason = STATUS_CODES[status] ?? '';
  const head: ResponseHead = {
    status,
    line: `HTTP/1.1 ${status} ${reason}\r\n`,
    reason,
    minor: 1,
    headers,
    body: length,
    keepAlive: true,
    upgrade: '',
    connectionNames: null,
  };
  exchange.status = status;
  const policy = exchange.route?.policy ?? null;
  const changed = policy === null ? head : changedForClient(exchange, policy, head);
  exchange.downstream.begin(changed, exchange.responseLines, body, 0, length, true);
  exchange.end('answered');
}
