// `cjs-proxy check` and `--dry`: says whether the configuration can be used, and prints it as it is in force.
import type { Config } from '../../config/config.js';
import { ConfigError, type Fault } from '../../config/config-error.js';
import { describeConfig } from '../../config/explain.js';
import { findUnreadableFiles } from '../../config/unreadable-files.js';
import { parseTargets } from '../../model/stream-target.js';
import { ownRoutesOf } from '../../routing/own-routes.js';

/**
 * Prints a configuration that passed; warnings go to stderr. Nothing is opened and no port is taken.
 * @returns the exit code
 * @throws ConfigError for files that are named but cannot be read, and for targets and routes of streams that are none
 */
export function check(config: Config): number {
  const faults = [...findUnreadableFiles(config), ...targetFaults(config), ...routeFaults(config)];
  if (faults.length > 0) throw new ConfigError(faults);
  for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(`${describeConfig(config)}\n`);
  return 0;
}

function targetFaults({ streams, source }: Config): Fault[] {
  return streams.flatMap(({ targets }, index) =>
    parseTargets(targets).faults.map(
      (allowed): Fault => ({ kind: 'unreadable', path: `streams[${index}].targets`, value: '', allowed, source }),
    ),
  );
}

function routeFaults({ streams, source }: Config): Fault[] {
  return streams.flatMap(({ routes }, index) =>
    ownRoutesOf(routes).faults.map(
      (allowed): Fault => ({ kind: 'unreadable', path: `streams[${index}].routes`, value: '', allowed, source }),
    ),
  );
}
