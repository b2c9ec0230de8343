// Translates foreign errors (sockets, DNS, TLS, HTTP parsers) into errors of the catalog, once, at the edge; the cause is kept.
import type { ErrorCode } from './catalog.js';
import { ProxyError } from './proxy-error.js';

/** Codes of connection attempts. What is missing here is `backend-unreachable`: nothing of the request was sent either way. */
const connectCodes: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'backend-refused',
  // A reset instead of an acknowledgement is a refusal too: a full backlog, or a balancer with nobody behind it.
  ECONNRESET: 'backend-refused',
  ETIMEDOUT: 'backend-connect-timeout',
  ERR_SOCKET_CONNECTION_TIMEOUT: 'backend-connect-timeout',
  // The proxy itself is out of descriptors or memory: no backend is to blame and no other one would help.
  EMFILE: 'pool-exhausted',
  ENFILE: 'pool-exhausted',
  ENOBUFS: 'pool-exhausted',
  ENOMEM: 'pool-exhausted',
};

/** What OpenSSL and Node call a certificate that does not verify, beyond the codes that begin with CERT_, ERR_SSL_ or ERR_TLS_. */
const tlsCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'EPROTO',
]);

/**
 * An error before the connection to a backend was there: nothing of the request has been sent.
 * @param error what `connect` failed with
 * @param origin whom we tried to reach, for the log
 * @param securing true when TCP stood already and the TLS handshake was under way
 */
export function classifyConnectError(error: unknown, origin = '', securing = false): ProxyError {
  if (error instanceof ProxyError) return error;
  const cause = mostTelling(error);
  const code = codeOf(cause);
  const detail = describe(cause, origin);
  if (securing || isTlsCode(code)) return new ProxyError('backend-tls-failed', detail, cause);
  return new ProxyError(connectCodes[code] ?? 'backend-unreachable', detail, cause);
}

/** How far the answer had come when a connection broke. */
export type AnswerProgress = 'none' | 'begun';

/**
 * The end of an established connection before the answer was complete.
 * @param error what the socket failed with; null: it was closed in good order
 * @param progress `begun` once any byte of an answer to this request has come
 * @param reused true when the connection had carried an exchange before: it was probably closed while it was idle
 * @param origin the backend, for the log
 */
export function classifySocketError(error: unknown, progress: AnswerProgress, reused: boolean, origin = ''): ProxyError {
  if (error instanceof ProxyError) return error;
  const cause = error ?? undefined;
  const code = codeOf(cause);
  const detail = describe(cause, origin);
  if (code.startsWith('HPE_')) return new ProxyError('backend-bad-response', detail, cause);
  if (progress === 'begun') return new ProxyError('backend-cut-body', detail, cause);
  // The kernel gave up on a peer that acknowledges nothing any more.
  if (code === 'ETIMEDOUT') return new ProxyError('backend-timeout', detail, cause);
  return new ProxyError(reused ? 'backend-stale' : 'backend-closed', detail, cause);
}

/** The system's code of an error (`ECONNREFUSED`), or an empty text. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** Where several addresses of one name were tried, the attempt that says most: a refusal tells more than an absent route. */
function mostTelling(error: unknown): unknown {
  if (!(error instanceof AggregateError) || error.errors.length === 0) return error;
  return error.errors.find((one) => connectCodes[codeOf(one)] !== undefined) ?? error.errors[0];
}

function isTlsCode(code: string): boolean {
  return tlsCodes.has(code) || code.startsWith('CERT_') || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_');
}

function describe(error: unknown, origin: string): string {
  let what = 'closed';
  if (error instanceof Error) what = error.message === '' ? codeOf(error) || error.name : error.message;
  else if (error !== undefined) what = String(error);
  return origin === '' ? what : `${origin}: ${what}`;
}
