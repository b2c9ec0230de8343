// Header lines from names and values, for messages that are not read from a connection: own answers and other engines.
import { ProxyError } from '../errors/proxy-error.js';
import { fieldValueBytes, tokenBytes } from './characters.js';
import { type HeadLimits, HeadLines, refused } from './head-lines.js';
import { HeaderList, noHeaders } from './headers.js';

const lines = new HeadLines();

/** Whoever makes the pairs has counted them already. */
const unlimited: HeadLimits = {
  maxHeadBytes: Number.MAX_SAFE_INTEGER,
  maxHeaderCount: Number.MAX_SAFE_INTEGER,
  maxLineBytes: Number.MAX_SAFE_INTEGER,
};

/**
 * A header list from names and values in turn.
 * @throws ProxyError `internal` where a name is no token or a value holds a byte that no field value has (CR and LF above
 *   all, with which one value becomes two headers); characters beyond latin1 are such too
 */
export function headerListFromPairs(pairs: readonly string[]): HeaderList {
  if (pairs.length === 0) return noHeaders;
  if (pairs.length % 2 !== 0) throw new ProxyError('internal', 'a header name without a value');
  let text = '';
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at] as string;
    const value = pairs[at + 1] as string;
    if (name === '' || !consistsOf(name, tokenBytes))
      throw new ProxyError('internal', `header name ${JSON.stringify(name)} is no token`);
    if (!consistsOf(value, fieldValueBytes))
      throw new ProxyError('internal', `the value of header ${name} holds a forbidden character`);
    text += `${name}: ${value}\r\n`;
  }
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  if (lines.scan(bytes, 0, bytes.length, unlimited) === refused) throw new ProxyError('internal', lines.detail);
  return new HeaderList(text, lines.spans(), lines.present);
}

function consistsOf(text: string, allowed: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || allowed[code] === 0) return false;
  }
  return true;
}
