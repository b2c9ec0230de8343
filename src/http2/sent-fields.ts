// Header lines to the fields that node:http2 sends: names in lower case, one entry a name, nothing that belongs to an HTTP/1.1 connection.
import type { OutgoingHttpHeaders } from 'node:http2';
import { bit, type HeaderList, Kind, spanSize } from '../http1/headers.js';

/** Fields without a prototype, so that no name is taken for a member of every object. */
export type SentFields = OutgoingHttpHeaders;

/** RFC 9113 section 8.2.2. `te` is for whoever sends a request to decide about. */
export const connectionKinds =
  bit(Kind.connection) |
  bit(Kind.keepAlive) |
  bit(Kind.proxyConnection) |
  bit(Kind.transferEncoding) |
  bit(Kind.upgrade) |
  bit(Kind.te);

export function noFields(): SentFields {
  return Object.create(null) as SentFields;
}

/**
 * Adds the lines of a list.
 * @param mask kinds to leave out
 * @param names further names to leave out, in lower case, or null
 */
export function addHeaders(fields: SentFields, headers: HeaderList, mask: number, names: ReadonlySet<string> | null): void {
  const { spans, text } = headers;
  for (let at = 0; at < spans.length; at += spanSize) {
    if ((mask & (1 << (spans[at] as number))) !== 0) continue;
    const name = text.slice(spans[at + 1], spans[at + 2]).toLowerCase();
    if (names?.has(name) === true) continue;
    addField(fields, name, text.slice(spans[at + 3], spans[at + 4]));
  }
}

/** Adds lines that are well-formed, each ended by CRLF. */
export function addLines(fields: SentFields, lines: string): void {
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    const name = lines.slice(at, colon).toLowerCase();
    // As in `addHeaders`: lines of a trailer section or of a policy have no business with the connection either.
    if (!belongsToConnection(name)) addField(fields, name, lines.slice(colon + 1, end).trim());
    at = end + 2;
  }
}

/** Of the names with which node:http2 refuses to send a message, or which mean nothing there. */
const connectionNames: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);

/** @param name in lower case */
export function belongsToConnection(name: string): boolean {
  return connectionNames.has(name);
}

/** Lines of one name are one field with commas (RFC 9110 section 5.3), but for Set-Cookie, and for Cookie with its semicolons. */
export function addField(fields: SentFields, name: string, value: string): void {
  const known = fields[name];
  if (known === undefined) fields[name] = value;
  else if (name === 'set-cookie') fields[name] = Array.isArray(known) ? [...known, value] : [String(known), value];
  else fields[name] = `${known}${name === 'cookie' ? '; ' : ', '}${value}`;
}
