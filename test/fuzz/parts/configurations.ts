// Whatever stands in a configuration: it is taken, or every fault of it is told in a line of its own. Nothing else is thrown.
import fc from 'fast-check';
import { ConfigError } from '../../../src/config/config-error.js';
import { variableName } from '../../../src/config/environment.js';
import { loadConfig } from '../../../src/config/load.js';
import { allSettings } from '../../../src/config/schema.js';
import { fuzzPart } from '../part.js';
import { anyBytes, holds } from '../texts.js';

const paths = allSettings.map(({ path }) => path.replace(/\[\d*\]/g, ''));
const legacy = [
  'port',
  'workers',
  'workerPort',
  'accessLog',
  'redis_host',
  'listeners',
  'routes',
  'servers',
  'redisHost',
  '__proto__',
  'constructor',
];
const scalars = fc.oneof(
  anyBytes(20),
  fc.constantFrom(
    '',
    '30s',
    '10m',
    '1 MiB',
    '127.0.0.1',
    '::',
    '127.0.0.1:80',
    '[::1]:80',
    'redis://h:1/0#x',
    'memory:',
    'rediss://u:p@h',
    'redis+cluster://a,b',
    'none',
    '80',
  ),
  fc.constantFrom(0, -1, 1, 80, 65_536, 1.5, 1e308, Number.MAX_SAFE_INTEGER, true, false, null),
);
const values = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('name', 'port', 'address', 'targets', 'key', 'cert', 'tls', 'path', 'x', '__proto__'), scalars, {
    maxKeys: 4,
  }),
  fc.array(
    fc.dictionary(
      fc.constantFrom('name', 'port', 'address', 'targets', 'bind', 'tls', 'path'),
      fc.oneof(scalars, fc.array(scalars, { maxLength: 2 })),
      { maxKeys: 4 },
    ),
    { maxLength: 2 },
  ),
);

interface ConfigurationCase {
  readonly settings: readonly (readonly [string, unknown])[];
  readonly env: readonly (readonly [string, string])[];
}

/** Puts a value where a path says. */
function put(tree: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at = tree;
  for (const key of keys) {
    const below = Object.hasOwn(at, key) ? at[key] : undefined;
    if (typeof below !== 'object' || below === null)
      Object.defineProperty(at, key, { value: {}, enumerable: true, writable: true, configurable: true });
    at = at[key] as Record<string, unknown>;
  }
  Object.defineProperty(at, last, { value, enumerable: true, writable: true, configurable: true });
}

export const configurations = fuzzPart<ConfigurationCase>({
  name: 'configurations',
  cases: fc.record({
    settings: fc.array(
      fc.tuple(
        fc.oneof({ arbitrary: fc.constantFrom(...paths), weight: 6 }, { arbitrary: fc.constantFrom(...legacy), weight: 1 }),
        values,
      ),
      { maxLength: 6 },
    ),
    env: fc.array(fc.tuple(fc.constantFrom(...paths).map(variableName), anyBytes(20)), { maxLength: 2 }),
  }),
  check: ({ settings, env }) => {
    const tree: Record<string, unknown> = {};
    for (const [path, value] of settings) put(tree, path, value);
    try {
      const config = loadConfig({ settings: tree, env: Object.fromEntries(env), root: false, cwd: '/' });
      holds('what is in force is frozen', Object.isFrozen(config) && Object.isFrozen(config.server));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      holds('there is a fault', error.faults.length > 0);
      const lines = error.message.split('\n');
      holds(`a line a fault: ${JSON.stringify(error.message)}`, lines.length === error.faults.length);
      for (const line of lines) holds(`a short line: ${line.slice(0, 200)} …`, line.length < 2_000);
    }
  },
  perSecond: 60,
});
