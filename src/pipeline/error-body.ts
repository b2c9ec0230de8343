// What a client is shown of an error: the page of the frontend, of the operator or of the product, or what a program can read.
import { STATUS_CODES } from 'node:http';
import { catalog, type ErrorCode } from '../errors/catalog.js';
import type { ProxyError } from '../errors/proxy-error.js';
import { copiedUpTo } from '../exchange/downstream.js';
import type { Exchange } from '../exchange/exchange.js';
import { Kind } from '../http1/headers.js';
import { ownPage } from '../model/policy/pages.js';
import type { ErrorPages } from './error-pages.js';
import type { Page } from './page-instead.js';
import { decideRepresentation } from './representation.js';

/** What is shown of an error that the proxy answers itself. */
export interface ErrorBody {
  readonly type: string;
  /** A text has a character for each byte. Bytes are not to be changed. */
  readonly body: Buffer | string;
}

/** Bodies of errors. Only public texts: details are for the log. */
export interface ErrorBodies {
  /** For an error that the proxy answers itself. */
  ofError(exchange: Exchange, error: ProxyError): ErrorBody;
  /** For an error that a backend answered and whose body is kept from the client. */
  ofBackend(exchange: Exchange, status: number): Page;
}

/** @param pages of the operator, or the shipped ones */
export function createErrorBodies(pages: ErrorPages): ErrorBodies {
  /** What is the same in all bodies of an error: everything before the id of the request. */
  const beginnings = new Map<ErrorCode, string>();

  /** Ids of requests have no character that JSON would escape, wherever they come from: see stages/identify. */
  function jsonOf(code: ErrorCode, requestId: string): ErrorBody {
    let beginning = beginnings.get(code);
    if (beginning === undefined) {
      const { status, source, text } = catalog[code];
      beginning = `{"error":${JSON.stringify({ code, status, source, message: text }).slice(0, -1)},"requestId":"`;
      beginnings.set(code, beginning);
    }
    return { type: 'application/json', body: `${beginning}${requestId}"}}\n` };
  }

  /** Pages as texts: they are sent by the thousand, each with a head of its own. */
  const texts = new WeakMap<Buffer, string>();

  function asText(page: Page | null): ErrorBody | null {
    if (page === null || page.body.length > copiedUpTo) return page;
    const { type, body } = page;
    let text = texts.get(body);
    if (text === undefined) {
      text = body.toString('latin1');
      texts.set(body, text);
    }
    return { type, body: text };
  }

  return {
    ofError(exchange, error) {
      const { code, status } = error;
      const { text } = catalog[code];
      const closed = code === 'maintenance' ? exchange.route?.policy?.maintenance : undefined;
      const shown = closed?.page ?? null;
      switch (decideRepresentation(exchange.head.headers.joined(Kind.accept))) {
        case 'json':
          return jsonOf(code, exchange.id);
        case 'html':
          if (shown !== null) return { type: closed?.html === true ? html : plain, body: shown };
          return asText(htmlPage(exchange, status) ?? fromFile(pages.page(status, code))) ?? asciiText(text);
        case 'text':
          if (shown !== null && closed?.html === false) return { type: plain, body: shown };
          return asciiText(text);
      }
    },
    ofBackend(exchange, status) {
      const text = STATUS_CODES[status] ?? 'Error';
      switch (decideRepresentation(exchange.head.headers.joined(Kind.accept))) {
        case 'json':
          return json({ code: 'backend-error', status, source: 'backend', message: text, requestId: exchange.id });
        case 'html':
          return htmlPage(exchange, status) ?? fromFile(pages.page(status)) ?? plainText(text);
        case 'text':
          return plainText(text);
      }
    },
  };
}

const html = 'text/html; charset=utf-8';
const plain = 'text/plain; charset=utf-8';

function htmlPage(exchange: Exchange, status: number): Page | null {
  const pages = exchange.route?.policy?.errorPages;
  const page = pages === undefined ? null : ownPage(pages, status);
  return page === null ? null : { type: html, body: page };
}

/** A file says by itself in which characters it is written. */
function fromFile(page: Buffer | null): Page | null {
  return page === null ? null : { type: 'text/html', body: page };
}

/** For texts of the catalog. */
function asciiText(text: string): ErrorBody {
  return { type: 'text/plain', body: `${text}\n` };
}

function plainText(text: string): Page {
  return { type: 'text/plain', body: Buffer.from(`${text}\n`, 'utf8') };
}

function json(error: Readonly<Record<string, string | number>>): Page {
  return { type: 'application/json', body: Buffer.from(`${JSON.stringify({ error })}\n`, 'utf8') };
}
