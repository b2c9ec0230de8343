// Stands before pebble and passes everything on, so that a test sees what is asked, may hold it up, and has what pebble 2.4 lacks:
// advice on renewals, and the word on which certificate an order replaces (RFC 9773).
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Pebble } from './pebble.js';

/** Where a request is held up: before the authority hears of it, or before its answer is heard. */
export type HeldAt = 'request' | 'answer';

export interface AcmeFront {
  /** URL of the directory. */
  readonly directory: string;
  /** Ids of certificates that advice was asked on. */
  readonly asked: readonly string[];
  /** Orders that were asked for: the name, and the id of what each replaces; empty: nothing. */
  readonly orders: readonly { readonly name: string; readonly replaces: string }[];
  /** The window that is advised from now on, in milliseconds since the epoch. */
  advise(start: number, end: number): void;
  /** The next order that replaces something is refused: it was replaced already. */
  refuseReplacement(): void;
  /** Holds the next request to a path up. @returns resolves when it is there, and done with as `at` says */
  hold(path: RegExp, at: HeldAt): Promise<void>;
  close(): Promise<void>;
}

interface Hold {
  readonly path: RegExp;
  readonly at: HeldAt;
  readonly reached: () => void;
}

export async function startAcmeFront(pebble: Pebble): Promise<AcmeFront> {
  const { key, cert } = pebble.authority.issue('127.0.0.1');
  const asked: string[] = [];
  const orders: { name: string; replaces: string }[] = [];
  const target = new URL(pebble.directory);
  let advised = { start: Date.now() + 86_400_000, end: Date.now() + 2 * 86_400_000 };
  let refuses = false;
  let hold: Hold | null = null;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = await bytesOf(request);
    if (path.startsWith('/advice/')) {
      asked.push(path.slice('/advice/'.length));
      const suggestedWindow = { start: new Date(advised.start).toISOString(), end: new Date(advised.end).toISOString() };
      response.writeHead(200, { 'Retry-After': '3600' }).end(JSON.stringify({ suggestedWindow }));
      return;
    }
    const order = path.startsWith('/order-plz') ? orderOf(body) : null;
    if (order !== null) {
      if (refuses && order.replaces !== '') {
        refuses = false;
        orders.push(order);
        const problem = { type: 'urn:ietf:params:acme:error:alreadyReplaced', detail: 'it has a successor', status: 409 };
        response.writeHead(409, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(problem));
        return;
      }
    }
    const held = hold?.path.test(path) ? hold : null;
    if (held !== null) hold = null;
    if (held?.at === 'request') {
      held.reached();
      return;
    }
    const reply = await passOn(request, body);
    const text = await bytesOf(reply);
    // Otherwise a nonce was refused, and it is asked again.
    const accepted = (reply.statusCode ?? 0) < 400;
    if (order !== null && accepted) orders.push(order);
    if (held !== null && accepted) {
      held.reached();
      return;
    }
    hold ??= held;
    const directory = path === '/dir';
    const sent = directory ? JSON.stringify({ ...JSON.parse(text.toString()), renewalInfo: `${origin}/advice` }) : text;
    const { 'content-length': _length, ...headers } = reply.headers;
    response.writeHead(reply.statusCode ?? 0, headers).end(sent);
  }

  /** The host stays: pebble makes its URLs of it, and looks for it in what is signed. */
  function passOn({ method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { host: target.hostname, port: target.port, path: url, method, headers, ca: pebble.ca, agent: false };
      https.request(options, resolve).on('error', reject).end(body);
    });
  }

  const server = https.createServer({ key, cert }, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    directory: `${origin}/dir`,
    asked,
    orders,
    advise: (start, end) => {
      advised = { start, end };
    },
    refuseReplacement: () => {
      refuses = true;
    },
    hold: (path, at) =>
      new Promise((reached) => {
        hold = { path, at, reached };
      }),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** What an order asks for: the payload of what is signed (RFC 7515 section 7.2.2). */
function orderOf(body: Buffer): { name: string; replaces: string } {
  const { payload } = JSON.parse(body.toString()) as { payload: string };
  const { identifiers, replaces = '' } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    identifiers: { value: string }[];
    replaces?: string;
  };
  return { name: identifiers[0]?.value ?? '', replaces };
}
