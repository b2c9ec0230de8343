// The rare forms of a request target: an absolute URL, and the asterisk of OPTIONS (RFC 9112 sections 3.2.2 and 3.2.4).
import { isAuthority } from './authority.js';

const slash = 0x2f;
const questionMark = 0x3f;
const asterisk = 0x2a;

/** The parts of an absolute form. */
export interface AbsoluteTarget {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** Path and query to ask a backend for, or `*`. */
  readonly target: string;
}

/** Whether a target that does not begin with a slash can be served: `*` for OPTIONS, or a well-formed http or https URL. */
export function isServedTarget(buffer: Buffer, from: number, to: number, method: string): boolean {
  const scheme = /^https?:\/\//i.exec(buffer.toString('latin1', from, Math.min(to, from + 8)));
  if (scheme === null) return method === 'OPTIONS' && to - from === 1 && buffer[from] === asterisk;
  const authorityStart = from + scheme[0].length;
  let at = authorityStart;
  while (at < to && buffer[at] !== slash && buffer[at] !== questionMark) at++;
  return isAuthority(buffer, authorityStart, at);
}

/** Splits an absolute form that `isServedTarget` has passed. */
export function splitAbsolute(url: string, method: string): AbsoluteTarget {
  const schemeEnd = url.indexOf(':');
  const scheme = schemeEnd === 'https'.length ? 'https' : 'http';
  const rest = url.slice(schemeEnd + '://'.length);
  const authorityEnd = rest.search(/[/?]/);
  // RFC 9112 section 3.2.4: OPTIONS for a URL without path and query asks about the server as a whole.
  if (authorityEnd < 0) return { scheme, authority: rest, target: method === 'OPTIONS' ? '*' : '/' };
  const target = rest.slice(authorityEnd);
  return { scheme, authority: rest.slice(0, authorityEnd), target: target.startsWith('/') ? target : `/${target}` };
}
