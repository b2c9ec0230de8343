// Clients that make the proxy keep bytes for them: bodies that wait, answers that nobody takes. What it keeps is bounded.
import { describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import type { RawClient } from '../helpers/raw-client.js';
import { useProxy } from './use-proxy.js';

const mebibyte = 1 << 20;
const big = Buffer.alloc(16 * mebibyte, 'x');
const wire = useProxy({
  frontDoor: { maxBuffered: mebibyte },
  server: { retryBodyLimit: mebibyte / 4, bodyTimeout: 20_000, idleTimeout: 20_000 },
});

async function error(client: RawClient): Promise<string | null> {
  return (await client.response()).fields.get('x-cjs-proxy-error');
}

describe('bodies that wait for their turn', () => {
  it('are not read ahead beyond the bound; new requests are told to come later, and are served when the bytes are gone', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      if (request.target !== '/held') connection.send(ok('served'));
    });
    const [held, other] = [await world.frontend(backend), await world.frontend(backend)];
    await world.policy(held, { reqActiveLength: '1', reqQueueLength: '100', queueTimeout: '20' });
    const first = await world.client();
    first.send(head('GET', '/held', held));
    await eventually('the place to be taken', () => backend.requests.length === 1);
    const waiting = await Promise.all(Array.from({ length: 12 }, () => world.client()));
    for (const client of waiting) {
      client.send(head('POST', '/', held, `Content-Length: ${big.length}`));
      void client.sendAll(big.subarray(0, mebibyte / 2));
    }
    const refused = await eventually('the bound to be reached', async () => {
      const answer = await world.get(other);
      return answer.status === 503 && answer;
    });
    expect(refused.fields.get('x-cjs-proxy-error')).toBe('overloaded');
    expect(refused.fields.get('connection')).toBe('close');
    expect(Number(refused.fields.get('retry-after'))).toBeGreaterThan(0);
    // The running one is not touched, and health is green.
    expect((await world.get('__ping__')).status).toBe(200);
    expect(first.queue.length).toBe(0);
    for (const client of [first, ...waiting]) client.close();
    await eventually('service to go on', async () => (await world.get(other)).text === 'served');
  });
});

describe('answers that nobody takes', () => {
  it('count until they are taken or given up', async () => {
    const { world } = wire;
    const answer = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${big.length}\r\n\r\n`), big]);
    const backend = await world.backend((request, connection) =>
      request.target === '/big' ? connection.flood(answer) : connection.send(ok('served')),
    );
    const host = await world.frontend(backend);
    const clients: RawClient[] = [];
    // Each keeps what one read of its backend gave; the kernel's buffers are not the proxy's.
    await eventually(
      'the bound to be reached',
      async () => {
        for (let more = 0; more < 4; more++) {
          const client = await world.client();
          client.pause();
          client.send(head('GET', '/big', host));
          clients.push(client);
        }
        return (await world.get(host)).status === 503;
      },
      15_000,
    );
    const extra = await world.client();
    extra.send(head('GET', '/', host));
    expect(await error(extra)).toBe('overloaded');
    for (const client of clients) client.close();
    await eventually('service to go on', async () => (await world.get(host)).text === 'served');
  });
});

describe('pipelined requests', () => {
  it('behind one that waits count too, until it is their turn', async () => {
    const { world } = wire;
    const release: (() => void)[] = [];
    const backend = await world.backend((request, connection) => {
      if (request.target === '/held') release.push(() => connection.send(ok('held')));
      else connection.send(ok('served'));
    });
    const host = await world.frontend(backend);
    const flood = head('GET', '/held', host) + head('GET', `/${'a'.repeat(8000)}`, host).repeat(16);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.client()));
    for (const client of clients) client.send(flood);
    await eventually('the bound to be reached', async () => (await world.get(host)).status === 503);
    for (const answer of release) answer();
    await eventually('service to go on', async () => (await world.get(host)).text === 'served');
  });
});
