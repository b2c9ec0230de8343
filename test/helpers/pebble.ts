// A real certificate authority for a test: Debian's pebble, with a name server whose answers the test decides.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, createAuthority } from './certs.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { programPath } from './programs.js';

export interface PebbleOptions {
  /** Where it looks for proofs, on whatever address the name server tells. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Percent of good nonces that it refuses. */
  readonly nonceReject?: number;
  /** An account must be bound to one of these, by id of the key. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
}

export interface Pebble {
  /** Signs certificates of servers that its clients trust as they trust it. */
  readonly authority: Authority;
  /** URL of its directory, and the file of the authority that its own certificate is signed by. */
  readonly directory: string;
  readonly caFile: string;
  /** PEM of the same. */
  readonly ca: string;
  /** PEM of the root that it signs with. */
  root(): Promise<string>;
  /** What it wrote. */
  said(): string;
  /** Has a name, or all names, lie at an address; an empty one: nowhere. */
  point(address: string, host?: string): Promise<void>;
  /** URL of its name server's management, for hooks. */
  readonly names: string;
  /** Ends it and starts it anew: it has forgotten everything. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-pebble-'));
  const [port, managementPort, dnsPort, namesPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const authority = createAuthority();
  const own = authority.issue('127.0.0.1', 'localhost');
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.ca, authority.cert);
  writeFileSync(files.cert, own.cert);
  writeFileSync(files.key, own.key);
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: files.cert,
    privateKey: files.key,
    httpPort: options.httpPort,
    tlsPort: options.tlsPort,
    externalAccountBindingRequired: options.externalAccounts !== undefined,
    externalAccountMACKeys: options.externalAccounts ?? {},
  };
  writeFileSync(join(folder, 'pebble.json'), JSON.stringify({ pebble: config }));
  let output = '';
  const begin = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess => {
    const child = spawn(program, args, { env: { PATH: programPath, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-100_000);
      });
    }
    return child;
  };
  const names = `http://127.0.0.1:${namesPort}`;
  const nameServer = begin('pebble-challtestsrv', [
    ...['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${namesPort}`],
    ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''],
  ]);
  // Without pauses of its own, and with each authorization of a name proved anew.
  const env = {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_AUTHZREUSE: '0',
    PEBBLE_WFE_NONCEREJECT: String(options.nonceReject ?? 0),
  };
  const directory = `https://127.0.0.1:${port}/dir`;
  const startServer = async (): Promise<ChildProcess> => {
    const args = ['-config', join(folder, 'pebble.json'), '-dnsserver', `127.0.0.1:${dnsPort}`];
    const child = begin('pebble', args, env);
    const up = () => {
      if (child.exitCode !== null) throw new Error(`pebble did not start:\n${output}`);
      return fetchText(directory, authority.cert).catch(() => null);
    };
    await eventually('pebble', up, 15_000);
    return child;
  };
  let server = await startServer();
  const killAtExit = () => {
    server.kill('SIGKILL');
    nameServer.kill('SIGKILL');
  };
  process.once('exit', killAtExit);
  const ask = async (path: string, body: object): Promise<void> => {
    const url = `${names}/${path}`;
    await eventually('the name server', () => post(url, JSON.stringify(body)).catch(() => false), 15_000);
  };
  await ask('set-default-ipv4', { ip: '127.0.0.1' });
  return {
    authority,
    directory,
    caFile: files.ca,
    ca: authority.cert,
    names,
    root: () => fetchText(`https://127.0.0.1:${managementPort}/roots/0`, authority.cert),
    said: () => output,
    async point(address, host) {
      if (host === undefined) await ask('set-default-ipv4', { ip: address });
      else if (address === '') await ask('clear-a', { host: `${host}.` });
      else await ask('add-a', { host: `${host}.`, addresses: [address] });
    },
    async restart() {
      await end(server);
      server = await startServer();
    },
    async stop() {
      process.off('exit', killAtExit);
      await end(server);
      await end(nameServer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ca, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

function post(url: string, body: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    request.on('error', reject);
    request.end(body);
  });
}
