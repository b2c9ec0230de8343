// The head that goes to a backend: hop-by-hop lines removed, forwarded lines set. One decision for both engines.
import { ownText } from '../base/own-text.js';
import type { Client } from '../exchange/client.js';
import type { Exchange } from '../exchange/exchange.js';
import { type OutgoingChanges, withoutNames } from '../exchange/outgoing-changes.js';
import { allNames } from '../http1/header-names.js';
import { bit, Kind } from '../http1/headers.js';
import { chunked } from '../http1/message.js';

/**
 * Lines that belong to one connection (RFC 9110 section 7.6.1), and those whose meaning is for a proxy alone.
 * Transfer-Encoding is not among them: it was checked to be exactly `chunked`, and the body is sent on in chunks.
 */
const hopByHop =
  bit(Kind.connection) |
  bit(Kind.keepAlive) |
  bit(Kind.proxyConnection) |
  bit(Kind.te) |
  bit(Kind.upgrade) |
  bit(Kind.proxyAuthorization) |
  bit(Kind.underscored);

/** What tells a backend about the client: set by us, believed only from trusted proxies. */
const forwardedKinds =
  bit(Kind.xForwardedFor) |
  bit(Kind.xForwardedProto) |
  bit(Kind.xForwardedPort) |
  bit(Kind.xForwardedHost) |
  bit(Kind.xForwardedProtocol) |
  bit(Kind.xRealIp) |
  bit(Kind.xRequestId) |
  bit(Kind.forwarded);

/** Choices that hold for all requests. */
export interface OutgoingSettings {
  /** Hipache's way: added only where absent, whoever sent them; IPv4 in its `::ffff:` form. */
  readonly legacyForwardedHeaders: boolean;
  readonly httpKeepAlive: boolean;
}

/**
 * Lines for an untrusted client, up to the request id. All but the authority is the same for every request of a connection, so it is put
 * together once; the rest is only joined, since the head becomes one piece when it is written, and is copied then anyway.
 */
function linesForUntrusted(client: Client, authority: string): string {
  if (client.forwardedStart === '') {
    const scheme = client.secure ? 'https' : 'http';
    client.forwardedStart = ownText(
      `X-Forwarded-For: ${client.address}\r\nX-Real-IP: ${client.address}\r\nX-Forwarded-Proto: ${scheme}\r\n` +
        `X-Forwarded-Protocol: ${scheme}\r\nX-Forwarded-Port: ${client.localPort}\r\nX-Forwarded-Host: `,
    );
  }
  return `${client.forwardedStart}${authority}\r\nX-Request-Id: `;
}

/** Lines for a trusted peer: its own are believed, the chain of addresses grows by the peer. */
function linesForTrusted(exchange: Exchange): string {
  const { client, head } = exchange;
  const headers = head.headers;
  const chain = headers.joined(Kind.xForwardedFor);
  const scheme = headers.first(Kind.xForwardedProto) || headers.first(Kind.xForwardedProtocol) || exchange.scheme;
  const port = headers.first(Kind.xForwardedPort) || String(client.localPort);
  const host = headers.first(Kind.xForwardedHost) || head.authority;
  const forwarded = headers.joined(Kind.forwarded);
  return (
    `X-Forwarded-For: ${chain === '' ? '' : `${chain}, `}${client.address}\r\nX-Real-IP: ${exchange.clientAddress}\r\n` +
    `X-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Protocol: ${scheme}\r\nX-Forwarded-Port: ${port}\r\n` +
    `X-Forwarded-Host: ${host}\r\n${forwarded === '' ? '' : `Forwarded: ${forwarded}\r\n`}X-Request-Id: `
  );
}

