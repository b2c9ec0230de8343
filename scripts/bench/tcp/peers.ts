// The proxies of the TCP jobs: HAProxy in TCP mode with one thread, and our node with one stream.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Processes, proxyCore, type StartedProcess } from '../processes.js';
import { freePort, waitUntilReady } from '../ready.js';

export interface TcpPeer {
  readonly name: 'haproxy' | 'cjs-proxy';
  start(
    processes: Processes,
    folder: string,
    targetPort: number,
  ): Promise<{ readonly port: number; readonly server: StartedProcess }>;
}

/** File descriptors that a process here may have; each connection takes two of a proxy. */
const descriptors = Number(execFileSync('bash', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).replace('unlimited', '1000000'));
/** Connections that a proxy can have here, with some descriptors left for its own needs. */
export const maxConnections = Math.min(10_100, Math.floor((descriptors - 200) / 2));

/** Whether a byte comes back. */
export function echoes(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('close', () => resolve(false));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.write('.');
  });
}

const haproxy: TcpPeer = {
  name: 'haproxy',
  async start(processes, folder, targetPort) {
    const port = await freePort();
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(config, haproxyConfig(port, targetPort));
    const files = { stdout: join(folder, 'haproxy.log'), stderr: join(folder, 'haproxy.err') };
    const server = processes.start('haproxy', ['-db', '-f', config], { core: proxyCore, ...files });
    await waitUntilReady('haproxy', server, () => echoes(port));
    return { port, server };
  },
};

function haproxyConfig(port: number, targetPort: number): string {
  return `global
  nbthread 1
  maxconn ${maxConnections}
  log stdout format raw local0
defaults
  mode tcp
  log global
  option tcplog
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend bench
  bind 127.0.0.1:${port} backlog 4096
  default_backend target
backend target
  server one 127.0.0.1:${targetPort}
`;
}

/** The built command, or another build of it. */
const command = process.env.BENCH_COMMAND ?? fileURLToPath(new URL('../../../dist/bin/cjs-proxy.js', import.meta.url));

const cjsProxy: TcpPeer = {
  name: 'cjs-proxy',
  async start(processes, folder, targetPort) {
    if (!existsSync(command)) throw new Error(`${command} is missing: run "npm run build" first`);
    const port = await freePort();
    const config = join(folder, 'config.json');
    const stderr = join(folder, 'cjs-proxy.err');
    const settings = {
      server: { workers: 0, accessLog: join(folder, 'access.log') },
      http: { bind: [] },
      driver: 'memory:',
      streams: [{ name: 'bench', port, targets: [`tcp://127.0.0.1:${targetPort}`] }],
    };
    writeFileSync(config, JSON.stringify(settings));
    const server = processes.start(process.execPath, [command, '--config', config], { core: proxyCore, stdout: stderr, stderr });
    await waitUntilReady('cjs-proxy', server, () => echoes(port));
    return { port, server };
  },
};

export const tcpPeers: readonly TcpPeer[] = [haproxy, cjsProxy];
