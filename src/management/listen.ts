// The listener of the management: HTTP, or HTTPS with client certificates where they are asked for, and no client that keeps it busy.
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ApiConfig } from '../config/config.js';
import { formatHost } from '../config/driver-url.js';
import { StartError } from '../errors/start-error.js';

/** Where the API is when no port is set. */
export const standardPort = 8081;

const maxConnections = 512;
/** Milliseconds that an idle connection is kept. */
const keepAlive = 10_000;

export interface ManagementListener {
  /** `http://127.0.0.1:8081`. */
  readonly url: string;
  readonly port: number;
  /** Ends what runs after its answer, and event streams at once. */
  close(): Promise<void>;
}

/** @throws StartError in one line when the address cannot be had or a file cannot be read */
export function listen(config: ApiConfig, handler: RequestListener): Promise<ManagementListener> {
  const secure = config.cert !== '';
  const server: Server = secure ? createSecureServer(tlsOptions(config), handler) : createServer(handler);
  server.requestTimeout = config.requestTimeout;
  server.headersTimeout = Math.min(config.requestTimeout, 10_000);
  server.keepAliveTimeout = keepAlive;
  server.maxConnections = maxConnections;
  const { bind, port } = config;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'another program listens there; choose another port (api.port)' : error.message;
      reject(new StartError(`cannot listen on ${formatHost({ host: bind, port })} for the management API: ${reason}`));
    });
    server.listen({ host: bind, port }, () => {
      const { port: taken } = server.address() as AddressInfo;
      resolve({
        url: `${secure ? 'https' : 'http'}://${formatHost({ host: bind, port: taken })}`,
        port: taken,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeIdleConnections();
            setTimeout(() => server.closeAllConnections(), 1_000).unref();
          }),
      });
    });
  });
}

function tlsOptions({ cert, key, clientCa }: ApiConfig) {
  const asked =
    clientCa.length > 0
      ? { ca: clientCa.map((path) => read(path, 'clientCa')), requestCert: true, rejectUnauthorized: true }
      : {};
  return { cert: read(cert, 'cert'), key: read(key, 'key'), minVersion: 'TLSv1.2' as const, ...asked };
}

function read(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError(
      `cannot read api.${setting}: ${path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      error,
    );
  }
}
