// A request head from the fields of an HTTP/2 stream (RFC 9113 section 8.3.1), in the form that all engines know.
import { randomBytes } from 'node:crypto';
import { ProxyError } from '../errors/proxy-error.js';
import { isAuthority, sameAuthority } from '../http1/authority.js';
import { isWord, targetBytes, tokenBytes } from '../http1/characters.js';
import { decideLength, unstated } from '../http1/framing.js';
import type { HeadLimits } from '../http1/head-lines.js';
import { bit, type HeaderList, Kind } from '../http1/headers.js';
import type { BodyLength, RequestHead } from '../http1/message.js';
import { FieldSection } from './field-section.js';

/** A request that came on a stream. */
class StreamRequestHead implements RequestHead {
  readonly method: string;
  readonly line: string;
  readonly target: string;
  readonly minor = 1;
  readonly authority: string;
  readonly headers: HeaderList;
  readonly body: BodyLength;
  readonly keepAlive = true;
  readonly upgrade: string;
  readonly expectsContinue: boolean;
  readonly connectionNames = null;

  constructor(
    method: string,
    target: string,
    authority: string,
    headers: HeaderList,
    body: BodyLength,
    upgrade: string,
    expectsContinue: boolean,
  ) {
    this.method = method;
    this.line = `${method} ${target} HTTP/1.1\r\n`;
    this.target = target;
    this.authority = authority;
    this.headers = headers;
    this.body = body;
    this.upgrade = upgrade;
    this.expectsContinue = expectsContinue;
  }
}

const section = new FieldSection();
const slash = 0x2f;

/**
 * Reads the fields of a request. Extended CONNECT for WebSocket (RFC 8441) becomes the GET with Upgrade that HTTP/1.1 has for it.
 * @param raw names and values in turn
 * @param ended the stream has no body
 * @returns the head, or an error of the client
 */
export function readStreamRequest(raw: readonly string[], ended: boolean, limits: HeadLimits): RequestHead | ProxyError {
  section.read(raw);
  const { path, scheme } = section;
  let { method } = section;
  let upgrade = '';
  if (method === 'CONNECT') {
    // As in HTTP/1.1: a proxy for known sites is no forward proxy. Other protocols are unknown here (RFC 9220 section 3).
    if (section.protocol === '') return new ProxyError('method-not-supported', 'CONNECT');
    if (section.protocol !== 'websocket') return new ProxyError('method-not-supported', 'CONNECT for an unknown protocol');
    method = 'GET';
    upgrade = 'websocket';
  } else if (section.protocol !== '') return new ProxyError('bad-request-line', ':protocol without CONNECT');
  if (!consistsOf(method, tokenBytes)) return new ProxyError('bad-request-line', ':method is no token');
  if (!/^https?$/i.test(scheme)) return new ProxyError('bad-request-line', ':scheme is neither http nor https');
  if (path.length > limits.maxLineBytes)
    return new ProxyError('target-too-long', `:path is longer than ${limits.maxLineBytes} bytes`);
  const served = path.charCodeAt(0) === slash || (path === '*' && method === 'OPTIONS');
  if (!served || !consistsOf(path, targetBytes)) return new ProxyError('bad-request-line', ':path is no path');

  const authority = authorityOf(section);
  if (typeof authority !== 'string') return authority;
  const withHost = `host: ${authority}\r\n${section.text}`;
  let ours = 0;
  section.text = withHost;
  if (upgrade !== '') {
    // RFC 8441 section 5: the key is of HTTP/1.1 alone.
    section.text = `${withHost}sec-websocket-key: ${randomBytes(16).toString('base64')}\r\n`;
  } else if (!ended && !section.hasLength) {
    section.text = `${withHost}transfer-encoding: chunked\r\n`;
    ours = bit(Kind.transferEncoding);
  }
  const headers = section.scan(limits, ours);
  if (headers === null) return new ProxyError(section.code, section.detail);
  return finish(method, path, authority, headers, upgrade, ended);
}

/** What the head says of its body, and of what the client waits for. */
function finish(
  method: string,
  path: string,
  authority: string,
  headers: HeaderList,
  upgrade: string,
  ended: boolean,
): RequestHead | ProxyError {
  const { bytes, lines } = section;
  const isOnly = (kind: Kind, word: string): boolean =>
    !lines.isRepeated(kind) && isWord(bytes, lines.valueStart(kind), lines.valueEnd(kind), word);
  if (lines.has(Kind.host) && lines.isRepeated(Kind.host)) return new ProxyError('bad-host', 'several host fields');
  // RFC 9113 section 8.2.2: of TE only this may be said.
  if (lines.has(Kind.te) && !isOnly(Kind.te, 'trailers')) return new ProxyError('bad-header', 'te says more than trailers');
  const expects = lines.has(Kind.expect);
  if (expects && !isOnly(Kind.expect, '100-continue')) return new ProxyError('bad-expectation');
  const length = decideLength(bytes, lines, headers, 1);
  if (typeof length !== 'number') return new ProxyError(length.code, length.detail);
  if (ended && length > 0) return new ProxyError('body-cut-short', 'content-length without a body');
  const body = upgrade !== '' || ended || length === unstated ? 0 : length;
  return new StreamRequestHead(method, path, authority, headers, body, upgrade, expects && body !== 0);
}

/** RFC 9113 section 8.3.1: `:authority` and Host must not name different places. */
function authorityOf({ authority, host, scheme }: FieldSection): string | ProxyError {
  const named = authority === '' ? host : authority;
  if (named === '') return new ProxyError('no-host');
  const bytes = Buffer.from(named, 'latin1');
  if (!isAuthority(bytes, 0, bytes.length)) return new ProxyError('bad-host', ':authority is not a host and port');
  const secure = scheme.length === 'https'.length ? 'https' : 'http';
  if (host !== '' && authority !== '' && !sameAuthority(authority, host, secure))
    return new ProxyError('bad-host', 'host and :authority name different authorities');
  return named;
}

function consistsOf(text: string, allowed: Uint8Array): boolean {
  if (text === '') return false;
  for (let at = 0; at < text.length; at++) if (allowed[text.charCodeAt(at)] === 0) return false;
  return true;
}
