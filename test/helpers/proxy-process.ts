// A proxy in a process of its own; started by spawn-proxy.ts, prints its port.
//
// Run with one argument, JSON: { server, frontends: { host: [backend, …] } }.
import type { ServerConfig } from '../../src/config/config.js';
import { startProxy } from './start-proxy.js';

interface ProcessOptions {
  readonly server: Partial<ServerConfig>;
  readonly frontends: Readonly<Record<string, readonly string[]>>;
}

const options = JSON.parse(process.argv[2] ?? '{}') as ProcessOptions;
const { port, proxy } = await startProxy({ server: options.server });
for (const [host, backends] of Object.entries(options.frontends)) await proxy.store.writeFrontend(host, host, backends);
process.stdout.write(`${port}\n`);
