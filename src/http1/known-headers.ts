// Recognises the header names that the proxy cares about from their bytes, in any case, without making a string.
import { Kind } from './headers.js';

const names: Readonly<Record<Exclude<keyof typeof Kind, 'other' | 'underscored' | 'trace'>, string>> = {
  host: 'host',
  connection: 'connection',
  contentLength: 'content-length',
  transferEncoding: 'transfer-encoding',
  upgrade: 'upgrade',
  expect: 'expect',
  keepAlive: 'keep-alive',
  te: 'te',
  trailer: 'trailer',
  proxyConnection: 'proxy-connection',
  xForwardedFor: 'x-forwarded-for',
  xForwardedProto: 'x-forwarded-proto',
  xForwardedPort: 'x-forwarded-port',
  xForwardedHost: 'x-forwarded-host',
  xForwardedProtocol: 'x-forwarded-protocol',
  xRealIp: 'x-real-ip',
  xRequestId: 'x-request-id',
  forwarded: 'forwarded',
  userAgent: 'user-agent',
  referer: 'referer',
  xDebug: 'x-debug',
  date: 'date',
  retryAfter: 'retry-after',
  setCookie: 'set-cookie',
  cookie: 'cookie',
  authorization: 'authorization',
  accept: 'accept',
  proxyAuthorization: 'proxy-authorization',
  location: 'location',
  contentType: 'content-type',
};

/** What this proxy alone tells backends of client certificates: a client's line of that name is as little forwarded as one with underscores. */
const ours = [
  'x-client-cert',
  'x-client-cert-subject',
  'x-client-cert-issuer',
  'x-client-cert-serial',
  'x-client-cert-fingerprint',
];

/** Of one kind: whether there is either is all that is asked of every request. */
const ofTraces = ['traceparent', 'tracestate'];

const hyphen = 0x2d;
const underscore = 0x5f;
const slots = 128;

// Length, first and last but one byte tell all names above apart; none of them has a hyphen at these two places, so a
// name with underscores falls into the same slot. `| 0x20` is lower case enough for a hash. The factors were found by trial.
const slotOf = (length: number, first: number, lastButOne: number): number =>
  (length + 5 * (first | 0x20) + 8 * (lastButOne | 0x20)) & (slots - 1);

const kindInSlot = new Uint8Array(slots);
const lengthInSlot = new Uint8Array(slots);
/** All names one after another; a name begins at the offset of its slot. */
const letters = Buffer.from([...Object.values(names), ...ours, ...ofTraces].join(''), 'latin1');
const offsetInSlot = new Uint16Array(slots);

let offset = 0;
const kinds = Object.entries(names).map(([key, name]) => [name, Kind[key as keyof typeof names]] as const);
const others = [...ours.map((name) => [name, Kind.underscored] as const), ...ofTraces.map((name) => [name, Kind.trace] as const)];
for (const [name, kind] of [...kinds, ...others]) {
  const slot = slotOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 2));
  if (lengthInSlot[slot] !== 0) throw new Error(`two known header names share a slot, find other factors: ${name}`);
  kindInSlot[slot] = kind;
  lengthInSlot[slot] = name.length;
  offsetInSlot[slot] = offset;
  offset += name.length;
}

/**
 * The kind of the header name in the bytes `start` to `end`, which must be bytes of a token, `Kind.other` for a name that is not known, and
 * `Kind.underscored` for a known name with `_` in place of a hyphen, and for the names that are ours.
 */
export function kindOfName(buffer: Buffer, start: number, end: number): Kind {
  const length = end - start;
  if (length < 2) return Kind.other;
  const slot = slotOf(length, buffer[start] as number, buffer[end - 2] as number);
  if (lengthInSlot[slot] !== length) return Kind.other;
  const letter = (offsetInSlot[slot] as number) - start;
  let kind = kindInSlot[slot] as Kind;
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    const expected = letters[letter + at] as number;
    // Lower case by one bit: exact for bytes of a token against letters and hyphens, which is all that is compared here.
    if ((byte | 0x20) === expected) continue;
    if (byte !== underscore || expected !== hyphen) return Kind.other;
    kind = Kind.underscored;
  }
  return kind;
}
