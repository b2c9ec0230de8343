// Answers that the proxy makes itself: an error becomes a response if none has begun; otherwise the connection is cut.
import { STATUS_CODES } from 'node:http';
import { httpDate } from '../../base/http-date.js';
import { catalog, type ErrorCode } from '../../errors/catalog.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { headerListFromPairs } from '../../http1/header-pairs.js';
import { type HeaderList, Kind } from '../../http1/headers.js';
import type { ResponseHead } from '../../http1/message.js';
import type { DebugLines } from '../debug-lines.js';
import type { ErrorPages } from '../error-pages.js';
import { decideRepresentation } from '../representation.js';
import type { Answer } from '../stage.js';

/** Seconds after which a client that got 503 may come back. */
const retryAfter = '5';

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
 * @param pages HTML of errors
 * @param debug adds its lines to `exchange.responseLines`
 */
export function createAnswer(
  pages: ErrorPages,
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
    const { type, body } = errorBody(exchange, error, pages);
    const pairs = ['content-type', type, 'x-cjs-proxy-error', error.code, ...uncacheable];
    if (error.status === 503) pairs.push('retry-after', retryAfter);
    debug.answered(exchange, exchange.gaveUp || (hipacheWords[error.code] ?? catalog[error.code].text));
    send(exchange, error.status, headerListFromPairs(withLength(pairs, error.status, body)), body);
  }

  function answerPlainly(exchange: Exchange, { status, contentType, body: text, headers = [] }: Answer): void {
    const body = Buffer.from(text, 'utf8');
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

/** The page, or what a client that is no browser can read. Only public texts: details are for the log. */
function errorBody(exchange: Exchange, error: ProxyError, pages: ErrorPages): { type: string; body: Buffer } {
  const { text } = catalog[error.code];
  const form = decideRepresentation(exchange.head.headers.joined(Kind.accept));
  if (form === 'json') {
    const { code, status, source } = error;
    const json = JSON.stringify({ error: { code, status, source, message: text, requestId: exchange.id } });
    return { type: 'application/json', body: Buffer.from(`${json}\n`, 'utf8') };
  }
  const page = form === 'html' ? pages.page(error.status, error.code) : null;
  return page === null ? { type: 'text/plain', body: Buffer.from(`${text}\n`, 'utf8') } : { type: 'text/html', body: page };
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
  exchange.downstream.begin(head, exchange.responseLines, body, 0, length, true);
  exchange.end('answered');
}
