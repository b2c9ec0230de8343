// `cjs-proxy api`: serves the management API.
import type { Config } from '../../config/config.js';

/**
 * Serves until it is told to stop.
 * @param quiet says nothing about the loading of the configuration
 * @returns the exit code
 * @throws StartError with one clear line if it cannot start
 */
export async function api(config: Config, quiet: boolean): Promise<number> {
  if (!quiet) {
    process.stderr.write(`Loading config from ${config.source}\n`);
    for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
  }
  // Loaded here, so that the other commands need no web framework.
  const { runApi } = await import('../../management/run-api.js');
  await runApi(config);
  return 0;
}
