// The x-debug-* headers of Hipache: which backend answered and how long it took, for those who may know.
import { performance } from 'node:perf_hooks';
import { packageVersion } from '../base/package-version.js';
import type { Exchange } from '../exchange/exchange.js';
import { Kind } from '../http1/headers.js';

/** Who may ask: backends' addresses are nobody else's business. */
export type DebugAudience = 'trusted' | 'everyone' | 'nobody';

/** How much of what is served may be out of date. */
export interface Staleness {
  readonly stale: boolean;
}

/** Adds the lines to an exchange when its request carries X-Debug and its client may see them. */
export interface DebugLines {
  /** A backend's answer is about to be relayed. */
  forwarded(exchange: Exchange): void;
  /** The proxy answers by itself; `message` says why. */
  answered(exchange: Exchange, message: string): void;
}

export function createDebugLines(audience: DebugAudience, staleness: Staleness): DebugLines {
  const wanted = (exchange: Exchange): boolean =>
    exchange.head.headers.has(Kind.xDebug) && audience !== 'nobody' && (audience === 'everyone' || exchange.client.trusted);

  function backendLines(exchange: Exchange): string {
    const { route, backend } = exchange;
    if (route === null || backend === null) return '';
    const total = Math.round(performance.now() - exchange.startedAt);
    const waited = exchange.answeredAt > 0 ? Math.round(exchange.answeredAt - exchange.sentAt) : 0;
    return (
      `x-debug-backend-url: ${safe(backend.publishedUrl)}\r\nx-debug-backend-id: ${backend.index}\r\n` +
      `x-debug-vhost: ${safe(route.identifier)}\r\nx-debug-frontend-key: ${safe(route.host)}\r\n` +
      `x-debug-time-total: ${total}\r\nx-debug-time-backend: ${waited}\r\n`
    );
  }

  const common = (exchange: Exchange): string =>
    `x-debug-version-hipache: ${packageVersion}\r\n${staleness.stale ? 'x-debug-stale: 1\r\n' : ''}${backendLines(exchange)}`;

  return {
    forwarded(exchange) {
      if (wanted(exchange)) exchange.responseLines += common(exchange);
    },
    answered(exchange, message) {
      if (!wanted(exchange)) return;
      // A backend's answer may have been told already that then could not be relayed.
      const others = exchange.responseLines.replace(/^x-debug-.*\r\n/gm, '');
      exchange.responseLines = `${others}x-debug-error: ${safe(message)}\r\n${common(exchange)}`;
    },
  };
}

/** Text from the store in a header: nothing that could end the line. */
function safe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
