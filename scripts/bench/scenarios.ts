// The jobs of the bench: what the load generator sends and what the backend answers.
import { authenticated, type BenchPolicy, credentials, everything } from './policy.js';

/** One job, the same for every peer. */
export interface Scenario {
  /** For `--only` and in the JSON results. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** Connections of the load generator; each sends its next request when it has the answer to the last. */
  readonly connections: number;
  readonly method: 'GET' | 'POST';
  /** A path that the backend knows (see backend.ts). */
  readonly path: string;
  /** Fields besides `Host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestBodyBytes: number;
  readonly responseBodyBytes: number;
  /** Path prefixes of the host, the job's path among them, each with a frontend of its own: for our node alone. Absent: none. */
  readonly prefixes?: number;
  /** The host is limited: for our node alone. */
  readonly limit?: ScenarioLimit;
  /** Policy of the frontend, four entries of whose list lead to the one backend: for our node alone. Absent: none. */
  readonly policy?: BenchPolicy;
  /** The job that our node is given beside this one, to be compared with it. Absent: none. */
  readonly baseline?: Scenario;
}

/** A rate limit of the host. */
export interface ScenarioLimit {
  /** Points an hour that each client has. */
  readonly points: number;
  /** Addresses that requests come from, told by X-Forwarded-For; 0: the one of the load generator. */
  readonly clients: number;
  /** The points are few enough that nearly all requests are answered 429. */
  readonly refused: boolean;
}

/** Sizes of the bodies, in bytes. */
export const smallBody = 128;
export const largeBody = 64 * 1024;
const uploadBody = 16 * 1024;

const get = { method: 'GET', path: '/small', headers: {}, requestBodyBytes: 0, responseBodyBytes: smallBody } as const;

// With `Host` twelve fields, about as a browser sends them.
const browserHeaders = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language': 'en-GB,en;q=0.7,de;q=0.3',
  'Accept-Encoding': 'gzip, deflate, br',
  Referer: 'http://bench.example/catalogue/page?id=42',
  Cookie: 'session=5f2b6c1e9a7d4e0b8c3f; theme=dark; consent=1',
  'Cache-Control': 'max-age=0',
  Pragma: 'no-cache',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
};

const plain: Scenario = { ...get, name: 'small-64', title: 'GET 128 B, 64 connections', connections: 64 };

/** Jobs that others are compared with, and that nobody asks for by themselves. */
const tenPrefixes: Scenario = {
  ...plain,
  name: 'prefixes-10',
  title: 'GET 128 B, 64 connections, a host with 10 path prefixes',
  prefixes: 10,
};
const oneClient: Scenario = {
  ...plain,
  name: 'clients-1',
  title: 'GET 128 B, 64 connections, a limited host, one client behind a trusted proxy',
  limit: { points: 1_000_000_000, clients: 1, refused: false },
};
const withCredentials: Scenario = {
  ...plain,
  name: 'credentials-64',
  title: 'GET 128 B, 64 connections, with Authorization and Cookie',
  headers: credentials,
};

/** All jobs, in the order of the tables. */
export const scenarios: readonly Scenario[] = [
  { ...get, name: 'small-1', title: 'GET 128 B, 1 connection', connections: 1 },
  plain,
  { ...get, name: 'small-512', title: 'GET 128 B, 512 connections', connections: 512 },
  { ...get, name: 'headers-64', title: 'GET 128 B, 12 header fields, 64 connections', connections: 64, headers: browserHeaders },
  {
    ...get,
    name: 'large-64',
    title: 'GET 64 KiB, 64 connections',
    connections: 64,
    path: '/large',
    responseBodyBytes: largeBody,
  },
  {
    name: 'post-64',
    title: 'POST 16 KiB, 64 connections',
    connections: 64,
    method: 'POST',
    path: '/upload',
    headers: { 'Content-Type': 'application/octet-stream' },
    requestBodyBytes: uploadBody,
    responseBodyBytes: smallBody,
  },
  {
    ...get,
    name: 'connect-64',
    title: 'GET 128 B, a new connection for each request, 64 at a time',
    connections: 64,
    headers: { Connection: 'close' },
  },
  {
    ...get,
    name: 'prefixes-100k',
    baseline: tenPrefixes,
    title: 'GET 128 B, 64 connections, a host with 100,000 path prefixes',
    connections: 64,
    prefixes: 100_000,
  },
  {
    ...get,
    name: 'limited-64',
    baseline: plain,
    title: 'GET 128 B, 64 connections, a limited host',
    connections: 64,
    limit: { points: 1_000_000_000, clients: 0, refused: false },
  },
  {
    ...get,
    name: 'refused-64',
    baseline: plain,
    title: 'GET 128 B, 64 connections, a client without points',
    connections: 64,
    headers: { Accept: 'application/json' },
    limit: { points: 100, clients: 0, refused: true },
  },
  {
    ...get,
    name: 'clients-100k',
    baseline: oneClient,
    title: 'GET 128 B, 64 connections, a limited host, 100,000 clients behind a trusted proxy',
    connections: 64,
    limit: { points: 500, clients: 100_000, refused: false },
  },
  {
    ...get,
    name: 'auth-cached-64',
    baseline: withCredentials,
    title: 'GET 128 B, 64 connections, with credentials, to a frontend whose provider knows the client already',
    connections: 64,
    headers: credentials,
    policy: authenticated,
  },
  {
    ...get,
    name: 'policy-64',
    baseline: withCredentials,
    title: 'GET 128 B, 64 connections, with credentials, to a frontend with everything that a policy may ask for',
    connections: 64,
    path: '/app/small',
    headers: credentials,
    policy: everything,
  },
];
