// The fields of a request to an HTTP/2 backend (RFC 9113 section 8.3.1): the head that all engines send, as HTTP/2 has it.
import type { Exchange } from '../../exchange/exchange.js';
import { addField, belongsToConnection, noFields, type SentFields } from '../../http2/sent-fields.js';
import { type Backend, speaksTls } from '../../model/backend.js';
import { type OutgoingSettings, outgoingPairs, outgoingTarget } from '../outgoing-head.js';

/** @param opensTunnel the upgrade of the exchange is asked for by extended CONNECT (RFC 8441) */
export function requestFields(
  exchange: Exchange,
  backend: Backend,
  opensTunnel: boolean,
  settings: OutgoingSettings,
): SentFields {
  const fields = noFields();
  fields[':method'] = opensTunnel ? 'CONNECT' : exchange.head.method;
  if (opensTunnel) fields[':protocol'] = exchange.upgrade;
  fields[':scheme'] = speaksTls(backend) ? 'https' : 'http';
  fields[':authority'] = exchange.head.authority;
  fields[':path'] = outgoingTarget(exchange);
  const pairs = outgoingPairs(exchange, settings);
  for (let at = 0; at < pairs.length; at += 2) {
    const name = (pairs[at] as string).toLowerCase();
    const value = pairs[at + 1] as string;
    if (name === 'host') fields[':authority'] = value;
    else if (name === 'te' && value === 'trailers') fields.te = value;
    else if (opensTunnel && (name === 'sec-websocket-key' || name === 'content-length')) continue;
    else if (!belongsToConnection(name)) addField(fields, name, value);
  }
  return fields;
}
