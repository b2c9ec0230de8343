// What docs/http2.md shows and promises: its command, its settings with their defaults, the entries of its table.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseBackend } from '../../src/model/parse-backend.js';
import { connectFrames, get } from '../helpers/h2-frames.js';
import { startRedis } from '../helpers/redis.js';
import { startProxy, testConfig } from '../helpers/start-proxy.js';

const page = readFileSync('docs/http2.md', 'utf8');
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe('docs/http2.md', () => {
  it('shows a command after which an HTTP/2 backend serves', async () => {
    const redis = await startRedis();
    open.push(() => redis.stop());
    const server = http2.createServer();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('from HTTP/2');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = await startProxy({ clearHttp2: true, driver: redis.url });
    open.push(
      async () => server.close(),
      () => proxy.close(),
    );
    const [, command = ''] = /```\n(redis-cli [\s\S]*?)```/.exec(page) ?? [];
    const here = command
      .replace('redis-cli', `redis-cli -p ${redis.port}`)
      .replace('10.0.0.1:50051', `127.0.0.1:${(server.address() as AddressInfo).port}`);
    execFileSync('sh', ['-c', here], { stdio: 'ignore' });
    const client = await connectFrames(proxy.port);
    expect((await client.ended(client.request(get('grpc.example.com')))).body.toString()).toBe('from HTTP/2');
    client.close();
  });

  it('names entries that are understood, and settings with their defaults', () => {
    const entries = [...page.matchAll(/^\| `(h2c?:\/\/[^`]+)`/gm)].map(([, entry]) => entry as string);
    expect(entries.map((entry) => parseBackend(entry, 0).kind)).toEqual(['backend', 'backend']);
    const { frontDoor, https, http } = testConfig();
    const shown = [...page.matchAll(/`frontDoor\.(http2\w+)` \((\d+)\)/g)].map(([, name, value]) => [name, Number(value)]);
    const { http2Streams, http2Resets, http2ControlFrames } = frontDoor;
    expect(Object.fromEntries(shown)).toEqual({ http2Streams, http2Resets, http2ControlFrames });
    expect([https.http2, http.http2]).toEqual([true, false]);
  });
});
