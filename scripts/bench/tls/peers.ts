// The proxies of the TLS jobs: HAProxy with one thread, nginx with one worker, and our node with its certificates in Redis.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '../../../test/helpers/free-port.js';
import { nginxMain, nginxTempPaths } from '../nginx-config.js';
import { loadCore, type Processes, proxyCore, type StartedProcess } from '../processes.js';
import { benchHost, waitUntilReady } from '../ready.js';

const run = promisify(execFile);

/** Key and certificate that all peers serve, for `*.bench.example`. */
export interface Pair {
  readonly key: string;
  readonly cert: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
}

interface TlsPeerSetup {
  readonly processes: Processes;
  readonly folder: string;
  readonly backendPort: number;
  readonly pair: Pair;
  /** Names that our node finds in Redis: n0.bench.example and so on. */
  readonly names: number;
}

export interface RunningTlsPeer {
  readonly port: number;
  readonly server: StartedProcess;
  stop(): Promise<void>;
}

export interface TlsPeer {
  readonly name: 'haproxy' | 'nginx' | 'cjs-proxy';
  start(setup: TlsPeerSetup): Promise<RunningTlsPeer>;
}

/** ECDSA over P-256, as most sites have it. */
export function makePair(folder: string): Pair {
  const [key, cert, both] = ['site.key', 'site.pem', 'both.pem'].map((name) => join(folder, name)) as [string, string, string];
  const names = 'subjectAltName=DNS:bench.example,DNS:*.bench.example';
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files, '-days', '30', '-subj', '/CN=bench.example', '-addext', names], {
    stdio: 'ignore',
  });
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  return { key, cert, both };
}

/** Whether a port answers a request over TLS. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { Host: benchHost };
    const options = { port, host: '127.0.0.1', servername: 'n0.bench.example', path: '/small', headers, agent: false };
    const sent = request({ ...options, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.once('error', reject);
    sent.end();
  });
}

const haproxy: TlsPeer = {
  name: 'haproxy',
  async start({ processes, folder, backendPort, pair }) {
    const port = await freePort();
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(config, haproxyConfig(port, backendPort, pair));
    const files = { stdout: join(folder, 'haproxy.log'), stderr: join(folder, 'haproxy.err') };
    const server = processes.start('haproxy', ['-db', '-f', config], { core: proxyCore, ...files });
    await waitUntilReady('haproxy', server, () => answers(port));
    return { port, server, stop: () => server.stop() };
  },
};

function haproxyConfig(port: number, backendPort: number, { both }: Pair): string {
  return `global
  nbthread 1
  maxconn 4096
  log stdout format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend bench
  bind 127.0.0.1:${port} ssl crt ${both} alpn h2,http/1.1 backlog 4096
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Port %[dst_port]
  default_backend backend
backend backend
  http-reuse always
  server one 127.0.0.1:${backendPort}
`;
}

const nginx: TlsPeer = {
  name: 'nginx',
  async start({ processes, folder, backendPort, pair }) {
    const port = await freePort();
    const config = join(folder, 'nginx.conf');
    const stderr = join(folder, 'nginx.err');
    writeFileSync(config, nginxConfig(folder, port, backendPort, pair));
    const server = processes.start('nginx', ['-e', stderr, '-c', config], { core: proxyCore, stdout: stderr, stderr });
    await waitUntilReady('nginx', server, () => answers(port));
    return { port, server, stop: () => server.stop() };
  },
};

function nginxConfig(home: string, port: number, backendPort: number, { key, cert }: Pair): string {
  return `${nginxMain(home)}
http {
  access_log ${join(home, 'nginx.log')} combined buffer=64k flush=1s;
  ${nginxTempPaths(home)}
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${port} ssl http2 backlog=4096;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
    }
  }
}
`;
}

/** The built command, or another build of it. */
const command = process.env.BENCH_COMMAND ?? fileURLToPath(new URL('../../../dist/bin/cjs-proxy.js', import.meta.url));

const cjsProxy: TlsPeer = {
  name: 'cjs-proxy',
  async start({ processes, folder, backendPort, pair, names }) {
    if (!existsSync(command)) throw new Error(`${command} is missing: run "npm run build" first`);
    const redis = await startRedis(processes, folder);
    await fill(redis.port, backendPort, pair, names);
    const port = await freePort();
    const config = join(folder, 'config.json');
    const stderr = join(folder, 'cjs-proxy.err');
    const settings = {
      server: { workers: 0, accessLog: join(folder, 'access.log') },
      http: { bind: [] },
      https: { port, bind: ['127.0.0.1'], key: pair.key, cert: pair.cert },
      driver: `redis://127.0.0.1:${redis.port}`,
    };
    writeFileSync(config, JSON.stringify(settings));
    const profile =
      process.env.BENCH_PROFILES === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILES}`];
    const args = [...profile, command, '--config', config];
    const server = processes.start(process.execPath, args, { core: proxyCore, stdout: stderr, stderr });
    await waitUntilReady('cjs-proxy', server, () => answers(port));
    return {
      port,
      server,
      async stop() {
        await server.stop();
        await redis.server.stop();
      },
    };
  },
};

async function startRedis(processes: Processes, folder: string): Promise<{ port: number; server: StartedProcess }> {
  const port = await freePort();
  const output = join(folder, 'redis.out');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = processes.start('redis-server', args, { core: loadCore, stdout: output, stderr: output });
  const ping = async () => (await run('redis-cli', ['-p', String(port), 'ping'])).stdout.trim() === 'PONG';
  await waitUntilReady('redis-server', server, ping);
  return { port, server };
}

async function fill(port: number, backendPort: number, pair: Pair, names: number): Promise<void> {
  const redis = new Redis({ port, host: '127.0.0.1' });
  const fields = { certificate: readFileSync(pair.cert, 'utf8'), key: readFileSync(pair.key, 'utf8') };
  const backend = `http://127.0.0.1:${backendPort}`;
  await redis.rpush(`frontend:${benchHost}`, 'bench', backend);
  await redis.rpush('frontend:*.bench.example', 'bench', backend);
  for (let at = 0; at < names; at += 500) {
    const some = redis.pipeline();
    for (let name = at; name < Math.min(names, at + 500); name++) some.hset(`tls:n${name}.bench.example`, fields);
    await some.exec();
  }
  redis.disconnect();
}

export const tlsPeers: readonly TlsPeer[] = [haproxy, nginx, cjsProxy];
