import { expect, test } from 'vitest';
import { Proximux, type ProximuxConfig } from '../../../src/library/proximux.js';
import { checkProximuxConfig, ProximuxConfigError, readProximuxEnvironment } from '../../../src/library/proximux-config.js';
import { createProximuxLogger, maskAddresses } from '../../../src/library/proximux-log.js';

const complete = {
  LOG_LEVEL: '1',
  LOCAL_HOST: '::',
  LOCAL_PORT: '9999',
  PROXY_CONNECTIONS_CNT: '2',
  TARGET_HOST_1: 'one',
  TARGET_PORT_1: '1001',
  TARGET_CONN_1_KEEP_ALIVE: '1',
  TARGET_HOST_2: 'two',
  TARGET_PORT_2: '1002',
};

const config: ProximuxConfig = {
  logLevel: 0,
  localServerHost: '127.0.0.1',
  localServerPort: 0,
  proxyConnectionsCount: 1,
  targetServers: [{ host: '127.0.0.1', port: 1 }],
};

test.each(['LOG_LEVEL', 'LOCAL_HOST', 'LOCAL_PORT', 'PROXY_CONNECTIONS_CNT', 'TARGET_HOST_2', 'TARGET_PORT_2'])(
  'an environment without %s is refused with its message',
  (name) => {
    expect(() => readProximuxEnvironment({ ...complete, [name]: undefined })).toThrow(
      new ProximuxConfigError(`Env "${name}" is required`),
    );
  },
);

test('an environment gives the settings, with the defaults of Proximux', () => {
  expect(checkProximuxConfig(readProximuxEnvironment(complete))).toEqual({
    logLevel: 1,
    localServerHost: '::',
    localServerPort: 9999,
    localServerIpv6Only: false,
    localServerMaxConnections: -1,
    exchangeFunnelAsync: false,
    proxyInactivityTimeout: -1,
    proxyConnectionsCount: 2,
    targetServers: [
      { host: 'one', port: 1001, keepAlive: true },
      { host: 'two', port: 1002, keepAlive: false },
    ],
    framing: { kind: 'chunk' },
    connectTimeout: 10_000,
  });
});

test('every variable of an environment counts', () => {
  const more = {
    ...complete,
    LOCAL_IPV6_ONLY: '1',
    LOCAL_MAX_CONNECTIONS: '2',
    EXCHANGE_FUNNEL_ASYNC: '1',
    PROXY_INACTIVE_TIMEOUT: '500',
    PROXY_CONNECT_TIMEOUT: '700',
    EXCHANGE_FRAMING: '{"type": "length-prefix", "size": 2}',
  };
  expect(checkProximuxConfig(readProximuxEnvironment(more))).toMatchObject({
    localServerIpv6Only: true,
    localServerMaxConnections: 2,
    exchangeFunnelAsync: true,
    proxyInactivityTimeout: 500,
    connectTimeout: 700,
    framing: { kind: 'length-prefix', size: 2, offset: 0, endianness: 'big', includesHeader: false },
  });
});

test.each([
  ['LOG_LEVEL', '4', 'Unknown LOG_LEVEL'],
  ['LOCAL_PORT', 'x', 'Env "LOCAL_PORT" must be a whole number'],
  ['PROXY_CONNECTIONS_CNT', '99999999', 'Env "PROXY_CONNECTIONS_CNT" must be a whole number from 1 to 10000'],
  ['EXCHANGE_FRAMING', '{', 'Env "EXCHANGE_FRAMING" is not valid JSON'],
])('%s=%s is refused', (name, value, message) => {
  expect(() => readProximuxEnvironment({ ...complete, [name]: value })).toThrow(new ProximuxConfigError(message));
});

test.each([
  [{ logLevel: 9 }, 'Unknown LOG_LEVEL'],
  [{ proxyConnectionsCount: 2 }, 'proxyConnectionsCount does not match number of target servers'],
  [{ proxyConnectionsCount: 0, targetServers: [] }, 'targetServers must be at least one { host, port }'],
  [{ targetServers: [{ host: 'a b', port: 1 }] }, 'targetServers[0].host must be a name or an address'],
  [{ targetServers: [{ host: 'a', port: 0 }] }, 'targetServers[0].port must be a port from 1 to 65535'],
  [{ localServerPort: 70_000 }, 'localServerPort must be a port from 0 to 65535'],
  [{ localServerMaxConnections: 0 }, 'localServerMaxConnections must be a number from 1, or -1 for any number of clients'],
  [{ proxyInactivityTimeout: 1.5 }, 'proxyInactivityTimeout must be a whole number up to 2147483647'],
  [{ framing: 'words' }, /^framing must be "chunk", "line", "resp"/],
] as const)('the object with %j is refused in one line', (wrong, message) => {
  const create = () => new Proximux(false, { ...config, ...wrong } as ProximuxConfig);
  if (message instanceof RegExp) expect(create).toThrow(message);
  else expect(create).toThrow(new ProximuxConfigError(message));
});

test('addresses are masked, ports and times are not', () => {
  expect(maskAddresses('from 10.1.2.3:4444 at 12:30:05')).toBe('from 10.1.x.x:4444 at 12:30:05');
  expect(maskAddresses('from ::ffff:10.1.2.3')).toBe('from ::ffff:10.1.x.x');
  expect(maskAddresses('from 2001:db8:7:8::9')).toBe('from 2001:db8:x:x');
});

test.each([
  [0, []],
  [1, ['err error']],
  [2, ['out info', 'err error']],
  [3, ['out debug', 'out info', 'err error']],
])('log level %i writes what it should, and where', (level, expected) => {
  const written: string[] = [];
  const to = (name: string) => (line: string) => void written.push(`${name} ${(JSON.parse(line) as { l: string }).l}`);
  const logger = createProximuxLogger(level, 'test', { out: to('out'), err: to('err') });
  logger.debug('d');
  logger.info('i');
  logger.error(new Error('e'));
  expect(written).toEqual(expected);
});
