// Who asks: gives the exchange its id, and finds the client behind proxies that are trusted.
import { isIP } from 'node:net';
import { createIds } from '../../base/ids.js';
import { type AddressSet, plainAddress } from '../../base/ip.js';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import type { Stage } from '../stage.js';

/** What a request id of a trusted proxy may look like: it goes into logs and headers. */
const acceptableId = /^[\w.:/+=@-]{1,128}$/;

/** @param trusted the proxies whose forwarded headers are believed */
export function createIdentify(trusted: AddressSet): Stage {
  const newId = createIds();
  return (exchange) => {
    const { client, head } = exchange;
    exchange.scheme = client.secure ? 'https' : 'http';
    exchange.clientAddress = client.address;
    // A string that was looked up before knows its hash; the equal one that was cut out of this head does not.
    if (client.lastAuthority !== head.authority) client.lastAuthority = head.authority;
    exchange.authority = client.lastAuthority;
    if (client.trusted) {
      identifyBehindProxy(exchange, trusted);
      const id = head.headers.first(Kind.xRequestId);
      if (id !== '' && acceptableId.test(id)) {
        exchange.id = id;
        return;
      }
    }
    exchange.id = newId();
  };
}

/** Walks X-Forwarded-For from the right, past every trusted proxy, to the first address that is not one of ours. */
function identifyBehindProxy(exchange: Exchange, trusted: AddressSet): void {
  const headers = exchange.head.headers;
  const scheme = (headers.first(Kind.xForwardedProto) || headers.first(Kind.xForwardedProtocol)).toLowerCase();
  if (scheme === 'https' || scheme === 'http') exchange.scheme = scheme;
  const chain = headers.joined(Kind.xForwardedFor);
  if (chain === '') {
    const real = plainAddress(headers.first(Kind.xRealIp));
    if (isIP(real) !== 0) exchange.clientAddress = real;
    return;
  }
  const hops = chain.split(',');
  for (let at = hops.length - 1; at >= 0; at--) {
    const address = plainAddress((hops[at] as string).trim());
    if (isIP(address) === 0) return;
    exchange.clientAddress = address;
    if (!trusted.has(address)) return;
  }
}
