// What tells clients apart for a balancer: the address, or a part of the request that the policy names.
import type { Exchange } from '../exchange/exchange.js';
import { cookieValue } from '../http1/cookies.js';
import { type HeaderList, spanSize } from '../http1/headers.js';
import type { HashOn } from '../model/policy/balancing.js';

/**
 * The key of a request.
 * @param hashOn undefined: the address of the client, as far as trusted proxies tell it
 * @returns the address as well where the request lacks the part that is asked for: such clients are spread, not heaped on one backend
 */
export function clientKey(exchange: Exchange, hashOn: HashOn | undefined): string {
  if (hashOn === undefined) return exchange.clientAddress;
  return partOf(exchange, hashOn) || exchange.clientAddress;
}

function partOf({ head }: Exchange, { kind, name }: HashOn): string {
  switch (kind) {
    case 'path':
      return pathOf(head.target);
    case 'query':
      return queryValue(head.target, name);
    case 'cookie':
      return cookieValue(head.headers, name);
    case 'header':
      return headerValue(head.headers, name.toLowerCase());
  }
}

/** The first line of a name in lower case. Most lines are passed over by the length of their names, without a copy. */
function headerValue(headers: HeaderList, name: string): string {
  const { spans, count } = headers;
  for (let line = 0; line < count; line++) {
    const start = spans[line * spanSize + 1] as number;
    const end = spans[line * spanSize + 2] as number;
    if (end - start === name.length && headers.nameAt(line).toLowerCase() === name) return headers.valueAt(line);
  }
  return '';
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

/** The first value of a name in the query, as it was sent: nothing is decoded, so two spellings are two keys. */
function queryValue(target: string, name: string): string {
  let from = target.indexOf('?') + 1;
  if (from === 0) return '';
  while (from < target.length) {
    const ampersand = target.indexOf('&', from);
    const end = ampersand === -1 ? target.length : ampersand;
    if (target.startsWith(name, from) && target[from + name.length] === '=') return target.slice(from + name.length + 1, end);
    from = end + 1;
  }
  return '';
}
