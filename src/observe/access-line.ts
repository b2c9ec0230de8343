// The line of one exchange in the access log, in three formats. Whatever a client sent is escaped, so it can forge no line.
import { ownText } from '../base/own-text.js';

/** What a line tells. One mutable object may be filled anew for each exchange: nothing is kept of it. */
export interface AccessRecord {
  /** The client as far as trusted proxies tell it, IPv4 in dotted form. */
  clientAddress: string;
  /** Start of the request, milliseconds since the epoch. */
  time: number;
  method: string;
  target: string;
  /** As the client spoke it, e.g. `HTTP/1.1`. */
  protocol: string;
  /** Status that the client got; 0: none. */
  status: number;
  /** Bytes of this exchange sent to the client, with and without the head. */
  bytesSent: number;
  bodyBytesSent: number;
  referer: string;
  userAgent: string;
  /** Element 0 of the frontend's list: Hipache's virtual host name. */
  identifier: string;
  /** The host that was asked for. */
  host: string;
  scheme: string;
  /** Milliseconds from the head of the request to the end of the response; and until the backend's head, negative: it never came. */
  totalMs: number;
  backendMs: number;
  /** URL of the last backend, or empty. */
  backend: string;
  requestId: string;
  outcome: string;
  /** Code of the error, or empty. */
  error: string;
}

/** A record with nothing in it, to be filled. */
export function emptyAccessRecord(): AccessRecord {
  return {
    clientAddress: '',
    time: 0,
    method: '',
    target: '',
    protocol: 'HTTP/1.1',
    status: 0,
    bytesSent: 0,
    bodyBytesSent: 0,
    referer: '',
    userAgent: '',
    identifier: '',
    host: '',
    scheme: 'http',
    totalMs: 0,
    backendMs: -1,
    backend: '',
    requestId: '',
    outcome: '',
    error: '',
  };
}

/** Makes the line of a record, newline included; latin1 characters only. */
export type AccessLineFormat = (record: AccessRecord) => string;

/** The formats by the name they have in the configuration. */
export const accessLineFormats = { hipache: hipacheLine, combined: combinedLine, json: jsonLine } as const satisfies Record<
  string,
  AccessLineFormat
>;

/**
 * Hipache's line: `<ip> - - [date] "request" status bytes "referer" "agent" "identifier" <total s> <backend s>`.
 * IPv4 addresses carry the prefix `::ffff:` that its readers expect.
 */
function hipacheLine(record: AccessRecord): string {
  return `${hipacheStart(record.clientAddress, logDate(record.time))}${escaped(record.method)} ${escaped(record.target)} ${record.protocol}" ${record.status} ${record.bytesSent} "${escaped(record.referer)}" "${escaped(record.userAgent)}" "${escaped(record.identifier)}" ${seconds(record.totalMs)} ${seconds(record.backendMs)}\n`;
}

let startAddress = '';
let startDate = '';
let start = '';
let startIsWhole = false;

/** Address and date up to the quote of the request; kept, since busy clients come several times a second. */
function hipacheStart(address: string, date: string): string {
  if (address === startAddress && date === startDate) {
    // In one piece from the second line on: each line that it begins is put together of its pieces once more.
    if (!startIsWhole) start = ownText(start);
    startIsWhole = true;
    return start;
  }
  const prefix = address.includes('.') && !address.includes(':') ? '::ffff:' : '';
  startAddress = address;
  startDate = date;
  start = `${prefix}${escaped(address)} - - [${date}] "`;
  startIsWhole = false;
  return start;
}

/** The combined format of Apache and nginx. */
function combinedLine(record: AccessRecord): string {
  const referer = record.referer === '' ? '-' : escaped(record.referer);
  const userAgent = record.userAgent === '' ? '-' : escaped(record.userAgent);
  return `${escaped(record.clientAddress)} - - [${logDate(record.time)}] "${escaped(record.method)} ${escaped(record.target)} ${record.protocol}" ${record.status} ${record.bodyBytesSent} "${referer}" "${userAgent}"\n`;
}

/** One JSON object, pure ASCII. Put together by hand, since most texts need no escape and `JSON.stringify` costs three times as much. */
function jsonLine(record: AccessRecord): string {
  const time = new Date(record.time).toISOString();
  const backendMs = record.backendMs < 0 ? 'null' : thousandths(record.backendMs);
  const error = record.error === '' ? 'null' : quoted(record.error);
  return (
    `{"time":"${time}","client":${quoted(record.clientAddress)},"scheme":${quoted(record.scheme)},"host":${quoted(record.host)}` +
    `,"method":${quoted(record.method)},"target":${quoted(record.target)},"protocol":"${record.protocol}","status":${record.status}` +
    `,"bytes":${record.bytesSent},"bodyBytes":${record.bodyBytesSent},"referer":${quoted(record.referer)}` +
    `,"userAgent":${quoted(record.userAgent)},"identifier":${quoted(record.identifier)},"backend":${quoted(record.backend)}` +
    `,"totalMs":${thousandths(record.totalMs)},"backendMs":${backendMs},"requestId":${quoted(record.requestId)}` +
    `,"outcome":${quoted(record.outcome)},"error":${error}}\n`
  );
}

function quoted(text: string): string {
  return unsafe.test(text) ? JSON.stringify(text).replace(everyBeyondAscii, unicodeEscape) : `"${text}"`;
}

const everyBeyondAscii = /[^\x20-\x7e]/g;

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function thousandths(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** Quotes, backslashes, control characters, and all that is not ASCII. */
const unsafe = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const everyUnsafe = /[^\x20\x21\x23-\x5b\x5d-\x7e]/gu;

/** As nginx does it: `\xHH` for each byte. A character beyond latin1 (an identifier from the store) is written as its UTF-8 bytes. */
function escaped(text: string): string {
  if (text === '') return '';
  return unsafe.test(text) ? text.replace(everyUnsafe, byteEscape) : text;
}

function byteEscape(character: string): string {
  const code = character.charCodeAt(0);
  if (code <= 0xff) return hexByte(code);
  return [...Buffer.from(character, 'utf8')].map(hexByte).join('');
}

function hexByte(code: number): string {
  return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Milliseconds as Hipache writes seconds: whole milliseconds over 1000, in the shortest notation (`0.004`, `0.01`, `0`). */
function seconds(milliseconds: number): string {
  if (!(milliseconds > 0)) return '0';
  const whole = Math.round(milliseconds);
  return whole < 1000 ? (shortTimes[whole] as string) : String(whole / 1000);
}

/** Nearly all exchanges take less than a second, and turning a fraction into text is dear. */
const shortTimes = Array.from({ length: 1000 }, (_, milliseconds) => String(milliseconds / 1000));

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

let dateSecond = Number.NaN;
let dateText = '';

/** `20/Nov/2026:13:28:16 +0000`, made anew only when the second differs from that of the line before. */
function logDate(time: number): string {
  const second = Math.floor(time / 1000);
  if (second === dateSecond) return dateText;
  const date = new Date(second * 1000);
  const clock = `${twoDigits[date.getUTCHours()]}:${twoDigits[date.getUTCMinutes()]}:${twoDigits[date.getUTCSeconds()]}`;
  const day = twoDigits[date.getUTCDate()];
  dateSecond = second;
  dateText = `${day}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${clock} +0000`;
  return dateText;
}
