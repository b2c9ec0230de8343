// The PROXY header that tells a backend of HTTP of the client of one request, before anything else is said on its connection.
import { plainAddress } from '../base/ip.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Backend } from '../model/backend.js';
import { formatProxyHeader } from '../upstream/proxy-header.js';

/**
 * Null: the backend wants none. The source is the client that `X-Real-IP` names too; its port is known where it is the peer itself.
 */
export function proxyPreface({ client, clientAddress }: Exchange, { proxyProtocol }: Backend): Buffer | null {
  if (proxyProtocol === 'none') return null;
  const { remotePort = 0, localAddress = '', localPort = client.localPort } = client.ends;
  const source = { address: clientAddress, port: clientAddress === client.address ? remotePort : 0 };
  return formatProxyHeader(proxyProtocol, { source, destination: { address: plainAddress(localAddress), port: localPort } });
}
