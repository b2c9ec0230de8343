// `cjs-proxy serve`: runs the proxy.
import type { Config } from '../../config/config.js';

/**
 * Serves until the proxy is told to stop.
 * @param load reads the configuration again, for a reload
 * @param quiet says nothing about the loading of the configuration
 * @returns the exit code
 * @throws StartError with one clear line if the proxy cannot start
 */
export async function serve(config: Config, load: () => Config, quiet: boolean): Promise<number> {
  if (!quiet) {
    // stdout may be the access log.
    process.stderr.write(`Loading config from ${config.source}\n`);
    for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
  }
  // Loaded here, so that the other commands need neither listeners nor drivers.
  const { runProxy } = await import('../../proxy/run-proxy.js');
  // Whoever manages Redis is a process of its own; the memory store has no other way in.
  const manages = config.api.port > 0 && config.driver.read.startsWith('memory:');
  const beside = manages ? (await import('../../management/in-node.js')).managementInNode(config) : null;
  await runProxy(config, load, beside);
  return 0;
}
