// The authority of a request: the value of Host, or what an absolute-form target names (RFC 9112 section 3.2).
import { isIPv6 } from 'node:net';
import {
  hexDigits as hexDigitsImported,
  noDigit as noDigitImported,
  regNameBytes as regNameBytesImported,
} from './characters.js';

// Copies of imports: V8 loads and checks an imported binding at each use, and folds a constant of the module into the code.
const hexDigits = hexDigitsImported;
const noDigit = noDigitImported;
const regNameBytes = regNameBytesImported;

const percent = 0x25;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const zero = 0x30;

/** Schemes of an absolute-form target that is served, with their default ports (RFC 9110 section 4.2). */
const defaultPorts: Readonly<Record<string, string>> = { http: ':80', https: ':443' };

/**
 * Whether the bytes `from` to `to` are `uri-host [ ":" port ]` with a host that is not empty. User information, paths,
 * blanks, lists and ports beyond 65535 are not. A colon without a port is allowed, as RFC 3986 section 3.2.3 has it.
 */
export function isAuthority(buffer: Buffer, from: number, to: number): boolean {
  const hostEnd = buffer[from] === openBracket ? endOfLiteral(buffer, from, to) : endOfRegName(buffer, from, to);
  if (hostEnd <= from) return false;
  if (hostEnd === to) return true;
  if (buffer[hostEnd] !== colon || to - hostEnd > 6) return false;
  let port = 0;
  for (let at = hostEnd + 1; at < to; at++) {
    const digit = (buffer[at] as number) - zero;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65535;
}

/** Whether two authorities name the same host and port for a scheme: case and the default port do not matter. */
export function sameAuthority(one: string, other: string, scheme: 'http' | 'https'): boolean {
  return one === other || comparable(one, scheme) === comparable(other, scheme);
}

function comparable(authority: string, scheme: 'http' | 'https'): string {
  const lower = authority.toLowerCase();
  const port = defaultPorts[scheme] as string;
  if (lower.endsWith(port)) return lower.slice(0, -port.length);
  return lower.endsWith(':') ? lower.slice(0, -1) : lower;
}

/** End of a reg-name or IPv4 address; `from` where there is none. */
function endOfRegName(buffer: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const byte = buffer[at] as number;
    if (regNameBytes[byte] !== 0) at++;
    else if (byte === percent && isHex(buffer, at + 1, to) && isHex(buffer, at + 2, to)) at += 3;
    else break;
  }
  return at;
}

const isHex = (buffer: Buffer, at: number, to: number): boolean => at < to && hexDigits[buffer[at] as number] !== noDigit;

/** End of an IPv6 address in brackets; `from` where it is none. Zones are for one machine only and make none (RFC 6874 section 1). */
function endOfLiteral(buffer: Buffer, from: number, to: number): number {
  const close = buffer.indexOf(closeBracket, from);
  if (close < 0 || close >= to) return from;
  const address = buffer.toString('latin1', from + 1, close);
  return isIPv6(address) && !address.includes('%') ? close + 1 : from;
}
