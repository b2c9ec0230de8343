// Who asks: gives the exchange its id, and finds the client behind proxies that are trusted.
import { isIP } from 'node:net';
import { type AddressSet, plainAddress } from '../../base/ip.js';
import { ownText } from '../../base/own-text.js';
import { RequestIds } from '../../base/request-ids.js';
import { isSameText } from '../../base/same-text.js';
import type { TracingConfig } from '../../config/config.js';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import type { Stage } from '../stage.js';
import { parseTraceParent, traceNames } from '../tracing/trace-parent.js';
import type { Tracing } from '../tracing/tracing.js';

/** What a request id of a trusted proxy may look like: it goes into logs and headers. */
const acceptableId = /^[\w.:/+=@-]{1,128}$/;

/**
 * @param trusted the proxies whose forwarded headers are believed
 * @param newTraces what is made of a request that belongs to no trace, where nobody traces
 * @param tracing who makes spans of exchanges; null: nobody
 */
export function createIdentify(trusted: AddressSet, newTraces: TracingConfig['newTraces'], tracing: Tracing | null): Stage {
  const ids = new RequestIds(newTraces === 'sampled');
  const traces = tracing === null && newTraces !== 'none';
  return (exchange) => {
    const { client, head } = exchange;
    exchange.scheme = client.secure ? 'https' : 'http';
    exchange.clientAddress = client.address;
    // A string that was looked up before knows its hash; the equal one that was cut out of this head does not.
    if (!isSameText(client.lastAuthority, head.authority)) client.lastAuthority = head.authority;
    exchange.authority = client.lastAuthority;
    if (client.trusted) {
      identifyBehindProxy(exchange, trusted);
      const id = head.headers.first(Kind.xRequestId);
      if (id !== '' && acceptableId.test(id)) {
        exchange.id = id;
        if (traces) {
          ids.next();
          trace(exchange, ids);
        }
        tracing?.begins(exchange);
        return;
      }
    }
    exchange.id = ids.next();
    if (traces) trace(exchange, ids);
    tracing?.begins(exchange);
  };
}

/** A trace that a client belongs to goes on as it is; one begins where there is none, or none that makes sense. */
function trace(exchange: Exchange, ids: RequestIds): void {
  const { headers } = exchange.head;
  if (headers.has(Kind.trace)) {
    const parents = headers.values('traceparent');
    if (parents.length === 1 && parseTraceParent(parents[0] as string) !== null) return;
    exchange.changes.removeAll(traceNames, false);
  }
  exchange.traceLine = ids.traceLine();
}

function identifyBehindProxy(exchange: Exchange, trusted: AddressSet): void {
  const headers = exchange.head.headers;
  const scheme = (headers.first(Kind.xForwardedProto) || headers.first(Kind.xForwardedProtocol)).toLowerCase();
  if (scheme === 'https' || scheme === 'http') exchange.scheme = scheme;
  const chain = headers.joined(Kind.xForwardedFor);
  const address = chain === '' ? plainAddress(headers.first(Kind.xRealIp)) : lastUntrusted(chain, trusted);
  // Whatever counts clients keeps it.
  if (isIP(address) !== 0) exchange.clientAddress = ownText(address);
}

/** Walks X-Forwarded-For from the right, past every trusted proxy, to the first address that is not one of ours; empty: there is none at all. */
function lastUntrusted(chain: string, trusted: AddressSet): string {
  const hops = chain.split(',');
  let found = '';
  for (let at = hops.length - 1; at >= 0; at--) {
    const address = plainAddress((hops[at] as string).trim());
    if (isIP(address) === 0) return found;
    found = address;
    if (!trusted.has(address)) return found;
  }
  return found;
}
