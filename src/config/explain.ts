// The effective configuration as a person may see it: in the units and shape of the file, with secrets hidden.
import type { AcmeConfig, Config, HttpsConfig, RedisConfig, ServerConfig } from './config.js';
import { maskDriverUrl } from './driver-url.js';
import { describeStream } from './explain-stream.js';
import { allSettings } from './schema.js';

/** The text of `--dry` and `check`. Its `config` could be loaded again, but for the secrets. */
export function describeConfig(config: Config): string {
  const { source, server, http, https, acme, streams, admin, driver, redis, trustedProxies, user, group, logLevel } = config;
  const shown = {
    server: inFileUnits('server', server.stickySecret === '' ? server : { ...server, stickySecret: 'CENSORED' }),
    http,
    https: {
      ...inFileUnits('https', https),
      storeKeys: https.storeKeys.map(() => 'CENSORED'),
      storeKeyFile: https.storeKeyFile || undefined,
      bind: https.bind.map((bind) => ({
        ...bind,
        // What is not set may not be written either.
        key: bind.key || undefined,
        cert: bind.cert || undefined,
        passphrase: bind.passphrase === '' ? '' : 'CENSORED',
      })),
    },
    acme: {
      ...inFileUnits('acme', acme),
      dnsHook: acme.dnsHook || undefined,
      eabKey: acme.eabKey === '' ? '' : 'CENSORED',
    },
    admin,
    streams: streams.map(describeStream),
    driver: (driver.read === driver.write ? [driver.read] : [driver.read, driver.write]).map(maskDriverUrl),
    redis: {
      ...inFileUnits('redis', redis),
      // What is not set may not be written either.
      cert: redis.cert || undefined,
      key: redis.key || undefined,
      servername: redis.servername || undefined,
      snapshot: redis.snapshot || undefined,
    },
    trustedProxies,
    user,
    group,
    logLevel,
  };
  return `Configuration file looks ok. Here is the result:\n${JSON.stringify({ source, config: shown }, null, 4)}`;
}

/** The values of a section in the order of the schema. Durations are milliseconds inside the program and seconds in a file. */
function inFileUnits(
  section: 'server' | 'redis' | 'https' | 'acme',
  values: ServerConfig | RedisConfig | HttpsConfig | AcmeConfig,
): Record<string, unknown> {
  const byKey = new Map<string, unknown>(Object.entries(values));
  const known = allSettings.filter(({ path }) => path.startsWith(`${section}.`));
  return Object.fromEntries(
    known
      .map(({ path, note }) => ({ key: path.slice(section.length + 1), kind: note.kind }))
      .filter(({ key }) => byKey.has(key))
      .map(({ key, kind }) => [key, kind === 'duration' ? Number(byKey.get(key)) / 1_000 : byKey.get(key)]),
  );
}
