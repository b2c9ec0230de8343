// The fleet by its management API: over HTTP or HTTPS, with a token or a certificate.
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Fault } from '../../management/problem.js';
import { CommandError } from '../command-error.js';
import { type Fleet, type FleetCall, type FleetReply, Refusal } from './fleet.js';

export interface HttpFleetOptions {
  /** `http://127.0.0.1:8081`, with `/api/v1` or without. */
  readonly url: string;
  /** Empty: none. */
  readonly token: string;
  /** Files in PEM form; empty: none. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Longest that an answer may take to begin, in milliseconds: more than `?wait=applied` waits at most. */
const patience = 70_000;
/** Calls at a time. */
const most = 16;

export class HttpFleet implements Fleet {
  readonly place: string;
  readonly #base: URL;
  readonly #token: string;
  readonly #agent: http.Agent;

  /** @throws CommandError for a URL that is none, and a file that cannot be read */
  constructor({ url, token, ca, cert, key }: HttpFleetOptions) {
    const base = URL.canParse(url) ? new URL(url) : null;
    if (base === null || !/^https?:$/.test(base.protocol) || base.username !== '' || base.password !== '')
      throw new CommandError('the management API is named by a URL such as http://127.0.0.1:8081 (the token goes by itself)', 2);
    this.#base = base;
    this.#token = token;
    this.place = `${base.protocol}//${base.host}`;
    const limits = { keepAlive: true, maxSockets: most };
    const files = { ...read('ca', ca), ...read('cert', cert), ...read('key', key) };
    this.#agent = base.protocol === 'https:' ? new https.Agent({ ...limits, ...files }) : new http.Agent(limits);
  }

  async ask(call: FleetCall): Promise<FleetReply> {
    const response = await this.#exchange(call);
    const { etag = '', 'x-next-cursor': cursor = '' } = response.headers;
    return { body: this.#parsed(await this.#text(response), response.statusCode ?? 0), etag, cursor: String(cursor) };
  }

  async *stream(call: FleetCall): AsyncIterable<string> {
    const response = await this.#exchange(call);
    try {
      for await (const piece of response.setEncoding('utf8')) yield String(piece);
    } catch (error) {
      this.#silent(error as Error);
    }
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** @returns an answer that says it is done */
  async #exchange({ method, path, query = {}, body, ifMatch }: FleetCall): Promise<IncomingMessage> {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/(?:api\/v1\/?)?$/, '')}/api/v1${path}`;
    for (const [name, value] of Object.entries(query)) for (const text of [value].flat()) url.searchParams.append(name, text);
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = {
      accept: 'application/json',
      ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(sent === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    };
    const response = await this.#send(url, method.toUpperCase(), headers, sent);
    const { statusCode: status = 0 } = response;
    if (status < 300) return response;
    throw asRefusal(status, this.#parsed(await this.#text(response), status));
  }

  #text(response: IncomingMessage): Promise<string> {
    return everything(response).catch((error: Error) => this.#silent(error));
  }

  #send(url: URL, method: string, headers: Record<string, string>, body: string | undefined): Promise<IncomingMessage> {
    const { request } = url.protocol === 'https:' ? https : http;
    return new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.#agent, timeout: patience }, resolve);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${patience / 1000} s`)));
      outgoing.on('error', reject);
      outgoing.end(body);
    }).catch((error: Error) => this.#silent(error));
  }

  #silent(error: Error): never {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const advice =
      code === 'ECONNREFUSED'
        ? 'nobody listens there: start it with `cjs-proxy api`, name another place with --api, or the store itself with --driver'
        : message || code;
    throw new Refusal(0, `the management API at ${this.place} cannot be asked: ${advice}`, [], error);
  }

  #parsed(text: string, status: number): unknown {
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw new Refusal(status, `what answers at ${this.place} is no management API (status ${status})`);
    }
  }
}

function read(option: 'ca' | 'cert' | 'key', path: string): Partial<Record<'ca' | 'cert' | 'key', Buffer>> {
  if (path === '') return {};
  try {
    return { [option]: readFileSync(path) };
  } catch (error) {
    throw new CommandError(`cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`, 2);
  }
}

/** An answer that is no problem document is shown by its status. */
function asRefusal(status: number, answer: unknown): Refusal {
  const { title, errors } = (answer ?? {}) as { readonly title?: unknown; readonly errors?: unknown };
  const advice =
    status === 401 ? ': give the token with --token-file, or in CJS_PROXY_TOKEN' : typeof title === 'string' ? '' : ` ${status}`;
  const message = typeof title === 'string' ? title : 'the management API answered with status';
  return new Refusal(status, message + advice, Array.isArray(errors) ? (errors as Fault[]) : []);
}

async function everything(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += String(piece);
  return text;
}
