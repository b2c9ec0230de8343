// A route of dynamic-reverse-proxy: a path prefix and the port that serves it, as somebody registers it.
import { normaliseHost } from '../routing/host-name.js';
import { normalPrefix } from '../routing/path-normal.js';

/** Members that nobody here knows are kept, for whoever listens. */
export interface RegisteredRoute {
  /** Lower case, with a slash before it and none behind it; `/` for everything that no other prefix is for. */
  readonly prefix: string;
  readonly port: number;
  readonly host: string;
  /** The hosts that it is for; absent: all. */
  readonly reqHostNames?: readonly string[];
  /** Who comes without TLS is sent to HTTPS, or refused. */
  readonly requireEncryption?: boolean;
  readonly [member: string]: unknown;
}

const longestPrefix = 1024;
const mostHosts = 100;

/** Prefix of a route as it is kept and shown. */
export function normaliseRoutePrefix(written: string): string {
  const cut = written.endsWith('/') && written.length > 1 && written !== '//' ? written.slice(0, -1) : written;
  return (cut.startsWith('/') ? cut : `/${cut}`).toLowerCase();
}

/**
 * Reads what somebody registers.
 * @param hosts whether the member `host` counts; otherwise every route leads to this machine
 * @returns null where something is missing or cannot be used
 */
export function parseRegisteredRoute(written: unknown, hosts: 'localhost' | 'any'): RegisteredRoute | null {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return null;
  const {
    prefix,
    port: writtenPort,
    host: writtenHost,
    reqHostNames,
    requireEncryption,
    ...others
  } = written as Record<string, unknown>;
  const port = parsePort(writtenPort);
  const host = hosts === 'any' ? parseHost(writtenHost) : 'localhost';
  const names = reqHostNames === undefined ? undefined : parseNames(reqHostNames);
  // What cannot stand in the line of a request cannot be asked for either.
  if (typeof prefix !== 'string' || !/^[\x21-\x7e\x80-\uffff]+$/.test(prefix) || prefix.length > longestPrefix) return null;
  if (port === null || host === null || names === null) return null;
  if (requireEncryption !== undefined && typeof requireEncryption !== 'boolean') return null;
  return {
    ...others,
    prefix: normaliseRoutePrefix(prefix),
    port,
    host,
    ...(names === undefined ? {} : { reqHostNames: names }),
    ...(requireEncryption === undefined ? {} : { requireEncryption }),
  };
}

/** The frontends that a route is written as: one for each of its hosts, or one for all hosts. */
export function frontendNames({ prefix, reqHostNames }: RegisteredRoute): readonly string[] {
  return (reqHostNames ?? ['*']).map((host) => `${host}${prefixKey(prefix)}`);
}

/** The prefix in the name of a frontend, and in a header: nothing in it that would have to be encoded. */
export function prefixKey(prefix: string): string {
  if (prefix === '/') return '';
  // One that no path can begin with once it is in its normal form is kept as it is, and serves nothing.
  return normalPrefix(prefix) || prefix;
}

function parsePort(written: unknown): number | null {
  const port = typeof written === 'string' && /^\d{1,5}$/.test(written) ? Number(written) : written;
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}

function parseHost(written: unknown): string | null {
  if (written === undefined || written === null) return 'localhost';
  if (typeof written !== 'string') return null;
  const name = normaliseHost(written.includes(':') && !written.startsWith('[') ? `[${written}]` : written);
  return name === null || name.host === '' || name.port !== '' ? null : name.host;
}

function parseNames(written: unknown): readonly string[] | null {
  if (!Array.isArray(written) || written.length === 0 || written.length > mostHosts) return null;
  const names: string[] = [];
  for (const text of written) {
    const name = typeof text === 'string' ? normaliseHost(text) : null;
    if (name === null || name.host === '') return null;
    if (!names.includes(name.host)) names.push(name.host);
  }
  return names;
}
