// A proxy that was closed leaves its addresses to the next one at once, however short it ran.
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { freePort } from '../helpers/free-port.js';

it('close() resolves when another proxy may listen on the same addresses', async () => {
  const [http, https, stream] = [await freePort(), await freePort(), await freePort()];
  const settings = {
    http: { bind: ['127.0.0.1'], port: http },
    https: { bind: ['127.0.0.1'], port: https },
    streams: [{ name: 'echo', address: '127.0.0.1', port: stream, targets: ['127.0.0.1:1'] }],
    driver: 'memory:',
    server: { accessLog: 'none' },
    logLevel: 'silent',
  };
  for (let turn = 0; turn < 12; turn++) {
    const proxy = await createProxy(loadConfig({ env: {}, root: false, settings }));
    expect(proxy.addresses.map(({ port }) => port)).toEqual([http, https, stream]);
    // From not at all to well on the way: further handles of each address are had in some turns of the event loop.
    for (let wait = 0; wait < turn; wait++) await new Promise((resolve) => setImmediate(resolve));
    await proxy.close();
  }
});
