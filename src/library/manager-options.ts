// What a manager is told when it is made, to the configuration of a proxy.
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import type { Logger } from '../observe/logger.js';

/** All of it is optional: without anything a manager serves HTTP on port 80 from memory. */
export interface ProxyManagerOptions {
  /** Port for HTTP; 0: any free one. Absent: 80, or what `settings.http` says. */
  readonly port?: number;
  /** Port for HTTPS with the certificates of the routes; 0: any free one. Absent: there is no such listener. */
  readonly sslPort?: number;
  /** Address to listen on; absent: all of the machine. */
  readonly host?: string;
  /** Where routes are kept: `memory:`, `memory:FILE` or a Redis URL, whose frontends are served too. Absent: in memory. */
  readonly driver?: string | readonly string[];
  /** What speaks to backends. */
  readonly engine?: 'wire' | 'http-proxy';
  /** Any settings of the configuration file, in its form. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Takes what the proxy has to say; absent: warnings and errors go to stderr. */
  readonly logger?: Logger;
}

/** A program's own output is not the place for an access log, and its start is its own affair. */
const libraryServer = { accessLog: 'none' };

/**
 * The configuration of a manager.
 * @throws ConfigError that names each option which is wrong
 */
export function managerConfig({ port, sslPort, host = '::', driver, engine, settings = {} }: ProxyManagerOptions): Config {
  const { server, http, https, ...others } = settings;
  return loadConfig({
    settings: {
      logLevel: 'warn',
      driver: driver ?? 'memory:',
      ...others,
      server: withDefaults(server, libraryServer, engine === undefined ? {} : { engine }),
      http: port === undefined && http !== undefined ? http : { bind: [{ address: host, port: port ?? 80 }] },
      ...(sslPort === undefined ? { https } : { https: withDefaults(https, {}, { bind: [{ address: host, port: sslPort }] }) }),
    },
    env: {},
  });
}

/** What is no object is left for the check of the settings to complain about. */
function withDefaults(written: unknown, before: object, after: object): unknown {
  return written === undefined || (typeof written === 'object' && written !== null)
    ? { ...before, ...written, ...after }
    : written;
}
