// The settings of Proximux: from an object, or from the environment variables that it has always read.

import { framingAllowed, framingSchema } from '../config/schema-framing.js';
import type { FramingSetting } from '../config/stream-config.js';

/** One upstream server. */
export interface ProximuxTarget {
  readonly host: string;
  readonly port: number;
  /** TCP keep-alive. */
  readonly keepAlive?: boolean;
}

/** The settings as an object. Durations in milliseconds. */
export interface ProximuxConfig {
  /** 0 nothing, 1 errors, 2 information, 3 everything. */
  readonly logLevel: number;
  readonly localServerHost: string;
  readonly localServerPort: number;
  /** `::` takes no IPv4. */
  readonly localServerIpv6Only?: boolean;
  /** Clients at a time; any negative number: as many as come. */
  readonly localServerMaxConnections?: number;
  /** A funnel sends the next request before the last one is answered. */
  readonly exchangeFunnelAsync?: boolean;
  /** Silence after which an upstream connection is closed; 0 and negative numbers: never. */
  readonly proxyInactivityTimeout?: number;
  /** Must be the number of target servers. */
  readonly proxyConnectionsCount: number;
  readonly targetServers: readonly ProximuxTarget[];
  /** How messages are parted; what `framing` of a stream may be. Absent: `chunk`, every piece that is read. */
  readonly framing?: string | object;
  /** Time for an upstream connection to be made; 10000 where it is absent. */
  readonly connectTimeout?: number;
}

/** What the class works with: all settings, checked. */
export interface ProximuxSettings extends Required<Omit<ProximuxConfig, 'framing' | 'targetServers'>> {
  readonly targetServers: readonly Required<ProximuxTarget>[];
  readonly framing: FramingSetting;
}

/** Thrown for settings that cannot be used; its message is one line. */
export class ProximuxConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProximuxConfigError';
  }
}

/** Most targets that are looked for in the environment. */
const mostTargets = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ProximuxConfigError such as `Env "LOCAL_PORT" is required` */
export function readProximuxEnvironment(env: Environment): ProximuxConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new ProximuxConfigError(`Env "${name}" is required`);
    return value;
  };
  const number = (name: string, text: string): number => {
    if (!/^-?\d{1,15}$/.test(text.trim())) throw new ProximuxConfigError(`Env "${name}" must be a whole number`);
    return Number(text);
  };
  const requiredNumber = (name: string): number => number(name, required(name));
  const optionalNumber = (name: string, standard: number): number => number(name, env[name] || String(standard));
  const logLevel = required('LOG_LEVEL');
  if (!/^[0-3]$/.test(logLevel)) throw new ProximuxConfigError('Unknown LOG_LEVEL');
  const config = {
    logLevel: Number(logLevel),
    localServerHost: required('LOCAL_HOST'),
    localServerPort: requiredNumber('LOCAL_PORT'),
    localServerIpv6Only: env.LOCAL_IPV6_ONLY === '1',
    localServerMaxConnections: optionalNumber('LOCAL_MAX_CONNECTIONS', -1),
    exchangeFunnelAsync: env.EXCHANGE_FUNNEL_ASYNC === '1',
    proxyInactivityTimeout: optionalNumber('PROXY_INACTIVE_TIMEOUT', -1),
    proxyConnectionsCount: requiredNumber('PROXY_CONNECTIONS_CNT'),
    connectTimeout: optionalNumber('PROXY_CONNECT_TIMEOUT', usualConnectTimeout),
  };
  if (config.proxyConnectionsCount > mostTargets) {
    throw new ProximuxConfigError(`Env "PROXY_CONNECTIONS_CNT" must be a whole number from 1 to ${mostTargets}`);
  }
  const targetServers: ProximuxTarget[] = [];
  for (let n = 1; n <= config.proxyConnectionsCount; n++) {
    const host = required(`TARGET_HOST_${n}`);
    targetServers.push({ host, port: requiredNumber(`TARGET_PORT_${n}`), keepAlive: env[`TARGET_CONN_${n}_KEEP_ALIVE`] === '1' });
  }
  const framing = env.EXCHANGE_FRAMING;
  return { ...config, targetServers, ...(framing === undefined ? {} : { framing: wordOrJson(framing) }) };
}

const usualConnectTimeout = 10_000;

/** @throws ProximuxConfigError that names the first setting which cannot be used */
export function checkProximuxConfig(config: ProximuxConfig): ProximuxSettings {
  const { logLevel, localServerHost, targetServers } = config;
  if (![0, 1, 2, 3].includes(logLevel)) throw new ProximuxConfigError('Unknown LOG_LEVEL');
  if (typeof localServerHost !== 'string' || localServerHost === '') throw wrong('localServerHost', 'an address');
  if (!Array.isArray(targetServers)) throw wrong('targetServers', 'a list of { host, port }');
  if (config.proxyConnectionsCount !== targetServers.length) {
    throw new ProximuxConfigError('proxyConnectionsCount does not match number of target servers');
  }
  if (targetServers.length === 0) throw wrong('targetServers', 'at least one { host, port }');
  const framing = framingSchema.safeParse(config.framing ?? 'chunk');
  if (!framing.success) throw wrong('framing', framingAllowed);
  const localServerMaxConnections = whole('localServerMaxConnections', config.localServerMaxConnections ?? -1);
  if (localServerMaxConnections === 0)
    throw wrong('localServerMaxConnections', 'a number from 1, or -1 for any number of clients');
  return {
    logLevel,
    localServerHost,
    localServerPort: port('localServerPort', config.localServerPort, 0),
    localServerIpv6Only: config.localServerIpv6Only === true,
    localServerMaxConnections,
    exchangeFunnelAsync: config.exchangeFunnelAsync === true,
    proxyInactivityTimeout: whole('proxyInactivityTimeout', config.proxyInactivityTimeout ?? -1),
    proxyConnectionsCount: config.proxyConnectionsCount,
    targetServers: targetServers.map((target: ProximuxTarget, index) => checkTarget(target, `targetServers[${index}]`)),
    framing: framing.data,
    connectTimeout: Math.max(1, whole('connectTimeout', config.connectTimeout ?? usualConnectTimeout)),
  };
}

function checkTarget(target: ProximuxTarget, name: string): Required<ProximuxTarget> {
  if (typeof target?.host !== 'string' || !/^[\w.:%-]+$/.test(target.host)) throw wrong(`${name}.host`, 'a name or an address');
  return { host: target.host, port: port(`${name}.port`, target.port, 1), keepAlive: target.keepAlive === true };
}

function port(name: string, value: number, from: number): number {
  if (!Number.isInteger(value) || value < from || value > 65_535) throw wrong(name, `a port from ${from} to 65535`);
  return value;
}

/** Timers of Node cannot wait longer. */
const most = 2 ** 31 - 1;

function whole(name: string, value: number): number {
  if (!Number.isInteger(value) || value > most) throw wrong(name, `a whole number up to ${most}`);
  return value;
}

function wrong(name: string, allowed: string): ProximuxConfigError {
  return new ProximuxConfigError(`${name} must be ${allowed}`);
}

function wordOrJson(text: string): string | object {
  if (!text.trim().startsWith('{')) return text;
  try {
    return JSON.parse(text) as object;
  } catch {
    throw new ProximuxConfigError('Env "EXCHANGE_FRAMING" is not valid JSON');
  }
}
