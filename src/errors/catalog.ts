// Every error that a client can be answered with, on one page: code, status, source, retry advice, public text.

/** Who caused an error: the client, the backend, or the proxy itself (its configuration, its store, its limits). */
export type ErrorSource = 'client' | 'backend' | 'proxy';

/**
 * Whether the request may be tried again on another backend:
 * `yes` nothing of it has reached a backend; `if-idempotent` a backend may have seen it but nothing was answered
 * (RFC 9110 section 9.2.2); `no` an answer has begun or trying again cannot help.
 */
export type RetryAdvice = 'no' | 'if-idempotent' | 'yes';

/** One row of the catalog. `text` is public: it says what happened without naming addresses or secrets. */
export interface CatalogEntry {
  readonly status: number;
  readonly source: ErrorSource;
  readonly retry: RetryAdvice;
  readonly text: string;
}

const rows = {
  // What the client sent cannot be served (RFC 9112 unless noted).
  'bad-request-line': [400, 'client', 'no', 'The request line is malformed.'],
  'bad-header': [400, 'client', 'no', 'A header field is malformed.'],
  'bad-host': [400, 'client', 'no', 'The Host header is invalid.'],
  'bad-target': [400, 'client', 'no', 'The path of this request is not allowed here.'],
  'no-host': [400, 'client', 'no', 'The request has no Host header.'],
  'ambiguous-length': [400, 'client', 'no', 'The length of the request body can be read in two ways.'],
  'bad-chunk': [400, 'client', 'no', 'The chunked request body is malformed.'],
  'body-cut-short': [400, 'client', 'no', 'The request body ended early.'],
  'unknown-frontend': [400, 'client', 'no', 'This domain is not associated with an application.'],
  'auth-required': [401, 'client', 'no', 'Valid credentials are needed to see this site.'],
  'access-denied': [403, 'client', 'no', 'The credentials do not allow this request.'],
  'https-required': [403, 'client', 'no', 'This site must be visited over HTTPS.'],
  'address-denied': [403, 'client', 'no', 'Requests from this address are not allowed.'],
  'client-certificate-required': [403, 'client', 'no', 'This site asks for a client certificate.'],
  'client-certificate-refused': [403, 'client', 'no', 'The client certificate is not accepted by this site.'],
  'head-timeout': [408, 'client', 'no', 'The request head took too long to arrive.'],
  'body-timeout': [408, 'client', 'no', 'The request body took too long to arrive.'],
  'body-too-large': [413, 'client', 'no', 'The request body is larger than this proxy allows.'],
  'target-too-long': [414, 'client', 'no', 'The request target is longer than this proxy allows.'],
  'bad-expectation': [417, 'client', 'no', 'The expectation is not supported.'],
  'rate-limited': [429, 'client', 'no', 'Too many requests. Please slow down and try again later.'],
  'misdirected-request': [421, 'client', 'no', 'This site must be asked for on a connection of its own.'],
  'head-too-large': [431, 'client', 'no', 'The request head is larger than this proxy allows.'],
  'unknown-transfer-coding': [501, 'client', 'no', 'The transfer coding is not supported.'],
  'method-not-supported': [501, 'client', 'no', 'The method is not supported by this proxy.'],
  'bad-version': [505, 'client', 'no', 'The HTTP version is not supported.'],
  'client-gone': [499, 'client', 'no', 'The client left before the answer was complete.'],

  // The backend could not be reached, or did not answer as HTTP asks.
  'backend-refused': [502, 'backend', 'yes', 'The application refused the connection.'],
  'backend-unreachable': [502, 'backend', 'yes', 'The application cannot be reached.'],
  'backend-connect-timeout': [504, 'backend', 'yes', 'The application did not accept the connection in time.'],
  'backend-tls-failed': [502, 'backend', 'yes', 'A secure connection to the application could not be made.'],
  'backend-no-tunnel': [502, 'backend', 'yes', 'The application does not take WebSockets over HTTP/2.'],
  'backend-stale': [502, 'backend', 'if-idempotent', 'The connection to the application was closed before it answered.'],
  'backend-closed': [502, 'backend', 'if-idempotent', 'The application closed the connection before it answered.'],
  'backend-bad-response': [502, 'backend', 'no', 'The application sent an answer that is not valid HTTP.'],
  'backend-cut-body': [502, 'backend', 'no', 'The application broke off its answer.'],
  'backend-discarded': [502, 'backend', 'if-idempotent', 'The answer of the application was not passed on.'],
  'backend-try-timeout': [504, 'backend', 'if-idempotent', 'The application did not answer an attempt in time.'],
  'backend-timeout': [504, 'backend', 'no', 'The application did not answer in time.'],

  // The proxy has nothing to send the request to, or must not.
  'no-backend': [502, 'backend', 'no', 'No application server is available at the moment.'],
  'bad-frontend-record': [502, 'proxy', 'no', 'The configuration of this site cannot be understood.'],
  'total-timeout': [504, 'backend', 'no', 'The exchange took longer than is allowed.'],
  'bad-auth-record': [502, 'proxy', 'no', 'The rules about who may see this site cannot be understood.'],
  'auth-away': [503, 'proxy', 'no', 'Credentials cannot be checked at the moment.'],
  'auth-busy': [503, 'proxy', 'no', 'Too many credentials are being checked at the moment.'],
  maintenance: [503, 'proxy', 'no', 'This site is being maintained. Please come back later.'],
  'limit-away': [503, 'proxy', 'no', 'Requests to this site cannot be counted at the moment.'],
  'store-away': [503, 'proxy', 'no', 'The proxy cannot look up this site at the moment.'],
  'store-late': [503, 'proxy', 'no', 'The proxy could not look up this site in time. Please try again in a moment.'],
  'queue-full': [503, 'proxy', 'no', 'Too many requests for this site are waiting.'],
  'queue-timeout': [503, 'proxy', 'no', 'The request waited too long for its turn.'],
  'pool-exhausted': [503, 'proxy', 'no', 'Too many connections to the application are in use.'],
  overloaded: [503, 'proxy', 'no', 'The proxy has more to do than it can. Please try again later.'],
  draining: [503, 'proxy', 'no', 'The proxy is shutting down.'],
  internal: [500, 'proxy', 'no', 'The proxy failed to handle the request.'],
} as const satisfies Record<string, readonly [number, ErrorSource, RetryAdvice, string]>;

/** The stable name of an error; the value of the header `x-cjs-proxy-error`. */
export type ErrorCode = keyof typeof rows;

/** All rows by code. */
export const catalog: Readonly<Record<ErrorCode, CatalogEntry>> = Object.fromEntries(
  Object.entries(rows).map(([code, [status, source, retry, text]]) => [code, { status, source, retry, text }]),
) as Record<ErrorCode, CatalogEntry>;
