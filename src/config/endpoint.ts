// An endpoint as Proxima writes it: a port, the path of a unix socket, or an object with one of them, and what is wrong with it in its words.
import { isIP } from 'node:net';

/** Where to listen or to connect to: a port of a host, or the path of a unix socket. */
export interface ProximaEndpoint {
  /** 0 with a path. */
  readonly port: number;
  /** An address; empty: none was named. */
  readonly host: string;
  /** Empty with a port. */
  readonly path: string;
  readonly secure: boolean;
}

/** @returns the endpoint, or what is wrong with it */
export function readEndpoint(written: unknown): ProximaEndpoint | string {
  if (typeof written === 'number') return readObject({ port: written });
  if (typeof written === 'string') return readObject({ path: written });
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return 'expecting port or path';
  return readObject(written as Record<string, unknown>);
}

function readObject({ port, path, host = '', secure = false }: Record<string, unknown>): ProximaEndpoint | string {
  if ((port === undefined) === (path === undefined)) return 'expecting port or path';
  if (typeof secure !== 'boolean') return 'expecting true or false in secure';
  if (path !== undefined) {
    if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0') || Buffer.byteLength(path) > 107)
      return 'expecting port or path';
    return { port: 0, host: '', path, secure };
  }
  if (!Number.isInteger(port)) return 'expecting integer';
  if ((port as number) < 1 || (port as number) > 65_535) return 'port out of range';
  if (typeof host !== 'string' || (host !== '' && isIP(host) === 0)) return 'invalid host';
  return { port: port as number, host, path: '', secure };
}

/** As the target of a stream. */
export function endpointTarget({ port, host, path }: ProximaEndpoint): string {
  if (path !== '') return `unix:${path}`;
  return `tcp://${host === '' ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
