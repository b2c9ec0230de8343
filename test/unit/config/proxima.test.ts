import { describe, expect, it } from 'vitest';
import { loadingError, loadSettings } from '../../helpers/config-file.js';

describe("Proxima's file", () => {
  it('is recognised by listeners or routes, and has its defaults', () => {
    const config = loadSettings({ routes: [] });
    expect(config).toMatchObject({ http: { bind: [] }, driver: { read: 'none:' }, server: { workers: 0, accessLog: 'none' } });
    expect(config.streams).toMatchObject([
      {
        address: '0.0.0.0',
        port: 8080,
        path: '',
        routes: [],
        settings: { mode: 'l4', secure: false, specTimeout: 1_000, '404': true, '500': true, '504': true },
      },
    ]);
  });

  it('has listeners in all forms', () => {
    const { streams } = loadSettings({
      listeners: [
        8080,
        { port: 8081 },
        { port: 8082, secure: true },
        { port: 8083, host: '127.0.0.1' },
        { port: 8084, host: '::1', secure: true },
        '/tmp/listener1.sock',
        { path: '/tmp/listener2.sock', secure: true },
      ],
      routes: [],
      specTimeout: 400,
      '404': { port: 8085, host: '127.0.0.1' },
      '500': { path: '/tmp/404.sock' },
      '504': false,
    });
    expect(streams.map(({ address, port, path, settings }) => [path || `${address} ${port}`, settings.secure])).toEqual([
      ['0.0.0.0 8080', false],
      ['0.0.0.0 8081', false],
      ['0.0.0.0 8082', true],
      ['127.0.0.1 8083', false],
      ['::1 8084', true],
      ['/tmp/listener1.sock', false],
      ['/tmp/listener2.sock', true],
    ]);
    expect(streams[6]?.settings).toMatchObject({
      specTimeout: 400,
      '404': 'tcp://127.0.0.1:8085',
      '500': 'unix:/tmp/404.sock',
      '504': false,
    });
  });

  it('may have keys of today beside, such as a Redis with more routes', () => {
    const config = loadSettings({
      listeners: [8080],
      routes: [],
      driver: 'redis://127.0.0.1:6380',
      trustedProxies: ['10.0.0.0/8'],
    });
    expect(config).toMatchObject({ driver: { read: 'redis://127.0.0.1:6380' }, trustedProxies: ['10.0.0.0/8'] });
  });

  it.each([
    [{ listeners: [] }, 'no listeners'],
    [{ listeners: 'x' }, 'no listeners'],
    [{ listeners: [8080, {}] }, 'invalid listener (1): expecting port or path'],
    [{ listeners: [0] }, 'invalid listener (0): port out of range'],
    [{ listeners: [{ port: 'x' }] }, 'invalid listener (0): expecting integer'],
    [{ listeners: [{ port: 80, host: 'localhost' }] }, 'invalid listener (0): invalid host'],
    [{ listeners: [{ port: 80, path: '/x' }] }, 'invalid listener (0): expecting port or path'],
    [{ routes: [7] }, 'invalid route (0): route not an object'],
    [{ routes: [{ hostname: 7, to: 80 }] }, 'invalid route (0): expecting regular expression or string hostname'],
    [{ routes: [{ hostname: 'a' }] }, 'invalid route (0): expecting port or path'],
    [{ routes: [{ hostname: 'a', to: 70_000 }] }, 'invalid route (0): port out of range'],
    [{ routes: [{ hostname: 'a', to: { port: 80, host: 'b' } }] }, 'invalid route (0): invalid host'],
    [{ routes: [], '404': 'page' }, 'invalid 404 error value: expecting port or path'],
    [{ routes: [], specTimeout: -1 }, 'specTimeout expects an integer'],
    [{ routes: [], specTimeout: '1s' }, 'specTimeout expects an integer'],
    [{ routes: [], uid: {} }, 'uid argument expects a value'],
  ])('%j is refused in the words of Proxima', (file, text) => {
    expect(loadingError(file).message).toBe(`Error: ${text}`);
  });
});

describe('a stream of the mode l4', () => {
  it('has settings of its own, and handlers in all forms', () => {
    const { streams } = loadSettings({
      http: { bind: [] },
      driver: 'none:',
      streams: {
        name: 'edge',
        port: 443,
        mode: 'l4',
        secure: true,
        specTimeout: '2s',
        404: 8085,
        500: 'tcp://10.0.0.1:80',
        routes: [{ hostname: '*', to: 8090 }],
      },
    });
    expect(streams[0]).toMatchObject({
      routes: ['{"hostname":"*","to":8090}'],
      settings: { specTimeout: 2_000, responseTimeout: 30_000, '404': 'tcp://localhost:8085', '500': 'tcp://10.0.0.1:80' },
    });
  });

  it('is refused with what does not go together', () => {
    const stream = { name: 'edge', port: 443 };
    const text = (more: object) => loadingError({ http: { bind: [] }, streams: [{ ...stream, ...more }] }).message;
    expect(text({ routes: [{ hostname: '*', to: 1 }] })).toContain(
      'streams[0].routes is a list; allowed is nothing but with "mode": "l4"',
    );
    expect(text({ mode: 'l4', tls: { key: 'k', cert: 'c' } })).toContain('streams[0].tls');
    expect(text({ mode: 'l4', 404: 'nowhere' })).toContain('streams[0].404 is "nowhere"; allowed is true, false, or an endpoint');
  });
});
