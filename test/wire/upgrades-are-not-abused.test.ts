// Bytes behind a refused upgrade were meant for the other protocol: whoever reads them as a request has been smuggled one.
import { expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok, response } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy();
const websocket = ['Connection: Upgrade', 'Upgrade: websocket'] as const;

it('throws bytes away that came with an upgrade that the backend refused', async () => {
  const { world } = wire;
  const backend = await world.backend(response('403 Forbidden', 'no'));
  const host = await world.frontend(backend);
  const client = await world.client();
  client.send(head('GET', '/chat', host, ...websocket) + head('GET', '/smuggled', host));
  expect((await client.response()).status).toBe(403);
  const rest = await client.queue.rest();
  expect(rest.bytes.length).toBe(0);
  expect(rest.end).toBe('end');
  expect(backend.only.target).toBe('/chat');
});

it('throws bytes away that came with an upgrade that the proxy refused, looked up or known', async () => {
  const { world } = wire;
  for (let turn = 0; turn < 2; turn++) {
    const client = await world.client();
    const host = 'nobody.example.com';
    client.send(head('GET', '/chat', host, ...websocket) + head('GET', '/smuggled', host));
    expect((await client.response()).fields.get('x-cjs-proxy-error')).toBe('unknown-frontend');
    const rest = await client.queue.rest();
    expect(rest.bytes.toString('latin1')).toBe('');
    expect(rest.end).toBe('end');
  }
});

it('throws bytes away that came with an upgrade of the ping host', async () => {
  const client = await wire.world.client();
  client.send(head('GET', '/', '__ping__', ...websocket) + head('GET', '/', '__ping__'));
  expect((await client.response()).text).toBe('ok');
  expect((await client.queue.rest()).bytes.toString('latin1')).toBe('');
});

it('keeps the bytes behind an upgrade from the backend until it has agreed', async () => {
  const { world } = wire;
  const release: (() => void)[] = [];
  const backend = await world.backend((_request, connection) => {
    release.push(() => connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'));
    return new Promise<void>(() => {});
  });
  const host = await world.frontend(backend);
  const client = await world.client();
  client.send(`${head('GET', '/chat', host, ...websocket)}early`);
  const [connection] = await eventually('the upgrade to arrive', () => release.length === 1 && backend.connections);
  client.send(' bytes');
  await world.get('nobody.example.com');
  expect(connection?.queue.length).toBe(0);
  release[0]?.();
  expect((await client.head()).startLine).toContain('101');
  expect((await connection?.queue.take(11))?.toString()).toBe('early bytes');
});

it('serves the request behind an ignored upgrade to h2c, each as a request of its own', async () => {
  const { world } = wire;
  const backend = await world.backend(ok('plain'));
  const host = await world.frontend(backend);
  const client = await world.client();
  const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'];
  client.send(head('GET', '/1', host, ...h2c) + head('GET', '/2', host));
  expect((await client.response()).status).toBe(200);
  expect((await client.response()).status).toBe(200);
  expect(backend.requests.map((request) => request.target)).toEqual(['/1', '/2']);
  for (const name of ['upgrade', 'http2-settings', 'connection']) expect(backend.requests[0]?.fields.all(name)).toEqual([]);
});

it('passes no upgrade on that has a body, and serves the request', async () => {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  const request = `${head('POST', '/', host, ...websocket, 'Content-Length: 4')}body`;
  expect((await world.exchange(request)).status).toBe(200);
  expect(backend.only.fields.all('upgrade')).toEqual([]);
  expect(backend.only.text).toBe('body');
});

it('passes no upgrade on that Connection does not name, or that comes over HTTP/1.0', async () => {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  await world.exchange(head('GET', '/', host, 'Upgrade: websocket'));
  await world.exchange(`GET / HTTP/1.0\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  for (const request of backend.requests) expect(request.fields.all('upgrade')).toEqual([]);
});

it('refuses a 101 that nobody asked for', async () => {
  const { world } = wire;
  const backend = await world.backend(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  );
  const answer = await world.get(await world.frontend(backend));
  expect(answer.status).toBe(502);
  expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-bad-response');
  await eventually('the backend connection to close', () => backend.open === 0);
});
