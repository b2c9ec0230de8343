// Which answers and which errors of a backend mark it dead: the whole rule on one page.
import type { ServerConfig } from '../config/config.js';
import type { ErrorCode } from '../errors/catalog.js';
import { codeOf } from '../errors/classify.js';
import type { ProxyError } from '../errors/proxy-error.js';

/** The settings that decide. */
export type DeadRules = Pick<ServerConfig, 'deadOn500' | 'deadOn503' | 'deadOn5xx' | 'deadBackendOn500'>;

/**
 * Whether an answer marks its backend dead. By default 500 does not (applications answer it for one bad request),
 * 503 does unless it says when to come back (planned maintenance), and all other 5xx do, as in Hipache.
 * @param hasRetryAfter whether the answer carries Retry-After
 * @param hcheckerActive whether an active hchecker is there to confirm or lift the mark of a 500
 */
export function deadByStatus(status: number, hasRetryAfter: boolean, rules: DeadRules, hcheckerActive: boolean): boolean {
  if (status < 500 || status > 599) return false;
  if (status === 500) return rules.deadOn500 || (rules.deadBackendOn500 && hcheckerActive);
  if (status !== 503) return rules.deadOn5xx;
  return rules.deadOn503 === 'always' || (rules.deadOn503 === 'without-retry-after' && !hasRetryAfter);
}

/** What another request would meet as well: nobody there, no secure connection to be had, or silence. */
const deadly: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'backend-refused',
  'backend-unreachable',
  'backend-connect-timeout',
  'backend-tls-failed',
  'backend-timeout',
]);

/** Trouble on this side that looks like an unreachable backend: the resolver is away, or local ports have run out. */
const ownTrouble: ReadonlySet<string> = new Set(['EAI_AGAIN', 'EADDRNOTAVAIL']);

/**
 * Whether an error of an attempt marks its backend dead. Hipache marks ECONNREFUSED and ETIMEDOUT only; PlanB nearly
 * all. Marked here: refused, unreachable (no route, unknown name, no such socket), a failed TLS handshake, no connection
 * in time, and no answer in time. Not marked: a connection closed or reset before or within an answer, and answers that
 * are not HTTP, since one request alone may cause them; nor anything that the client or this proxy caused.
 */
export function deadByError(error: ProxyError): boolean {
  return deadly.has(error.code) && !ownTrouble.has(codeOf(error.cause));
}

/** What a breaker counts besides: the connection was lost, or what came over it was no answer. One request may cause it, five do not. */
const suspicious: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'backend-closed',
  'backend-bad-response',
  'backend-cut-body',
  'backend-try-timeout',
]);

/** Whether an error of an attempt is a failure that a breaker counts. */
export function failsBreaker(error: ProxyError): boolean {
  return suspicious.has(error.code) || deadByError(error);
}
