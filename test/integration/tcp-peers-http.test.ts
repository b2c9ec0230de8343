// A real HTTP service behind one kept connection: fifo mode, as Proximux was used for services that bear few connections.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { pause } from '../helpers/eventually.js';
import { startStreams } from '../helpers/streams.js';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

interface Service {
  readonly port: number;
  /** Connections that it accepted. */
  readonly accepted: number;
  /** Requests, and the most that ran at a time. */
  readonly served: number;
  readonly most: number;
}

/** Says who asked and what, in one piece, in several pieces with pauses, or at length. */
async function startService(): Promise<Service> {
  const counted = { accepted: 0, served: 0, most: 0, running: 0 };
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    counted.served++;
    counted.most = Math.max(counted.most, ++counted.running);
    response.once('close', () => counted.running--);
    void answer(request, response);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    counted.accepted++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ending.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get accepted() {
      return counted.accepted;
    },
    get served() {
      return counted.served;
    },
    get most() {
      return counted.most;
    },
  };
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request.setEncoding('latin1')) body += chunk;
  const said = `${request.method} ${request.url} ${request.headers['x-client']} ${body}`;
  const url = request.url ?? '';
  if (url.startsWith('/large')) {
    response.end(said.padEnd(400_000, '.'));
  } else if (url.startsWith('/pieces')) {
    for (const piece of [said, 'second', 'third']) {
      response.write(`${piece}\n`);
      await pause(8);
    }
    response.end();
  } else response.end(said);
}

/** A browser-like client: one kept connection, one request after the other. */
function client(port: number, name: string): (path: string, body?: string) => Promise<string> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  ending.push(() => agent.destroy());
  return (path, body = '') =>
    new Promise((resolve, reject) => {
      const method = body === '' ? 'GET' : 'POST';
      const headers = { 'x-client': name, ...(body === '' ? {} : { 'content-length': body.length }) };
      const asked = http.request({ host: '127.0.0.1', port, path, method, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (piece: string) => {
          text += piece;
        });
        response.once('error', reject);
        response.once('end', () => resolve(text));
      });
      asked.once('error', reject);
      asked.end(body);
    });
}

async function front(service: Service, stream: object): Promise<number> {
  const targets = [`tcp://127.0.0.1:${service.port}`];
  const started = await startStreams({ streams: [{ name: 'web', mode: 'fifo', targets, ...stream }] });
  ending.push(() => started.close());
  return started.port();
}

describe('an HTTP service in fifo mode', () => {
  it('serves 30 clients with kept connections over one, each with its own answers, one at a time', async () => {
    const service = await startService();
    const port = await front(service, { framing: 'chunk' });
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const ask = client(port, `c${index}`);
        for (let turn = 0; turn < 15; turn++) {
          expect(await ask(`/a?${index}.${turn}`)).toBe(`GET /a?${index}.${turn} c${index} `);
        }
      }),
    );
    expect([service.accepted, service.served, service.most]).toEqual([1, 450, 1]);
  });

  it('delivers answers and takes requests of many pieces whole where silence ends a message', async () => {
    const service = await startService();
    const port = await front(service, { framing: { type: 'idle-gap', milliseconds: 120 } });
    await Promise.all(
      Array.from({ length: 3 }, async (_, index) => {
        const ask = client(port, `c${index}`);
        expect(await ask(`/pieces/${index}`)).toBe(`GET /pieces/${index} c${index} \nsecond\nthird\n`);
        expect(await ask(`/large/${index}`)).toBe(`GET /large/${index} c${index} `.padEnd(400_000, '.'));
        const body = `${index}`.repeat(200_000);
        expect(await ask('/form', body)).toBe(`POST /form c${index} ${body}`);
      }),
    );
    expect([service.accepted, service.served, service.most]).toEqual([1, 9, 1]);
  });

  it('serves curl, which asks twice over one connection of its own', async () => {
    const service = await startService();
    const port = await front(service, { framing: 'chunk' });
    const url = (path: string) => `http://127.0.0.1:${port}/${path}`;
    const args = ['-sS', '-H', 'x-client: curl', '-w', '\n%{num_connects}\n', url('one'), url('two')];
    const { stdout } = await promisify(execFile)('curl', args);
    expect(stdout.trim().split('\n')).toEqual(['GET /one curl ', '1', 'GET /two curl ', '0']);
    expect(service.accepted).toBe(1);
  });
});
