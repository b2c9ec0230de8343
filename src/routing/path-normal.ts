// The path of a request in the one form that prefixes are compared with. The request itself is forwarded as it came.

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const questionMark = 0x3f;
const upperA = 0x41;
const upperZ = 0x5a;
const firstOther = 0x7f;

/**
 * Lower case, without query, empty segments, dot segments (RFC 3986 section 5.2.4), a slash at the end and needless percent-encoding
 * (section 2.3). An encoded slash parts no segments. A path that leads out of the root, and a target that is no path, give `/`. Doing it
 * twice changes nothing.
 * @param target path and query as a client wrote them, a character a byte
 */
export function normalPath(target: string): string {
  const end = plainEnd(target);
  if (end === target.length) return target;
  if (end !== -1) return target.slice(0, end);
  const query = target.indexOf('?');
  return rewritten(query === -1 ? target : target.slice(0, query));
}

/** The prefix as it has to be written in the name of a frontend: empty for `/`. */
export function normalPrefix(text: string): string {
  // Names come as UTF-8, targets byte by byte.
  const path = rewritten(Buffer.from(text, 'utf8').toString('latin1'));
  return path === '/' ? '' : path;
}

/** Where the path of a target ends that is in its normal form already; -1: it is not. Nearly every path of a program is. */
function plainEnd(target: string): number {
  if (target.charCodeAt(0) !== slash) return -1;
  let before = 0;
  for (let at = 0; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === questionMark) return before === slash && at > 1 ? -1 : at;
    if (before === slash && (code === slash || code === dot)) return -1;
    if (code === percent || code >= firstOther || (code >= upperA && code <= upperZ)) return -1;
    before = code;
  }
  return before === slash && target.length > 1 ? -1 : target.length;
}

function rewritten(path: string): string {
  if (!path.startsWith('/')) return '/';
  const segments: string[] = [];
  for (const written of path.split('/')) {
    const segment = normalSegment(written);
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    // Whoever asks for what lies outside is not led to a part of the site that others are kept from.
    else if (segments.pop() === undefined) return '/';
  }
  return `/${segments.join('/')}`;
}

/** One segment of a path in its normal form. */
export function normalSegment(written: string): string {
  return written.replace(/%[0-9a-f]{2}|[%\x7f-\uffff]/gi, normalCharacter).toLowerCase();
}

function normalCharacter(text: string): string {
  if (text === '%') return '%25';
  if (text.length === 1) return `%${text.charCodeAt(0).toString(16)}`;
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : text;
}
