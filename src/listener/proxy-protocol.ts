// The PROXY protocol, versions 1 and 2, as clients begin with it: read strictly. What is written is made in upstream/proxy-header.ts.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
import { isIPv4, isIPv6 } from 'node:net';
import { plainAddress } from '../base/ip.js';
import { type ProxiedEnds, signature } from '../upstream/proxy-header.js';

/** What was found at the beginning of a connection. */
export type ProxyHeader =
  /** It may be a header, and is not complete. */
  | { readonly kind: 'partial' }
  /** @property size bytes of the header; what follows belongs to the connection */
  | { readonly kind: 'header'; readonly size: number; readonly ends: ProxiedEnds | null }
  /** No header. @property text says why, in a few words */
  | { readonly kind: 'fault'; readonly text: string };

/** Section 2.1: the longest line of version 1, with its end. */
const longestLine = 107;
/** Addresses take 216 bytes at most; the rest of what senders add (names, TLS facts) fits well. */
const longestBlock = 4096;

const partial: ProxyHeader = Object.freeze({ kind: 'partial' });

/** Reads a header from the first bytes of a connection. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const compared = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, compared, 0, compared) === 0)
    return bytes.length < 16 ? partialVersion2(bytes) : version2(bytes);
  return version1(bytes);
}

function fault(text: string): ProxyHeader {
  return { kind: 'fault', text };
}

function version1(bytes: Buffer): ProxyHeader {
  const start = bytes.toString('latin1', 0, 6);
  if (!'PROXY '.startsWith(start)) return fault('no PROXY header');
  const end = bytes.subarray(0, longestLine).indexOf('\r\n');
  if (end === -1) return bytes.length < longestLine ? partial : fault('a PROXY line without an end');
  const size = end + 2;
  const words = bytes.toString('latin1', 0, end).split(' ');
  if (words[1] === 'UNKNOWN') return { kind: 'header', size, ends: null };
  const isAddress = words[1] === 'TCP4' ? isIPv4 : words[1] === 'TCP6' ? isUnzoned : null;
  const [, , from = '', to = '', fromPort = '', toPort = ''] = words;
  const right =
    isAddress !== null && words.length === 6 && isAddress(from) && isAddress(to) && isPort(fromPort) && isPort(toPort);
  if (!right) return fault('a PROXY line that cannot be read');
  const source = { address: plainAddress(from), port: Number(fromPort) };
  return { kind: 'header', size, ends: { source, destination: { address: plainAddress(to), port: Number(toPort) } } };
}

/** A zone means something on the sender's machine only. */
function isUnzoned(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** A wrong version is known before the header is complete. */
function partialVersion2(bytes: Buffer): ProxyHeader {
  return bytes.length > 12 && (bytes[12] as number) >> 4 !== 2 ? fault('a PROXY header of an unknown version') : partial;
}

function version2(bytes: Buffer): ProxyHeader {
  const command = bytes[12] as number;
  const family = (bytes[13] as number) >> 4;
  const block = bytes.readUInt16BE(14);
  if (command >> 4 !== 2) return fault('a PROXY header of an unknown version');
  if (command !== 0x20 && command !== 0x21) return fault('a PROXY header with an unknown command');
  if (block > longestBlock) return fault(`a PROXY header of more than ${longestBlock} bytes`);
  const size = 16 + block;
  if (bytes.length < size) return partial;
  // LOCAL: the connection is the sender's own, such as a health check; what follows is to be ignored.
  if (command === 0x20) return { kind: 'header', size, ends: null };
  const length = family === 1 ? 4 : family === 2 ? 16 : 0;
  // Unix sockets and what may come later say nothing about an IP address.
  if (length === 0) return { kind: 'header', size, ends: null };
  if (block < 2 * length + 4) return fault('a PROXY header that is too short for its addresses');
  const ports = 16 + 2 * length;
  const source = { address: addressAt(bytes, 16, length), port: bytes.readUInt16BE(ports) };
  const destination = { address: addressAt(bytes, 16 + length, length), port: bytes.readUInt16BE(ports + 2) };
  return { kind: 'header', size, ends: { source, destination } };
}

function addressAt(bytes: Buffer, at: number, length: number): string {
  const part = bytes.subarray(at, at + length);
  if (length === 4) return part.join('.');
  const groups = Array.from({ length: 8 }, (_, group) => part.readUInt16BE(group * 2).toString(16));
  // As sockets write it: the longest run of zeros is left out.
  return plainAddress(new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1));
}
