// What an error of the http-proxy package, or of node:http beneath it, means for an exchange.
import { classifyConnectError, classifySocketError, codeOf } from '../../errors/classify.js';
import { ProxyError } from '../../errors/proxy-error.js';

/**
 * How far an attempt had come: `queued` it waits for a free connection; `connecting` (TCP) and `securing` (TLS) nothing of
 * the request has been sent; `sent` a backend may have seen it; `answering` bytes of an answer have come but no final
 * head; `relaying` the final head has been handed over.
 */
export type Progress = 'queued' | 'connecting' | 'securing' | 'sent' | 'answering' | 'relaying';

/**
 * Translates an error that ended an attempt.
 * @param reused true when the connection had carried a request before
 * @param origin the backend, for the log
 */
export function classifyFailure(error: unknown, progress: Progress, reused: boolean, origin: string): ProxyError {
  switch (progress) {
    case 'queued':
    case 'connecting':
    case 'securing':
      return classifyConnectError(error, origin, progress === 'securing');
    case 'sent':
      return classifySocketError(error, 'none', reused, origin);
    case 'answering':
      if (codeOf(error).startsWith('HPE_')) return classifySocketError(error, 'none', reused, origin);
      // Half a head is no answer: there is nothing of it that could be passed on.
      return new ProxyError('backend-bad-response', `${origin}: closed in the middle of the head`, error);
    case 'relaying':
      // A malformed chunk is an answer broken off as much as a closed connection is: the client has the head already.
      if (codeOf(error).startsWith('HPE_')) return new ProxyError('backend-cut-body', `${origin}: malformed body`, error);
      return classifySocketError(error, 'begun', reused, origin);
  }
}

/** The connect timeout passed. Waiting for a free connection counts too, or a full pool would hold requests for ever. */
export function connectTimeout(progress: Progress, origin: string): ProxyError {
  return progress === 'queued'
    ? new ProxyError('pool-exhausted', `all connections to ${origin} are in use`)
    : new ProxyError('backend-connect-timeout', origin);
}
