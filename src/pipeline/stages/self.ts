// The proxy's own answers: `Host: __ping__` is alive whatever the store says.
import type { Answer, Stage } from '../stage.js';

const alive: Answer = {
  status: 200,
  contentType: 'text/plain',
  body: 'ok',
  headers: ['Cache-Control', 'no-cache', 'Pragma', 'no-cache', 'Expires', '-1'],
};

/** True for Hipache's ping host, which is neither looked up nor logged. A port is accepted too. */
export function isPing(authority: string): boolean {
  return authority.charCodeAt(0) === 95 && (authority === '__ping__' || authority.startsWith('__ping__:'));
}

export const self: Stage = (exchange) => (isPing(exchange.head.authority) ? alive : undefined);
