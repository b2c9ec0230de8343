// What pebble 2.4 lacks: advice on renewals (RFC 9773). A directory that is pebble's own but for the address where advice is given.
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Pebble } from './pebble.js';

export interface RenewalAdvice {
  /** URL of the directory. */
  readonly directory: string;
  /** Ids of certificates that advice was asked on. */
  readonly asked: readonly string[];
  /** The window that is advised from now on, in milliseconds since the epoch. */
  advise(start: number, end: number): void;
  close(): Promise<void>;
}

export async function startRenewalAdvice(pebble: Pebble): Promise<RenewalAdvice> {
  const { key, cert } = pebble.authority.issue('127.0.0.1');
  const asked: string[] = [];
  let advised = { start: Date.now() + 86_400_000, end: Date.now() + 2 * 86_400_000 };
  const server = https.createServer({ key, cert }, (request, response) => {
    const path = request.url ?? '';
    if (path === '/dir') {
      https.get(pebble.directory, { ca: pebble.ca, agent: false }, async (reply) => {
        let text = '';
        for await (const piece of reply.setEncoding('utf8')) text += piece;
        response.end(JSON.stringify({ ...JSON.parse(text), renewalInfo: `${origin}/advice` }));
      });
      return;
    }
    asked.push(path.slice('/advice/'.length));
    const suggestedWindow = { start: new Date(advised.start).toISOString(), end: new Date(advised.end).toISOString() };
    response.writeHead(200, { 'Retry-After': '3600' }).end(JSON.stringify({ suggestedWindow }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    directory: `${origin}/dir`,
    asked,
    advise: (start, end) => {
      advised = { start, end };
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
