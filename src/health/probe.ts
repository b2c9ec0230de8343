// One probe of a backend: a connection, or a request whose answer is looked at. Bounded in time and bytes; follows no redirect.
import http from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { packageVersion } from '../base/package-version.js';
import { codeOf } from '../errors/classify.js';
import { type Backend, speaksHttp2, speaksTls } from '../model/backend.js';
import type { Healthcheck } from '../model/healthcheck.js';
import { includesStatus } from '../model/status-ranges.js';
import { type BackendTls, dial } from '../upstream/dial.js';
import { formatProxyHeader } from '../upstream/proxy-header.js';

/** What a probe found: that the backend is well, or in a few words why not. */
export type ProbeResult = { readonly kind: 'well' } | { readonly kind: 'ill'; readonly why: string };

/** What is asked of a backend: a check of its frontend, or a mere connection. */
export type ProbeRequest = Pick<Healthcheck, 'timeout'> & (Healthcheck | { readonly type: 'tcp' });

/** A probe that runs. */
export interface RunningProbe {
  /** Never rejects. */
  readonly result: Promise<ProbeResult>;
  /** Ends it, with the result that it was stopped. */
  stop(): void;
}

/** Makes probes; given to whoever decides when. */
export type StartProbe = (backend: Backend, request: ProbeRequest) => RunningProbe;

/** Bytes of a body that are looked through for the text that it must contain. */
const maxBody = 65_536;

const userAgent = `cjs-proxy-healthcheck/${packageVersion}`;

const well: ProbeResult = Object.freeze({ kind: 'well' });

/** @param trust how backends that speak TLS are verified: as for the requests of clients */
export function createStartProbe(trust: BackendTls): StartProbe {
  return (backend, request) => {
    let settle: (result: ProbeResult) => void = () => undefined;
    const result = new Promise<ProbeResult>((resolve) => {
      settle = resolve;
    });
    const { proxyProtocol } = backend;
    // Nobody but us asks, and a backend that expects a header answers nobody without one.
    const preface = proxyProtocol === 'none' ? null : formatProxyHeader(proxyProtocol, null);
    const socket = dial(backend, null, trust, { preface });
    // A probe keeps no process alive, and what it leaves open is closed with its result, whatever the other side does.
    socket.unref();
    const timer = setTimeout(() => end(ill(`no answer in ${request.timeout} ms`)), request.timeout);
    timer.unref();

    function end(found: ProbeResult): void {
      clearTimeout(timer);
      settle(found);
      socket.destroy();
    }

    socket.on('error', (error) => end(ill(codeOf(error) || error.message)));
    socket.on('close', () => end(ill('closed')));
    if (request.type === 'tcp') socket.once(speaksTls(backend) ? 'secureConnect' : 'connect', () => end(well));
    else if (speaksHttp2(backend)) void askHttp2(socket, backend, request, end);
    else ask(socket, backend, request, end);
    return { result, stop: () => end(ill('stopped')) };
  };
}

type End = (result: ProbeResult) => void;

function ask(socket: Socket, backend: Backend, check: Healthcheck, end: End): void {
  const request = http.request({
    createConnection: () => socket,
    method: check.method,
    path: check.path ?? '/',
    headers: { host: hostOf(backend, check), 'user-agent': userAgent, connection: 'close' },
    setHost: false,
  });
  request.on('error', (error) => end(ill(codeOf(error) || error.message)));
  request.on('upgrade', () => end(ill('status 101')));
  request.on('response', (response) => judge(check, response.statusCode ?? 0, response, end));
  request.end();
}

async function askHttp2(socket: Socket, backend: Backend, check: Healthcheck, end: End): Promise<void> {
  const secure = speaksTls(backend);
  const connected = new Promise((resolve) => socket.once(secure ? 'secureConnect' : 'connect', resolve));
  const [{ askOverHttp2 }] = await Promise.all([import('./probe-http2.js'), connected]);
  const fields = {
    ':method': check.method,
    ':path': check.path ?? '/',
    ':scheme': secure ? 'https' : 'http',
    ':authority': hostOf(backend, check),
    'user-agent': userAgent,
  };
  askOverHttp2(socket, secure, fields, {
    answered: (status, body) => judge(check, status, body, end),
    failed: (why) => end(ill(why)),
  });
}

function judge(check: Healthcheck, status: number, body: Readable, end: End): void {
  const statuses = check.status ?? [];
  if (statuses.length > 0 && !includesStatus(statuses, status)) end(ill(`status ${status}`));
  else if (!check.body) end(well);
  else search(body, Buffer.from(check.body, 'utf8'), end);
}

/** Reads no more of a body than is needed to find a text in it. */
function search(response: Readable, wanted: Buffer, end: End): void {
  let read = Buffer.alloc(0);
  response.on('data', (piece: Buffer) => {
    read = Buffer.concat([read, piece]);
    if (read.includes(wanted)) end(well);
    else if (read.length > maxBody) end(ill(`the body does not contain the text in its first ${maxBody} bytes`));
  });
  response.on('end', () => end(ill('the body does not contain the text')));
  response.on('error', (error) => end(ill(codeOf(error) || error.message)));
}

function ill(why: string): ProbeResult {
  return { kind: 'ill', why };
}

/** Host as the check has it, or as a client of this backend alone would write it; a unix socket has none. */
function hostOf(backend: Backend, check: Healthcheck): string {
  const { host, port } = backend;
  if (check.host) return check.host;
  if (host === '') return 'localhost';
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (speaksTls(backend) ? 443 : 80) ? name : `${name}:${port}`;
}
