// One GET to a service that knows who may pass, or where keys are: bounded in time and size, no redirects, connections kept.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

/** What came back. */
export interface ServiceReply {
  readonly status: number;
  /** Names and values in turn, as they were sent. */
  readonly headers: readonly string[];
  /** Empty where it was not wanted. */
  readonly body: Buffer;
}

/** What is asked. */
export interface ServiceRequest {
  readonly url: URL;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Whether the body of an answer with this status is wanted. */
  readonly wantsBody: (status: number) => boolean;
}

/** Connections to one service: a flood of clients must not become a flood for it. Those beyond wait within their time. */
const mostConnections = 256;
/** Pages of a login are small, and so are sets of keys. */
const mostBody = 1024 * 1024;
/** What is not wanted is read and thrown away only where that is cheaper than a new connection. */
const mostDrained = 64 * 1024;

export class ServiceCalls {
  readonly #http: http.Agent;
  readonly #https: https.Agent;

  /** @param ca PEM certificates to trust besides the system's */
  constructor(ca: readonly string[]) {
    const keeping = { keepAlive: true, maxSockets: mostConnections, maxFreeSockets: 64, scheduling: 'lifo' } as const;
    this.#http = new http.Agent(keeping);
    this.#https = new https.Agent({ ...keeping, ...(ca.length > 0 ? { ca: [...tls.rootCertificates, ...ca] } : {}) });
  }

  /**
   * Asks. Rejects with an Error in one line that names the service without its path when there is no whole answer.
   */
  async get(request: ServiceRequest): Promise<ServiceReply> {
    const deadline = performance.now() + request.timeout;
    try {
      return await this.#once(request, request.timeout);
    } catch (error) {
      // A kept connection that the service closed just then: no fault of anybody.
      const left = deadline - performance.now();
      if (!(error instanceof StaleConnection) || left <= 0) throw error;
      return await this.#once(request, left, true);
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #once({ url, headers, timeout, wantsBody }: ServiceRequest, left: number, fresh = false): Promise<ServiceReply> {
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => {
        clearTimeout(timer);
        reject(new Error(`${url.origin} ${what}`));
        request.destroy();
      };
      const secure = url.protocol === 'https:';
      const request = (secure ? https : http).request(url, {
        method: 'GET',
        headers: [...headers, 'Host', url.host],
        setHost: false,
        agent: fresh ? false : secure ? this.#https : this.#http,
      });
      const timer = setTimeout(() => fail(`did not answer within ${timeout} ms`), left);
      request.on('upgrade', (_response, socket) => {
        socket.destroy();
        fail('answered with another protocol');
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
          reject(new StaleConnection(url.origin));
        else reject(new Error(`${url.origin} cannot be asked: ${error.code ?? error.message}`));
      });
      request.on('response', (response) => {
        const status = response.statusCode ?? 0;
        const done = (body: Buffer): void => resolve({ status, headers: response.rawHeaders, body });
        // What is not waited for must end in time too.
        response.on('close', () => clearTimeout(timer));
        if (wantsBody(status)) collect(response, done, fail);
        else {
          drain(response);
          done(Buffer.alloc(0));
        }
      });
      request.end();
    });
  }
}

class StaleConnection extends Error {
  constructor(origin: string) {
    super(`${origin} closed the connection`);
  }
}

function collect(response: IncomingMessage, done: (body: Buffer) => void, fail: (what: string) => void): void {
  const pieces: Buffer[] = [];
  let size = 0;
  response.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size > mostBody) fail(`sent more than ${mostBody} bytes`);
    else pieces.push(piece);
  });
  response.on('error', () => fail('broke off its answer'));
  response.on('end', () => done(Buffer.concat(pieces)));
}

function drain(response: IncomingMessage): void {
  let size = 0;
  response.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size > mostDrained) response.destroy();
  });
  response.on('error', () => response.destroy());
}
