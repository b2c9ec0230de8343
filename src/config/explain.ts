// The effective configuration as a person may see it: in the units and shape of the file, with secrets hidden.
import type { Config, RedisConfig, ServerConfig } from './config.js';
import { maskDriverUrl } from './driver-url.js';
import { allSettings } from './schema.js';

const durations = new Set(allSettings.filter(({ note }) => note.kind === 'duration').map(({ path }) => path));

/** The text of `--dry` and `check`. Its `config` could be loaded again, but for the secrets. */
export function describeConfig(config: Config): string {
  const { source, server, http, https, driver, redis, trustedProxies, user, group, logLevel } = config;
  const shown = {
    server: inFileUnits('server', server),
    http,
    https: { bind: https.bind.map((bind) => (bind.passphrase === '' ? bind : { ...bind, passphrase: 'CENSORED' })) },
    driver: (driver.read === driver.write ? [driver.read] : [driver.read, driver.write]).map(maskDriverUrl),
    redis: inFileUnits('redis', redis),
    trustedProxies,
    user,
    group,
    logLevel,
  };
  return `Configuration file looks ok. Here is the result:\n${JSON.stringify({ source, config: shown }, null, 4)}`;
}

/** Durations are milliseconds inside the program and seconds in a file. */
function inFileUnits(section: string, values: ServerConfig | RedisConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, durations.has(`${section}.${key}`) ? Number(value) / 1_000 : value]),
  );
}
