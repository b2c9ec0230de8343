// `cjs-proxy serve`: runs the proxy.
import cluster from 'node:cluster';
import type { Config } from '../../config/config.js';

/**
 * Starts the proxy and returns once it runs. What fails at start is told by the proxy itself, which sets the exit code.
 * @param quiet says nothing about the loading of the configuration
 */
export async function serve(config: Config, quiet: boolean): Promise<number> {
  if (cluster.isPrimary && !quiet) {
    // stdout may be the access log.
    process.stderr.write(`Loading config from ${config.source}\n`);
    for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
  }
  // Loaded here, so that the other commands need neither listeners nor drivers.
  const { runProxy } = await import('../../proxy/run-proxy.js');
  await runProxy(config);
  return 0;
}
