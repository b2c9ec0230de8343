// A frontend whose TLS is passed through is never served on a connection whose TLS was ended here.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Stage } from '../stage.js';

/**
 * A client gets here with the name of another site in its greeting, or over a connection that it keeps for several (RFC 9113
 * section 9.1.1): 421 tells it to make one for this site, which then reaches the backend as it is.
 */
export const passedThrough: Stage = (exchange) => {
  if (exchange.route?.policy?.tls !== 'passthrough' || !exchange.client.secure) return undefined;
  return new ProxyError('misdirected-request', `the TLS of ${exchange.authority} is its backend's, and was ended here`);
};
