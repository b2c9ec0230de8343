// `cjs-proxy check` and `--dry`: says whether the configuration can be used, and prints it as it is in force.
import type { Config } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import { describeConfig } from '../../config/explain.js';
import { findUnreadableFiles } from '../../config/unreadable-files.js';

/**
 * Prints a configuration that passed; warnings go to stderr. Nothing is opened and no port is taken.
 * @returns the exit code
 * @throws ConfigError for files that are named but cannot be read
 */
export function check(config: Config): number {
  const faults = findUnreadableFiles(config);
  if (faults.length > 0) throw new ConfigError(faults);
  for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(`${describeConfig(config)}\n`);
  return 0;
}
