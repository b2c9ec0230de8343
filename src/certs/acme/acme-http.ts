// Requests to a certificate authority: HTTPS, bounded in time and size, no redirects, ended when nobody waits for them any more.
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { packageVersion } from '../../base/package-version.js';

export interface AcmeReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Milliseconds for one request; an authority under load is slow, one that hangs is none. */
const longestRequest = 30_000;
/** Chains and directories have a few kilobytes. */
const mostText = 256 * 1024;

export class AcmeHttp {
  readonly #agent: https.Agent;
  readonly #signal: AbortSignal;

  /**
   * @param ca PEM certificates to trust besides those of the system
   * @param signal ends all requests
   */
  constructor(ca: readonly string[], signal: AbortSignal) {
    const trust = ca.length > 0 ? { ca: [...tls.rootCertificates, ...ca] } : {};
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 2, timeout: longestRequest, ...trust });
    this.#signal = signal;
  }

  /** Rejects with an Error in one line, which names the authority, when there is no whole answer. */
  send(method: 'GET' | 'HEAD' | 'POST', url: string, body = ''): Promise<AcmeReply> {
    const target = URL.canParse(url) ? new URL(url) : null;
    // RFC 8555 section 6.1.
    if (target?.protocol !== 'https:')
      return Promise.reject(new Error(`the authority names a URL that is no https: URL: ${url}`));
    return new Promise((resolve, reject) => {
      const headers = {
        'User-Agent': `cjs-proxy/${packageVersion}`,
        'Accept-Language': 'en',
        ...(method === 'POST' ? { 'Content-Type': 'application/jose+json', 'Content-Length': Buffer.byteLength(body) } : {}),
      };
      const fail = (what: string): void => {
        clearTimeout(timer);
        reject(new Error(`${target.origin} ${what}`));
        request.destroy();
      };
      const request = https.request(target, { method, headers, agent: this.#agent, signal: this.#signal });
      const timer = setTimeout(() => fail(`did not answer within ${longestRequest} ms`), longestRequest);
      request.on('error', (error: NodeJS.ErrnoException) => fail(`cannot be asked: ${error.code ?? error.message}`));
      request.on('response', (response) => {
        const pieces: Buffer[] = [];
        let size = 0;
        response.on('data', (piece: Buffer) => {
          size += piece.length;
          if (size > mostText) fail(`sent more than ${mostText} bytes`);
          else pieces.push(piece);
        });
        response.on('error', () => fail('broke off its answer'));
        response.on('end', () => {
          clearTimeout(timer);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(pieces).toString('utf8'),
          });
        });
      });
      request.end(body === '' ? undefined : body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Milliseconds that `Retry-After` asks for (RFC 9110 section 10.2.3); 0: nothing that could be understood. */
export function retryAfterOf(headers: IncomingHttpHeaders): number {
  const text = headers['retry-after'];
  if (text === undefined) return 0;
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}
