// The proxies of the TCP jobs: HAProxy in TCP mode with one thread, and our node with one stream, by address or by the name in a greeting.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/helpers/free-port.js';
import { type Processes, proxyCore, type StartedProcess } from '../processes.js';
import { benchHost, waitUntilReady } from '../ready.js';

export interface TcpPeer {
  readonly name: 'haproxy' | 'cjs-proxy';
  start(
    processes: Processes,
    folder: string,
    targetPort: number,
  ): Promise<{ readonly port: number; readonly server: StartedProcess }>;
}

/** One way to the target, with the proxies that offer it. */
export interface TcpLane {
  readonly name: string;
  readonly peers: readonly TcpPeer[];
  /** What a connection begins with. */
  readonly opening: Buffer;
}

/** File descriptors that a process here may have; each connection takes two of a proxy. */
const descriptors = Number(execFileSync('bash', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).replace('unlimited', '1000000'));
/** Connections that a proxy can have here, with some descriptors left for its own needs. */
export const maxConnections = Math.min(10_100, Math.floor((descriptors - 200) / 2));

/** Whether something comes back. */
export function echoes(port: number, opening: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('close', () => resolve(false));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.write(opening);
  });
}

/** @param frontend lines of the frontend, besides where it listens */
function haproxy(frontend: string, opening: Buffer): TcpPeer {
  return {
    name: 'haproxy',
    async start(processes, folder, targetPort) {
      const port = await freePort();
      const config = join(folder, `haproxy-${port}.cfg`);
      writeFileSync(config, haproxyConfig(port, targetPort, frontend));
      const files = { stdout: join(folder, 'haproxy.log'), stderr: join(folder, 'haproxy.err') };
      const server = processes.start('haproxy', ['-db', '-f', config], { core: proxyCore, ...files });
      await waitUntilReady('haproxy', server, () => echoes(port, opening));
      return { port, server };
    },
  };
}

function haproxyConfig(port: number, targetPort: number, frontend: string): string {
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
${frontend}
backend target
  server one 127.0.0.1:${targetPort}
`;
}

/** The built command, or another build of it. */
const command = process.env.BENCH_COMMAND ?? fileURLToPath(new URL('../../../dist/bin/cjs-proxy.js', import.meta.url));

/** @param settings of the file, by the port to listen on and that of the target */
function cjsProxy(settings: (port: number, targetPort: number, folder: string) => object, opening: Buffer): TcpPeer {
  return {
    name: 'cjs-proxy',
    async start(processes, folder, targetPort) {
      if (!existsSync(command)) throw new Error(`${command} is missing: run "npm run build" first`);
      const port = await freePort();
      const config = join(folder, `config-${port}.json`);
      const stderr = join(folder, 'cjs-proxy.err');
      const server = { workers: 0, accessLog: join(folder, 'access.log') };
      writeFileSync(config, JSON.stringify({ server, http: { bind: [] }, ...settings(port, targetPort, folder) }));
      const args = [command, '--config', config];
      const started = processes.start(process.execPath, args, { core: proxyCore, stdout: stderr, stderr });
      await waitUntilReady('cjs-proxy', started, () => echoes(port, opening));
      return { port, server: started };
    },
  };
}

const dot = Buffer.from('.');

/** Any bytes, to a target that stands in the configuration. */
export const streamLane: TcpLane = {
  name: 'tcp',
  opening: dot,
  peers: [
    haproxy('  default_backend target', dot),
    cjsProxy(
      (port, targetPort) => ({
        driver: 'memory:',
        streams: [{ name: 'bench', port, targets: [`tcp://127.0.0.1:${targetPort}`] }],
      }),
      dot,
    ),
  ],
};

/**
 * By the name in the greeting of TLS. Behind it the load sends what it likes: nobody on the way looks at it.
 * @param greeting for the host of the bench
 */
export function passthroughLane(greeting: Buffer): TcpLane {
  const bySni = `  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend target if { req.ssl_sni -i ${benchHost} }`;
  return {
    name: 'passthrough',
    opening: greeting,
    peers: [
      haproxy(bySni, greeting),
      cjsProxy(
        (port, targetPort) => ({
          driver: 'none:',
          streams: [
            {
              name: 'bench',
              port,
              mode: 'l4',
              secure: true,
              routes: [{ hostname: benchHost, to: { port: targetPort, host: '127.0.0.1' } }],
            },
          ],
        }),
        greeting,
      ),
    ],
  };
}

/** WebSockets over HTTP, our node alone. */
export const webSocketLane: TcpLane = (() => {
  const lines = [`GET / HTTP/1.1`, `Host: ${benchHost}`, 'Connection: Upgrade', 'Upgrade: websocket'];
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: YmVuY2hiZW5jaGJlbmNoYg=='];
  const opening = Buffer.from([...lines, ...key, '', ''].join('\r\n'));
  const settings = (port: number, targetPort: number, folder: string): object => {
    const state = join(folder, 'frontends.json');
    writeFileSync(state, JSON.stringify({ frontends: { [benchHost]: ['bench', `http://127.0.0.1:${targetPort}`] } }));
    return { driver: `memory:${state}`, http: { port, bind: ['127.0.0.1'] } };
  };
  return { name: 'websocket', opening, peers: [cjsProxy(settings, opening)] };
})();
