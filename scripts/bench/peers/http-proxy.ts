// Plain `http-proxy`: the package as its users run it, with an agent that keeps connections, in a process of its own.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/helpers/free-port.js';
import { proxyCore } from '../processes.js';
import { ask, waitUntilReady } from '../ready.js';
import type { Peer } from './peer.js';

const script = fileURLToPath(new URL('./http-proxy-server.mjs', import.meta.url));

export const httpProxy: Peer = {
  name: 'http-proxy',
  needsWarmup: true,
  async start({ processes, folder, backendPort }) {
    const port = await freePort();
    const accessLog = join(folder, 'access.log');
    const stderr = join(folder, 'stderr');
    const args = [script, String(port), String(backendPort), accessLog];
    const server = processes.start(process.execPath, args, { core: proxyCore, stdout: stderr, stderr });
    await waitUntilReady('http-proxy', server, async () => (await ask(port, '/small')).status === 200);
    return { port, pid: server.pid, accessLog, stop: () => server.stop() };
  },
};
