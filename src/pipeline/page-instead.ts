// Puts a page in the place of a backend's answer: a port before the client's that sends the page and swallows the body.
import { STATUS_CODES } from 'node:http';
import type { Exchange } from '../exchange/exchange.js';
import { headerListFromPairs } from '../http1/header-pairs.js';
import type { ResponseHead } from '../http1/message.js';
import { PortBeforeClient } from './port-before-client.js';

/** What is sent instead. */
export interface Page {
  readonly type: string;
  /** Not to be changed. */
  readonly body: Buffer;
}

/** Lines of the backend that mean the client, whatever the body says. */
const keptNames = ['www-authenticate', 'retry-after', 'allow'] as const;

/** More than this is not read to save the backend's connection. */
const swallowLimit = 256 * 1024;

export class PageInstead extends PortBeforeClient {
  readonly #exchange: Exchange;
  readonly #page: Page;
  #swallowed = 0;

  /** Takes the place of `exchange.downstream`. */
  constructor(exchange: Exchange, page: Page) {
    super(exchange);
    this.#exchange = exchange;
    this.#page = page;
  }

  begin(head: ResponseHead, extra: string, _buffer: Buffer, start: number, end: number, last: boolean): boolean {
    const { type, body } = this.#page;
    const length = this.#exchange.head.method === 'HEAD' ? 0 : body.length;
    const pairs = ['content-type', type, 'cache-control', 'no-cache', 'content-length', String(body.length)];
    for (const name of keptNames) for (const value of head.headers.values(name)) pairs.push(name, value);
    const reason = STATUS_CODES[head.status] ?? '';
    const own: ResponseHead = {
      status: head.status,
      line: `HTTP/1.1 ${head.status} ${reason}\r\n`,
      reason,
      minor: 1,
      headers: headerListFromPairs(pairs),
      body: length,
      keepAlive: head.keepAlive,
      upgrade: '',
      connectionNames: head.connectionNames,
    };
    this.client.begin(own, extra, body, 0, length, true);
    return this.#swallow(end - start, last);
  }

  write(_buffer: Buffer, start: number, end: number, last: boolean): boolean {
    return this.#swallow(end - start, last);
  }

  end(): void {}

  /** The page was sent whole: that the backend broke off what nobody reads is no reason to break off more. */
  override cut(): void {
    if (!this.client.begun) this.client.cut();
  }

  #swallow(size: number, last: boolean): boolean {
    this.#swallowed += size;
    if (last || this.#swallowed <= swallowLimit) return true;
    this.#exchange.upstream?.cut();
    this.#exchange.end('forwarded');
    return true;
  }
}
