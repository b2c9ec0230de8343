// A backend that keeps every request waiting until the test lets it go: for what must happen while a request is running.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually.js';

export interface HeldBackend {
  readonly url: string;
  /** Resolves when so many requests wait. */
  waiting(count: number): Promise<void>;
  /** Completes all that wait; each gets the head and the first half of its body at once, the rest now. */
  release(): void;
  close(): Promise<void>;
}

/** What a client gets in the end. */
export const heldAnswer = 'first half, second half';

export async function startHeldBackend(): Promise<HeldBackend> {
  const held: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('first half, ');
    held.push(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting: async (count) => void (await eventually(`${count} waiting requests`, () => held.length >= count)),
    release: () => {
      for (const response of held.splice(0)) response.end('second half');
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
