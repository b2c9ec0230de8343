// The admin listener: what monitors and orchestrators ask a node, apart from the addresses that clients are served on.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Bind } from '../config/config.js';
import { StartError } from '../errors/start-error.js';

/** An answer of the admin listener. */
export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers a GET of one path. */
type AdminRoute = () => AdminAnswer | Promise<AdminAnswer>;

/** What can be asked, by path. */
export type AdminRoutes = Readonly<Record<string, AdminRoute>>;

export interface AdminListener {
  /** Stops accepting and closes connections, those that are being answered after their answer. */
  close(): void;
}

/** Milliseconds that a client may take to send its request. */
const requestTimeout = 5_000;
const maxConnections = 128;

/** @throws StartError in one line when the address cannot be had */
export function openAdmin({ address, port }: Bind, routes: AdminRoutes): Promise<AdminListener> {
  const server = createServer((request, response) => void answer(request, response, routes));
  server.requestTimeout = requestTimeout;
  server.headersTimeout = requestTimeout;
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      const reason =
        error.code === 'EADDRINUSE' ? 'another program listens there; choose another port (admin.port)' : error.message;
      reject(new StartError(`cannot listen on ${address}:${port} for the admin listener: ${reason}`));
    };
    server.once('error', refused);
    server.listen({ host: address, port }, () => {
      server.off('error', refused);
      server.on('error', () => {});
      resolve({
        close() {
          server.close();
          server.closeIdleConnections();
        },
      });
    });
  });
}

/** An answer in JSON. */
export function jsonAnswer(status: number, value: unknown): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

async function answer(request: IncomingMessage, response: ServerResponse, routes: AdminRoutes): Promise<void> {
  const { status, contentType, body } = await find(request, routes);
  // A monitor that is answered by one process should be free to be answered by another the next time.
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? '' : body);
}

async function find({ method, url = '/' }: IncomingMessage, routes: AdminRoutes): Promise<AdminAnswer> {
  const [path = '/'] = url.split('?', 1);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return jsonAnswer(404, { error: 'not found', paths: Object.keys(routes) });
  if (method !== 'GET' && method !== 'HEAD') return jsonAnswer(405, { error: 'only GET and HEAD' });
  try {
    return await route();
  } catch (error) {
    return jsonAnswer(500, { error: error instanceof Error ? error.message : String(error) });
  }
}
