// Where the fleet is, by what was said of it: flags, then the environment, then the configuration.
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.js';
import { formatHost } from '../../config/driver-url.js';
import { loadConfig } from '../../config/load.js';
import { standardPort } from '../../management/listen.js';
import { CommandError, exitCodes } from '../command-error.js';
import type { Fleet } from './fleet.js';

/** Options of every command that asks the fleet. */
export interface PlaceOptions {
  readonly driver?: string;
  readonly api?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
}

export interface PlaceSources {
  readonly options: PlaceOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a configuration was named. */
  readonly configured: boolean;
  /** Loads it. */
  readonly load: () => Config;
}

/** The caller closes it. @throws CommandError, ConfigError or StartError in plain words */
export async function openFleet({ options, env, configured, load }: PlaceSources): Promise<Fleet> {
  const { driver, api } = options;
  if (driver !== undefined && api !== undefined) throw new CommandError('give either --api or --driver', exitCodes.usage);
  if (driver !== undefined) {
    // A configuration that was named says how private keys are sealed; without one any machine that reaches Redis will do.
    const config = configured ? load() : null;
    const { StoreFleet } = await import('./store-fleet.js');
    const named = loadConfig({ settings: { driver }, env: {} });
    const whole = config === null ? named : { ...config, driver: named.driver };
    return StoreFleet.open(whole, (text) => process.stderr.write(`cjs-proxy: ${text}\n`));
  }
  const { HttpFleet } = await import('./http-fleet.js');
  const { ca = '', clientCert: cert = '', clientKey: key = '' } = options;
  return new HttpFleet({ ...placeOf(api ?? env.CJS_PROXY_API, options, env, load), ca, cert, key });
}

/** A configuration is looked at only for what was not said otherwise. */
function placeOf(
  named: string | undefined,
  options: PlaceOptions,
  env: PlaceSources['env'],
  load: () => Config,
): { readonly url: string; readonly token: string } {
  const given = options.token ?? (options.tokenFile === undefined ? env.CJS_PROXY_TOKEN : readToken(options.tokenFile));
  if (named !== undefined && named !== '') return { url: named, token: given ?? '' };
  const { api } = load();
  const token = given ?? (api.tokenFile === '' ? '' : readToken(api.tokenFile));
  if (api.url !== '') return { url: api.url, token };
  const host = api.bind === '0.0.0.0' ? '127.0.0.1' : api.bind === '::' ? '::1' : api.bind;
  return { url: `${api.cert === '' ? 'http' : 'https'}://${formatHost({ host, port: api.port || standardPort })}`, token };
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`cannot read the token in ${path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}
