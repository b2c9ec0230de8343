// What a client is shown of an error: the page of the frontend, of the operator or of the product, or what a program can read.
import { STATUS_CODES } from 'node:http';
import { catalog } from '../errors/catalog.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from '../exchange/exchange.js';
import { Kind } from '../http1/headers.js';
import { ownPage } from '../model/policy/pages.js';
import type { ErrorPages } from './error-pages.js';
import type { Page } from './page-instead.js';
import { decideRepresentation } from './representation.js';

/** Bodies of errors. Only public texts: details are for the log. The buffers are not to be changed. */
export interface ErrorBodies {
  /** For an error that the proxy answers itself. */
  ofError(exchange: Exchange, error: ProxyError): Page;
  /** For an error that a backend answered and whose body is kept from the client. */
  ofBackend(exchange: Exchange, status: number): Page;
}

/** @param pages of the operator, or the shipped ones */
export function createErrorBodies(pages: ErrorPages): ErrorBodies {
  return {
    ofError(exchange, error) {
      const { code, status, source } = error;
      const { text } = catalog[code];
      const closed = code === 'maintenance' ? exchange.route?.policy?.maintenance : undefined;
      const shown = closed?.page ?? null;
      switch (decideRepresentation(exchange.head.headers.joined(Kind.accept))) {
        case 'json':
          return json({ code, status, source, message: text, requestId: exchange.id });
        case 'html':
          if (shown !== null) return { type: closed?.html === true ? html : plain, body: shown };
          return htmlPage(exchange, status) ?? fromFile(pages.page(status, code)) ?? plainText(text);
        case 'text':
          return shown !== null && closed?.html === false ? { type: plain, body: shown } : plainText(text);
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

function plainText(text: string): Page {
  return { type: 'text/plain', body: Buffer.from(`${text}\n`, 'utf8') };
}

function json(error: Readonly<Record<string, string | number>>): Page {
  return { type: 'application/json', body: Buffer.from(`${JSON.stringify({ error })}\n`, 'utf8') };
}
