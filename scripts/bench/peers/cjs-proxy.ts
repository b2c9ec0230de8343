// Our node as its users run it: the built command with a configuration file, and a Redis that holds the frontend.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/helpers/free-port.js';
import { benchProvider } from '../policy.js';
import { proxyCore } from '../processes.js';
import { ask, benchHost, waitUntilReady } from '../ready.js';
import { startRedis } from '../redis.js';
import type { Peer } from './peer.js';

const command = fileURLToPath(new URL('../../../dist/bin/cjs-proxy.js', import.meta.url));

/** Writes `/small`, which the jobs ask for, and as many other prefixes as are left. */
const prefixScript = `local url = 'http://127.0.0.1:' .. ARGV[2]
redis.call('RPUSH', 'frontend:' .. ARGV[1] .. '/small', 'bench', url)
for at = 2, tonumber(ARGV[3]) do
  redis.call('RPUSH', 'frontend:' .. ARGV[1] .. '/team-' .. at % 1000 .. '/app-' .. at, 'bench', url)
end`;

export const cjsProxy: Peer = {
  name: 'cjs-proxy',
  needsWarmup: true,
  async start({ processes, folder, backendPort, profiles, workers, prefixes, limit, policy }) {
    if (!existsSync(command)) throw new Error(`${command} is missing: run "npm run build" first`);
    const redis = await startRedis(processes, folder);
    const write = redis.cli;
    const url = `http://127.0.0.1:${backendPort}`;
    const entries = policy === null ? [url] : ['a', 'b', 'c', 'd'].map((id) => `${url}#id=${id}`);
    await write('rpush', `frontend:${benchHost}`, 'bench', ...entries);
    if (prefixes > 0) await write('eval', prefixScript, '0', benchHost, String(backendPort), String(prefixes));
    if (limit !== null) {
      await write('hset', 'tier:bench', 'points', String(limit.points), 'duration', '3600');
      await write('hset', `route:${benchHost}`, 'tier', 'bench');
    }
    const port = await freePort();
    const accessLog = join(folder, 'access.log');
    const config = join(folder, 'config.json');
    const stderr = join(folder, 'stderr');
    const settings = {
      server: { workers, accessLog, maxSockets: 0 },
      http: { port, bind: ['127.0.0.1'] },
      driver: `redis://127.0.0.1:${redis.port}`,
      trustedProxies: limit !== null && limit.clients > 0 ? ['127.0.0.1'] : [],
    };
    writeFileSync(config, JSON.stringify(settings));
    const profile = profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
    const args = [...profile, command, '--config', config];
    const server = processes.start(process.execPath, args, { core: proxyCore, stdout: stderr, stderr });
    await waitUntilReady('cjs-proxy', server, async () => (await ask(port, '/small')).status === 200);
    // Not before: whoever asks whether it is ready shows no credentials.
    if (policy !== null) {
      await write('hset', `auth:${benchProvider}`, ...policy.auth);
      await write('hset', `route:${benchHost}`, ...policy.route);
    }
    return {
      port,
      pid: server.pid,
      accessLog,
      async stop() {
        await server.stop();
        await redis.server.stop();
      },
    };
  },
};
