// Which fields of a trailer section may be passed on (RFC 9110 section 6.5.1).
import { bit, type HeaderList, Kind } from './headers.js';

/**
 * Kinds that decide about framing, routing, rights or the connection, or that this proxy speaks for: in a trailer they
 * come too late to be checked.
 */
const forbiddenKinds =
  bit(Kind.host) |
  bit(Kind.connection) |
  bit(Kind.contentLength) |
  bit(Kind.transferEncoding) |
  bit(Kind.upgrade) |
  bit(Kind.expect) |
  bit(Kind.keepAlive) |
  bit(Kind.te) |
  bit(Kind.trailer) |
  bit(Kind.proxyConnection) |
  bit(Kind.xForwardedFor) |
  bit(Kind.xForwardedProto) |
  bit(Kind.xForwardedPort) |
  bit(Kind.xForwardedHost) |
  bit(Kind.xForwardedProtocol) |
  bit(Kind.xRealIp) |
  bit(Kind.xRequestId) |
  bit(Kind.xDebug) |
  bit(Kind.forwarded) |
  // With `location`.
  bit(Kind.setCookie) |
  bit(Kind.trace) |
  bit(Kind.cookie) |
  bit(Kind.authorization) |
  bit(Kind.proxyAuthorization) |
  bit(Kind.retryAfter) |
  bit(Kind.date) |
  bit(Kind.contentType) |
  bit(Kind.underscored);

/** Further names: request modifiers, authentication and control data of a response. */
const forbiddenNames =
  /^(content-.*|x-forwarded-.*|if-.*|cache-control|max-forwards|pragma|range|www-authenticate|proxy-authenticate|age|expires|vary|warning)$/i;

/** The lines of a trailer section that may be passed on, each ended by CRLF. */
export function trailerLines(trailers: HeaderList): string {
  let dropped: Set<string> | null = null;
  for (let line = 0; line < trailers.count; line++) {
    const name = trailers.nameAt(line);
    if (!forbiddenNames.test(name)) continue;
    if (dropped === null) dropped = new Set();
    dropped.add(name.toLowerCase());
  }
  return trailers.without(forbiddenKinds, dropped);
}
