// Proxima's file: recognised by `listeners` and `routes`, moved to streams of the mode `l4`, and refused in its own words.
import { ConfigError } from './config-error.js';
import { type Draft, isTree, type Tree } from './draft.js';
import { endpointTarget, type ProximaEndpoint, readEndpoint } from './endpoint.js';

const handlers = ['404', '500', '504'] as const;

/** Rewrites the keys of Proxima. Keys of today may stand beside them, e.g. `driver`, where there is a Redis with more routes. */
export function applyProxima(draft: Draft): void {
  if (!draft.has('listeners') && !draft.has('routes')) return;
  const listeners = readListeners(draft.take('listeners') ?? [8080]);
  const routes = readRoutes(draft.take('routes') ?? []);
  const shared = {
    mode: 'l4',
    routes,
    // What passes through is a tunnel.
    inactivityTimeout: draft.get('server.tunnelTimeout') ?? 0,
    specTimeout: `${readSpecTimeout(draft.take('specTimeout') ?? 1_000)}ms`,
    ...Object.fromEntries(handlers.map((code) => [code, readHandler(code, draft.take(code) ?? true)])),
  };
  const origin = (key: string) => ({ key, source: draft.source });
  const streams = listeners.map(({ port, host, path, secure }, at) => ({
    name: `listener-${at}`,
    ...(path === '' ? { address: host === '' ? '0.0.0.0' : host, port } : { path }),
    secure,
    ...shared,
  }));
  draft.set('streams', streams, origin('listeners'));
  move(draft, 'workers', 'server.workers');
  if (!draft.has('server.workers')) draft.set('server.workers', 0, origin('workers'));
  if (!draft.has('server.workerExits')) draft.set('server.workerExits', 10, origin('workers'));
  moveAccount(draft, 'uid', 'user');
  moveAccount(draft, 'gid', 'group');
  const verbose = draft.take('verbose');
  if (verbose !== undefined && typeof verbose !== 'boolean') refuse('verbose expects true or false');
  if (verbose === true && !draft.has('logLevel')) draft.set('logLevel', 'debug', origin('verbose'));
  // Proxima serves no HTTP of its own, needs no Redis and writes no access log.
  if (!draft.has('http')) draft.set('http.bind', [], origin('http'));
  if (!draft.has('driver')) draft.set('driver', 'none:', origin('driver'));
  if (!draft.has('server.accessLog')) draft.set('server.accessLog', 'none', origin('server.accessLog'));
}

function readListeners(written: unknown): ProximaEndpoint[] {
  if (!Array.isArray(written) || written.length === 0) refuse('no listeners');
  return written.map((one: unknown, at) => {
    const endpoint = readEndpoint(one);
    if (typeof endpoint === 'string') refuse(`invalid listener (${at}): ${endpoint}`);
    return endpoint;
  });
}

/** As entries of the list `patterns`. Where `secure` is absent a route is for connections in clear text. */
function readRoutes(written: unknown): Tree[] {
  if (!Array.isArray(written)) refuse('routes is not an array');
  return written.map((route: unknown, at) => {
    if (!isTree(route)) refuse(`invalid route (${at}): route not an object`);
    const { hostname, to } = route;
    const names: unknown[] = Array.isArray(hostname) ? hostname : [hostname];
    if (names.length === 0 || !names.every((name) => typeof name === 'string' && name !== ''))
      refuse(`invalid route (${at}): expecting regular expression or string hostname`);
    const endpoint = readEndpoint(to);
    if (typeof endpoint === 'string') refuse(`invalid route (${at}): ${endpoint}`);
    const { port, host, path, secure } = endpoint;
    return { hostname: names, secure, to: path === '' ? { port, ...(host === '' ? {} : { host }) } : { path } };
  });
}

function readSpecTimeout(written: unknown): number {
  if (!Number.isInteger(written) || (written as number) < 0) refuse('specTimeout expects an integer');
  return written as number;
}

function readHandler(code: string, written: unknown): boolean | string {
  if (typeof written === 'boolean') return written;
  const endpoint = readEndpoint(written);
  if (typeof endpoint === 'string') refuse(`invalid ${code} error value: ${endpoint}`);
  return endpointTarget(endpoint);
}

function move(draft: Draft, from: string, to: string): void {
  const value = draft.take(from);
  if (value !== undefined && !draft.has(to)) draft.set(to, value, { key: from, source: draft.source });
}

/** An account by name or number. */
function moveAccount(draft: Draft, from: string, to: string): void {
  const value = draft.get(from);
  const isAccount = (typeof value === 'string' && value !== '') || (Number.isInteger(value) && (value as number) >= 0);
  if (value !== undefined && !isAccount) refuse(`${from} argument expects a value`);
  move(draft, from, to);
}

/** Ends the loading with the first fault, as Proxima does. */
function refuse(text: string): never {
  throw new ConfigError([{ kind: 'unreadable', path: '', value: '', allowed: text, source: 'Error' }]);
}
