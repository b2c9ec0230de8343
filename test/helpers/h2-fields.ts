// Between the lines of HTTP/1.1 and the fields of HTTP/2, for tests that say one thing in both (RFC 9113 section 8.2).
import type { OutgoingHttpHeaders } from 'node:http2';
import { Fields } from './http-reader.js';

/** What belongs to one connection of HTTP/1.1 and is not said in HTTP/2. */
const ofConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** The lines of a head, or of trailers, as fields: lower case, lines of one name together. */
export function fieldsOfLines(lines: Fields, left: readonly string[] = []): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = {};
  const named = new Set((lines.get('connection') ?? '').toLowerCase().split(/\s*,\s*/));
  for (const [written, value] of lines.lines) {
    const name = written.toLowerCase();
    // The one connection option that has a meaning of its own.
    const isTe = name === 'te' && value.toLowerCase() === 'trailers';
    if (!isTe && (name === 'te' || ofConnection.has(name) || named.has(name) || left.includes(name))) continue;
    const before = fields[name];
    fields[name] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value];
  }
  return fields;
}

/** Trailers as they were sent, as fields. */
export function fieldsOfTrailers(text: string): OutgoingHttpHeaders {
  return fieldsOfLines(new Fields(text));
}

/** Names and values in turn, as lines, without those that begin with a colon. */
export function linesOfFields(raw: readonly string[]): string {
  let lines = '';
  for (let at = 0; at < raw.length; at += 2) if (!raw[at]?.startsWith(':')) lines += `${raw[at]}: ${raw[at + 1]}\r\n`;
  return lines;
}

/** The value of a field, pseudo-header fields included; empty: there is none. */
export function fieldOf(raw: readonly string[], name: string): string {
  const at = raw.findIndex((one, index) => index % 2 === 0 && one === name);
  return at === -1 ? '' : (raw[at + 1] as string);
}
