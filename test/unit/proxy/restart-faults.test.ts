import { describe, expect, it } from 'vitest';
import type { Bind, Config } from '../../../src/config/config.js';
import { restartFaults } from '../../../src/proxy/restart-faults.js';
import { testConfig } from '../../helpers/start-proxy.js';

function withBinds(...binds: readonly (readonly [string, number])[]): Config {
  return { ...testConfig(), http: { bind: binds.map(([address, port]): Bind => ({ address, port })), http2: false } };
}

describe('a new configuration', () => {
  it('is taken over with other addresses, more of them, or fewer', () => {
    const current = withBinds(['127.0.0.1', 80], ['10.0.0.1', 80]);
    expect(restartFaults(current, withBinds(['127.0.0.1', 8080], ['10.0.0.2', 80], ['0.0.0.0', 81]))).toEqual([]);
    expect(restartFaults(current, withBinds(['127.0.0.1', 80]))).toEqual([]);
    expect(restartFaults(withBinds(['127.0.0.1', 0]), withBinds(['0.0.0.0', 0]))).toEqual([]);
  });

  it.each<[string, Config, Config]>([
    ['all addresses instead of one', withBinds(['127.0.0.1', 80]), withBinds(['0.0.0.0', 80])],
    ['one address instead of all', withBinds(['0.0.0.0', 80]), withBinds(['127.0.0.1', 80])],
    ['all of both families instead of one', withBinds(['127.0.0.1', 80]), withBinds(['::', 80])],
    ['an address of IPv6 instead of all', withBinds(['::', 80]), withBinds(['::1', 80])],
  ])('needs a restart for %s on the same port', (_what, current, next) => {
    expect(restartFaults(current, next)).toEqual([expect.stringContaining('the system refuses both at once')]);
  });

  it('needs a restart when :: loses or gets IPv4', () => {
    const [together, alone] = [withBinds(['::', 80], ['0.0.0.0', 80]), withBinds(['::', 80])];
    expect(restartFaults(together, alone)).toEqual([expect.stringContaining('[::]:80 is open already')]);
    expect(restartFaults(alone, together)).toHaveLength(2);
  });

  it('needs a restart to become one process, or several', () => {
    const one = withBinds(['127.0.0.1', 80]);
    const several: Config = { ...one, server: { ...one.server, workers: 2 } };
    expect(restartFaults(one, several)).toEqual([expect.stringContaining('server.workers is 2, and was 0')]);
    expect(restartFaults(several, { ...several, server: { ...several.server, workers: 3 } })).toEqual([]);
  });
});
