import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.js';
import { describeConfig } from '../../../src/config/explain.js';
import { loadConfig } from '../../../src/config/load.js';

function load(streams: unknown, rest: object = {}): Config {
  return loadConfig({ env: {}, cwd: tmpdir(), root: false, settings: { streams, ...rest } });
}

/** The lines of the error. */
function faultsOf(streams: unknown, rest: object = {}): string[] {
  try {
    load(streams, rest);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('the section streams', () => {
  it('fills in defaults, those of server among them, and may stand without HTTP', () => {
    const [stream] = load(
      { name: 'db', port: '5432', targets: 'tcp://10.0.0.1:5432' },
      { http: { bind: [] }, server: { connectTimeout: 3 } },
    ).streams;
    expect(stream).toEqual({
      name: 'db',
      address: '127.0.0.1',
      port: 5432,
      path: '',
      proxyProtocol: false,
      tls: null,
      targets: ['tcp://10.0.0.1:5432'],
      routes: [],
      settings: {
        mode: 'proxy',
        strategy: 'RANDOM',
        maxConnections: 0,
        overflow: 'drop',
        waitTimeout: 10_000,
        targetConnections: 0,
        connections: 0,
        async: false,
        framing: { kind: 'chunk' },
        maxMessage: 1 << 20,
        maxWaiting: 16 << 20,
        inactivityTimeout: 0,
        connectTimeout: 3_000,
        keepAlive: 60_000,
        retries: 2,
        sendProxyProtocol: 'none',
        checkInterval: 0,
        cutBlocked: false,
        secure: false,
        specTimeout: 1_000,
        responseTimeout: 30_000,
        '404': true,
        '500': true,
        '504': true,
      },
    });
  });

  it('is shown in a form that can be loaded again', () => {
    const streams = [
      { name: 'a', path: '/run/a.sock', inactivityTimeout: '5m', framing: 'line', mode: 'fifo', targets: ['10.0.0.1:1'] },
      { name: 'b', port: 0, framing: { type: 'length-prefix', size: 2 }, tls: { key: 'k', cert: 'c' } },
    ];
    const first = load(streams);
    const text = describeConfig(first);
    const shown = JSON.parse(text.slice(text.indexOf('{'))) as { config: { streams: unknown } };
    expect(load(shown.config.streams).streams).toEqual(first.streams);
  });

  it('answers what is wrong with one line each that names the place', () => {
    const faults = faultsOf([
      { name: 'a b', port: 1 },
      { name: 'c', port: 1, path: '/c' },
      { name: 'd', mode: 'fast', framing: { type: 'idle-gap', milliseconds: 0 } },
      { name: 'e', port: 70_000, adress: '::', targets: [5], strategy: 'BEST' },
      { name: 'f', port: 2, tls: { key: 'k' }, proxyProtocol: 'yes' },
    ]);
    expect(faults).toEqual(
      [
        expect.stringContaining('streams[0].name is "a b"; allowed is 1 to 64 letters, digits and any of . _ -'),
        expect.stringContaining('streams[2].mode is "fast"; allowed is "proxy", "fifo", "funnel", "l4", "auto"'),
        expect.stringMatching(/streams\[2\]\.framing is an object; allowed is .*milliseconds from 1 to 60000/),
        expect.stringContaining('streams[3].port is 70000; allowed is a port from 0 to 65535'),
        expect.stringContaining('streams[3].targets[0] is 5; allowed is a list of targets such as'),
        expect.stringContaining('streams[3].strategy is "BEST"; allowed is "RANDOM"'),
        expect.stringContaining('streams[3].adress is not a known setting; the nearest known one is streams.address'),
        expect.stringContaining('streams[4].proxyProtocol is "yes"; allowed is true or false'),
        expect.stringContaining('streams[4].tls.cert is missing'),
      ].map((line) => line),
    );
  });

  it('refuses two streams of one name or place, both a port and a path, and neither', () => {
    const one = { name: 'a', port: 5000 };
    expect(faultsOf([one, { ...one, port: 5001 }])[0]).toContain(
      'streams[1].name is "a"; allowed is a name that no other stream has',
    );
    expect(faultsOf([one, { ...one, name: 'b' }])[0]).toContain(
      'streams[1].port is 127.0.0.1:5000; allowed is a place that nothing else listens on',
    );
    expect(faultsOf([one], { http: { port: 5000 } })[0]).toContain('streams[0].port is 127.0.0.1:5000');
    expect(faultsOf([{ ...one, path: '/run/a' }])[0]).toContain(
      'streams[0].path is "/run/a"; allowed is a port or a path, not both',
    );
    expect(faultsOf([{ name: 'a' }])[0]).toContain('streams[0].port is missing; needed is a port from 0 to 65535, or a path');
  });
});
