// Cookies of a request (RFC 6265 section 5.4): one value by its name, without taking the others apart.
import { type HeaderList, Kind } from './headers.js';

/**
 * The value of the first cookie of a name, or an empty text; several Cookie lines count as one (RFC 9113 section 8.2.3). It is
 * as it was sent, without quotes around it.
 */
export function cookieValue(headers: HeaderList, name: string): string {
  if (!headers.has(Kind.cookie)) return '';
  for (let line = 0; line < headers.count; line++) {
    if (headers.kindAt(line) !== Kind.cookie) continue;
    const value = valueIn(headers.valueAt(line), name);
    if (value !== null) return value;
  }
  return '';
}

function valueIn(pairs: string, name: string): string | null {
  let from = 0;
  while (from < pairs.length) {
    const semicolon = pairs.indexOf(';', from);
    const end = semicolon === -1 ? pairs.length : semicolon;
    while (from < end && pairs.charCodeAt(from) === 0x20) from++;
    // Names are told apart by case (RFC 6265 section 5.3).
    if (pairs.startsWith(name, from) && pairs[from + name.length] === '=') {
      const value = pairs.slice(from + name.length + 1, end).trim();
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    from = end + 1;
  }
  return null;
}
