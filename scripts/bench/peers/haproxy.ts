// HAProxy: one thread, its HTTP log written to a file through standard output, keep-alive to the backend.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/helpers/free-port.js';
import { proxyCore } from '../processes.js';
import { ask, waitUntilReady } from '../ready.js';
import type { Peer } from './peer.js';

export const haproxy: Peer = {
  name: 'haproxy',
  needsWarmup: false,
  async start({ processes, folder, backendPort }) {
    const port = await freePort();
    const accessLog = join(folder, 'access.log');
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(config, haproxyConfig(port, backendPort));
    const server = processes.start('haproxy', ['-db', '-f', config], {
      core: proxyCore,
      stdout: accessLog,
      stderr: join(folder, 'stderr'),
    });
    await waitUntilReady('haproxy', server, async () => (await ask(port, '/small')).status === 200);
    return { port, pid: server.pid, accessLog, stop: () => server.stop() };
  },
};

// `http-reuse always`: also the first request of a client's connection goes over a pooled one, as with the other peers.
function haproxyConfig(port: number, backendPort: number): string {
  return `global
  nbthread 1
  maxconn 4096
  log stdout format raw local0
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
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %[dst_port]
  default_backend backend
backend backend
  http-reuse always
  server one 127.0.0.1:${backendPort}
`;
}