/** Hipache's lines: each only where the client sent none. */
function legacyLines(exchange: Exchange): string {
  const { client, head } = exchange;
  const headers = head.headers;
  const address = client.address.includes(':') ? client.address : `::ffff:${client.address}`;
  const scheme = client.secure ? 'https' : 'http';
  let lines = '';
  if (!headers.has(Kind.xForwardedFor)) lines += `X-Forwarded-For: ${address}\r\n`;
  if (!headers.has(Kind.xRealIp)) lines += `X-Real-IP: ${address}\r\n`;
  if (!headers.has(Kind.xForwardedProtocol)) lines += `X-Forwarded-Protocol: ${scheme}\r\n`;
  if (!headers.has(Kind.xForwardedProto)) lines += `X-Forwarded-Proto: ${scheme}\r\n`;
  if (!headers.has(Kind.xForwardedPort)) lines += `X-Forwarded-Port: ${client.localPort}\r\n`;
  return lines;
}

function connectionLines(exchange: Exchange, settings: OutgoingSettings): string {
  if (exchange.upgrade !== '') return `Connection: Upgrade\r\nUpgrade: ${exchange.upgrade}\r\n`;
  const close = settings.httpKeepAlive ? '' : 'Connection: close\r\n';
  // Trailers are relayed, so a client's wish for them is passed on as ours (RFC 9110 section 10.1.4).
  if (!exchange.head.headers.has(Kind.te) || !/(^|,)\s*trailers\s*(,|;|$)/i.test(exchange.head.headers.joined(Kind.te)))
    return close;
  return `TE: trailers\r\n${settings.httpKeepAlive ? 'Connection: TE\r\n' : 'Connection: TE, close\r\n'}`;
}

/**
 * The header lines that a backend gets, each ended by CRLF, without the empty line.
 * Host is the client's, with its port and case, as Hipache does.
 */
function outgoingLines(exchange: Exchange, settings: OutgoingSettings): string {
  const { head, client, outgoing } = exchange;
  const headers = head.headers;
  const dropped = outgoing === null ? head.connectionNames : droppedNames(outgoing, head.connectionNames);
  let mask = outgoing === null || outgoing.host === null ? hopByHop : hopByHop | bit(Kind.host);
  let told: string;
  if (settings.legacyForwardedHeaders) {
    told = legacyLines(exchange);
    if (!headers.has(Kind.xRequestId)) told += `X-Request-Id: ${exchange.id}\r\n`;
    told += exchange.traceLine;
  } else {
    mask |= forwardedKinds;
    told = `${client.trusted ? linesForTrusted(exchange) : linesForUntrusted(client, exchange.authority)}${exchange.id}\r\n${exchange.traceLine}`;
  }
  if (outgoing?.removesForwarded === true) told = withoutNames(told, outgoing.removed);
  let lines = headers.without(mask, dropped) + told;
  // An HTTP/1.0 request in absolute form may lack Host; HTTP/1.1 must have it (RFC 9112 section 3.2).
  const host = outgoing?.host ?? (headers.has(Kind.host) ? null : head.authority);
  if (host !== null) lines += `Host: ${host}\r\n`;
  if (outgoing !== null) lines += outgoing.lines + outgoing.attemptLines;
  return lines + connectionLines(exchange, settings);
}

function droppedNames({ removed }: OutgoingChanges, connectionNames: ReadonlySet<string> | null): ReadonlySet<string> | null {
  if (removed.size === 0) return connectionNames;
  return connectionNames === null ? removed : allNames(removed, connectionNames);
}

/** The path and query that a backend is asked for. */
export function outgoingTarget({ head, outgoing }: Exchange): string {
  return outgoing === null || outgoing.target === '' ? head.target : outgoing.target;
}

/** The whole request head as it is written to a connection. */
export function outgoingHead(exchange: Exchange, settings: OutgoingSettings): string {
  const head = exchange.head;
  const { outgoing } = exchange;
  const line = outgoing === null || outgoing.target === '' ? head.line : `${head.method} ${outgoing.target} HTTP/1.1\r\n`;
  return `${line}${outgoingLines(exchange, settings)}\r\n`;
}

/** The same lines as names and values in turn, for an engine that writes heads itself; without Transfer-Encoding. */
export function outgoingPairs(exchange: Exchange, settings: OutgoingSettings): string[] {
  const pairs: string[] = [];
  for (const line of outgoingLines(exchange, settings).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    if (exchange.head.body === chunked && name.toLowerCase() === 'transfer-encoding') continue;
    pairs.push(name, line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''));
  }
  return pairs;
}
