// Streams of a whole node: its workers share their listeners, and what runs is finished before it stops.
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../helpers/free-port.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';
import { served, startTarget } from '../helpers/streams.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function node(...args: Parameters<typeof spawnNode>): Promise<SpawnedNode> {
  const spawned = await spawnNode(...args);
  open.push({ close: () => spawned.destroy() });
  return spawned;
}

describe('a node with TCP streams', () => {
  it('serves them in all workers, on ports and unix sockets, and lets connections finish when it is stopped', async () => {
    const redis = await startRedis();
    open.push({ close: () => redis.stop() });
    const echo = await startTarget();
    open.push(echo);
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-node-'));
    open.push({ close: async () => rmSync(folder, { recursive: true, force: true }) });
    const path = join(folder, 'in.sock');
    const port = await freePort();
    const streams = [
      { name: 'tcp', port, targets: [echo.url] },
      { name: 'local', path, targets: [echo.url] },
    ];
    const spawned = await node({ driver: redis.url, streams, server: { workers: 2 } });
    await spawned.serving();
    await spawned.says(`tcp://127.0.0.1:${port}, unix:${path}`);
    const client = await served(port);
    const answer = await new Promise<string>((resolve, reject) => {
      const local = createConnection({ path });
      local.once('error', reject);
      local.once('data', (bytes: Buffer) => {
        resolve(bytes.toString());
        local.destroy();
      });
      local.write('local');
    });
    expect(answer).toBe('local');
    spawned.kill('SIGTERM');
    await spawned.says('Caught a SIGTERM signal');
    client.send('still');
    expect((await client.queue.take(5)).toString()).toBe('still');
    client.end();
    expect((await spawned.ended).code).toBe(0);
  }, 30_000);

  it('says in one line why it cannot start, or why its file is wrong', async () => {
    const taken = await startTarget();
    open.push(taken);
    const busy = await node({ driver: 'memory:', streams: [{ name: 'db', port: taken.port, targets: [taken.url] }] });
    expect((await busy.ended).code).not.toBe(0);
    expect(busy.stderr()).toContain(
      `stream db: cannot listen on 127.0.0.1:${taken.port}: another program listens there; stop it or choose another place`,
    );
    const wrong = await node({ driver: 'memory:', streams: [{ name: 'db', port: 1, targets: ['db.example'] }] }, ['--dry']);
    expect((await wrong.ended).code).not.toBe(0);
    expect(wrong.stderr().trim().split('\n')).toEqual([
      expect.stringContaining(
        'streams[0].targets: target 0 has neither a scheme nor a port; write tcp://host:port, tls://host:port',
      ),
    ]);
    await expect(connectClient(1)).rejects.toThrow();
  }, 30_000);
});
