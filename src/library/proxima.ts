// Proxima as a program uses it: passes connections on by the host that they ask for, unread otherwise.
import { endpoint } from './proxima/endpoint.js';
import { HTTP, SNI } from './proxima/first-packet.js';
import { ProximaProxy } from './proxima/proxy.js';
import { ProximaServer } from './proxima/server.js';

export type { ConnectArgs, EndpointLike } from './proxima/endpoint.js';
export type { ProximaLimits, ProximaProxyEvents } from './proxima/proxy.js';
export type {
  ProximaAnswer,
  ProximaClient,
  ProximaHandler,
  ProximaListener,
  ProximaServerEvents,
  ProximaServerOptions,
} from './proxima/server.js';
export { endpoint, HTTP, ProximaProxy, ProximaProxy as Proxy, ProximaServer, ProximaServer as Server, SNI };

/** What `require('proxima')` gave. */
export const proxima = Object.freeze({ Server: ProximaServer, Proxy: ProximaProxy, HTTP, SNI, endpoint });
