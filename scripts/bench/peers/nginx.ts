// nginx: one worker, buffered access log, keep-alive to the backend.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../test/helpers/free-port.js';
import { nginxMain, nginxTempPaths } from '../nginx-config.js';
import { proxyCore } from '../processes.js';
import { ask, waitUntilReady } from '../ready.js';
import type { Peer } from './peer.js';

export const nginx: Peer = {
  name: 'nginx',
  needsWarmup: false,
  async start({ processes, folder, backendPort }) {
    const port = await freePort();
    const accessLog = join(folder, 'access.log');
    const config = join(folder, 'nginx.conf');
    const stderr = join(folder, 'stderr');
    writeFileSync(config, nginxConfig(folder, port, backendPort, accessLog));
    const server = processes.start('nginx', ['-e', stderr, '-c', config], { core: proxyCore, stdout: stderr, stderr });
    await waitUntilReady('nginx', server, async () => (await ask(port, '/small')).status === 200);
    return { port, pid: server.pid, accessLog, stop: () => server.stop() };
  },
};

// The buffers take the largest answer of the bench, so that nothing goes to a temporary file.
function nginxConfig(home: string, port: number, backendPort: number, accessLog: string): string {
  return `${nginxMain(home)}
http {
  access_log ${accessLog} combined buffer=64k flush=1s;
  ${nginxTempPaths(home)}
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_buffer_size 16k;
      proxy_buffers 8 16k;
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
