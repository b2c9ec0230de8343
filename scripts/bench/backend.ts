// The backend of the bench: nginx with one worker, the cheapest server at hand, so that the proxy stays the bottleneck.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/helpers/free-port.js';
import { nginxMain, nginxTempPaths } from './nginx-config.js';
import { loadCore, type Processes } from './processes.js';
import { ask, waitUntilReady } from './ready.js';
import { largeBody, smallBody } from './scenarios.js';

/** Answers with what the request carried and how many requests its connection has had: shows that peers do the same job. */
export const seenPath = '/seen';

/** Starts the backend and gives its port. */
export async function startBackend(processes: Processes, folder: string): Promise<number> {
  const port = await freePort();
  const home = join(folder, 'backend');
  mkdirSync(join(home, 'files'), { recursive: true });
  writeFileSync(join(home, 'files', 'large'), 'x'.repeat(largeBody));
  const config = join(home, 'nginx.conf');
  const stderr = join(home, 'stderr');
  writeFileSync(config, backendConfig(home, port));
  const server = processes.start('nginx', ['-e', stderr, '-c', config], { core: loadCore, stdout: stderr, stderr });
  await waitUntilReady('the backend', server, async () => (await ask(port, '/small')).status === 200);
  return port;
}

// nginx would answer an upload before it has read the body, which no application does: the mirror module reads the body
// first, and a handler that refuses POST ends in the named location that answers.
function backendConfig(home: string, port: number): string {
  const small = 'x'.repeat(smallBody);
  return `${nginxMain(home)}
http {
  access_log off;
  ${nginxTempPaths(home)}
  default_type text/plain;
  sendfile on;
  open_file_cache max=16 inactive=1h;
  open_file_cache_valid 1h;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_header_buffer_size 32k;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${home}/files;
    location = /small { return 200 "${small}"; }
    location = /large { }
    location = /upload { mirror /read; empty_gif; error_page 405 =200 @uploaded; }
    location = /read { internal; return 204; }
    location @uploaded { return 200 "${small}"; }
    location = ${seenPath} {
      return 200 '{"for":"$http_x_forwarded_for","proto":"$http_x_forwarded_proto","port":"$http_x_forwarded_port","requests":$connection_requests}';
    }
  }
}
`;
}
