// The proxy's own answers: `Host: __ping__` is alive whatever the store says, unless the worker is overloaded for long.
import { ProxyError } from '../../errors/proxy-error.js';
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

/** In an overload that lasts, a balancer in front does well to send clients elsewhere. */
const overloaded = new ProxyError('overloaded', 'it lasts');

/** @param overload of this worker */
export function createSelf(overload: { readonly lasts: boolean }): Stage {
  return (exchange) => {
    if (!isPing(exchange.head.authority)) return undefined;
    return overload.lasts ? overloaded : alive;
  };
}
