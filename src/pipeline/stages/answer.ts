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
/** The same where the look-up goes on: what it brings is kept for the next who asks. */
const retryAfterLate = '1';

/** What is the same in all answers of an error within a second, and what it was made for. */
interface MadeAnswer {
  readonly date: string;
  readonly type: string;
  readonly retry: string;
  /** What `x-debug-error` says, unless the attempts of an exchange say more. */
  readonly words: string;
  readonly head: ResponseHead & { readonly body: number };
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
    const retry = error.status === 503 ? retryAfterOf(exchange, error) : '';
    const { head, words } = madeFor(error, type, retry, body);
    debug.answered(exchange, exchange.gaveUp || words);
    send(exchange, head, body);
  }

  // Refusing has to be cheaper than serving: what is the same for a second is made once in it.
  const made = new Map<ErrorCode, MadeAnswer>();

  function madeFor({ code, status }: ProxyError, type: string, retry: string, body: Buffer | string): MadeAnswer {
    const last = made.get(code);
    const date = httpDate();
    if (last?.date === date && last.type === type && last.retry === retry && last.head.body === body.length) return last;
    const pairs = ['content-type', type, 'x-cjs-proxy-error', code, ...uncacheable];
    if (retry !== '') pairs.push('retry-after', retry);
    const head = headOf(status, headerListFromPairs(withLength(pairs, status, body)), body.length);
    const answer = { date, type, retry, words: hipacheWords[code] ?? catalog[code].text, head };
    made.set(code, answer);
    return answer;
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
    send(exchange, headOf(status, list, hasNoBody(status) ? 0 : body.length), body);
  }

  return (exchange, answer) => {
    if (exchange.ended) return;
    if (answer instanceof ProxyError) answerError(exchange, answer);
    else answerPlainly(exchange, answer);
  };
}

function retryAfterOf(exchange: Exchange, { code }: ProxyError): string {
  if (code === 'store-late') return retryAfterLate;
  const closed = code === 'maintenance' ? exchange.route?.policy?.maintenance : undefined;
  return closed ? String(closed.retryAfter) : retryAfter;
}

/** 204 and 304 have no body to give a length of (RFC 9110 section 8.6). */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

function withLength(pairs: readonly string[], status: number, body: Buffer | string): readonly string[] {
  const dated = [...pairs, 'date', httpDate()];
  return hasNoBody(status) ? dated : [...dated, 'content-length', String(body.length)];
}

function headOf(status: number, headers: HeaderList, body: number): ResponseHead & { readonly body: number } {
  const reason = STATUS_CODES[status] ?? '';
  return {
    status,
    line: `HTTP/1.1 ${status} ${reason}\r\n`,
    reason,
    minor: 1,
    headers,
    body,
    keepAlive: true,
    upgrade: '',
    connectionNames: null,
  };
}

function send(exchange: Exchange, head: ResponseHead & { readonly body: number }, body: Buffer | string): void {
  exchange.status = head.status;
  const policy = exchange.route?.policy ?? null;
  // HEAD is told how long the body would have been (RFC 9110 section 9.3.2).
  const sent = exchange.head.method === 'HEAD' ? { ...head, body: 0 } : head;
  const changed = policy === null ? sent : changedForClient(exchange, policy, sent);
  const { downstream, responseLines } = exchange;
  if (typeof body === 'string' && downstream.beginWithText !== undefined) {
    downstream.beginWithText(changed, responseLines, sent.body === 0 ? '' : body);
  } else {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    downstream.begin(changed, responseLines, bytes, 0, sent.body, true);
  }
  exchange.end('answered');
}
