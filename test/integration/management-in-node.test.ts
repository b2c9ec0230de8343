// A node with the memory store manages itself: the API inside of it is the way in, and what it writes is served at once and kept in the file.
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { startEchoBackend } from '../helpers/keep-alive-load.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

it('serves what its API writes, counts it, says who it is, and knows all of it after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-in-node-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backend = await startEchoBackend();
  onTestFinished(() => backend.close());
  const port = await freePort();
  const settings = { driver: `memory:${join(folder, 'state.json')}`, server: { workers: 0, nodeId: 'alone' }, api: { port } };
  const call = async (method: string, path: string, body?: unknown) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { method, ...sent });
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by what they should be
    return { status: response.status, body: (await response.json()) as any };
  };
  const start = async (): Promise<SpawnedNode> => {
    const node = await spawnNode(settings);
    onTestFinished(() => node.destroy());
    await node.serving();
    return node;
  };

  const node = await start();
  const target = { hostname: '127.0.0.1', port: Number(new URL(backend.url).port), id: 'one' };
  expect((await call('PUT', '/routes/shop.example?wait=applied', { strategy: 'RANDOM', backends: [target] })).status).toBe(201);
  expect((await ask(node.port, 'shop.example', '/5/1')).status).toBe(200);
  const shown = await eventually('the request to be counted', async () => {
    const { body } = await call('GET', '/stats/shop.example');
    return body.requestsTotal === 1 ? body : null;
  });
  expect(shown).toMatchObject({ hits: 1, codes: { 200: 1 }, backends: { one: { hits: 1 } } });
  expect((await call('GET', '/nodes')).body).toMatchObject([{ id: 'alone', phase: 'serving' }]);
  node.kill('SIGTERM');
  expect(await node.ended).toMatchObject({ code: 0 });

  const again = await start();
  expect((await ask(again.port, 'shop.example', '/5/2')).status).toBe(200);
  expect((await call('GET', '/routes/shop.example')).body).toMatchObject({ backends: [{ id: 'one' }] });
  expect((await call('GET', '/history')).body).toMatchObject([{ action: 'put', target: 'route shop.example' }]);
});
