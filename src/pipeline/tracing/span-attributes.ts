// What spans say of an exchange and of an attempt, by the stable names of OpenTelemetry's conventions for HTTP.
import type { Attributes } from '@opentelemetry/api';
import { outgoingTarget } from '../../engine/outgoing-head.js';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import { type Backend, speaksHttp2, speaksTls } from '../../model/backend.js';

/** Any other method is a client's own word, of which there may be any number. */
const knownMethods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);
/** Parameters whose values open something; the conventions name them. */
const secrets = /(^|[?&])(AWSAccessKeyId|Signature|sig|X-Goog-Signature)=[^&]*/g;
const versions = { 'HTTP/1.0': '1.0', 'HTTP/1.1': '1.1', 'HTTP/2.0': '2' } as const;

/** The name of a span: one of a few. */
export function spanName(method: string): string {
  return knownMethods.has(method) ? method : 'HTTP';
}

/** Of what a client asks. */
export function requestAttributes(exchange: Exchange): Attributes {
  const { head, client, scheme } = exchange;
  const [path = '', query] = splitOnce(head.target, '?');
  const { host, port } = splitAuthority(exchange.authority);
  const userAgent = head.headers.first(Kind.userAgent);
  return {
    ...methodAttributes(head.method),
    'url.scheme': scheme,
    'url.path': path,
    ...(query === undefined ? {} : { 'url.query': withoutSecrets(query) }),
    'server.address': host,
    'server.port': port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
    'client.address': exchange.clientAddress,
    'network.peer.address': client.address,
    'network.protocol.version': versions[exchange.protocol],
    ...(userAgent === '' ? {} : { 'user_agent.original': userAgent }),
    'cjs_proxy.request.id': exchange.id,
  };
}

/** Of what a backend is asked. */
export function attemptAttributes(exchange: Exchange, backend: Backend): Attributes {
  const scheme = speaksTls(backend) ? 'https' : 'http';
  const unix = backend.socketPath !== '';
  const host = unix ? 'localhost' : backend.host.includes(':') ? `[${backend.host}]` : backend.host;
  const place = unix ? host : `${host}:${backend.port}`;
  return {
    ...methodAttributes(exchange.head.method),
    'url.full': `${scheme}://${place}${withoutSecrets(outgoingTarget(exchange))}`,
    'server.address': unix ? backend.socketPath : backend.host,
    ...(unix ? { 'network.transport': 'unix' } : { 'server.port': backend.port }),
    'network.protocol.version': speaksHttp2(backend) ? '2' : '1.1',
    ...(exchange.attempts > 1 ? { 'http.request.resend_count': exchange.attempts - 1 } : {}),
    'cjs_proxy.backend': backend.id,
  };
}

function methodAttributes(method: string): Attributes {
  if (knownMethods.has(method)) return { 'http.request.method': method };
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method };
}

function withoutSecrets(text: string): string {
  return text.replace(secrets, '$1$2=REDACTED');
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** @returns the host without brackets, and the port or an empty text */
function splitAuthority(authority: string): { readonly host: string; readonly port: string } {
  const [, host = authority, port = ''] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}
