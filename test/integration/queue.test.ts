// How many requests of a frontend are in flight and how many wait, through a running proxy whose frontends are written with redis-cli.
import { beforeEach, describe, expect, it } from 'vitest';
import { head, withBody } from '../contract/engine/world.js';
import { type BackendConnection, ok, type RawBackend } from '../helpers/backend.js';
import { eventually, settled } from '../helpers/eventually.js';
import { handshake, refusing, type Site, useHipache } from '../helpers/hipache.js';
import type { RawClient } from '../helpers/raw-client.js';

const hipache = useHipache();
let site: Site;
let host: string;
let backend: RawBackend;

/** A request that the backend has and has not answered. */
interface Held {
  readonly target: string;
  readonly connection: BackendConnection;
  answer(): void;
}
let held: Held[] = [];
/** Targets that ever reached the backend, in order. */
const seen = () => backend.requests.map(({ target }) => target);

/** Most requests that the backend had at a time. */
let most = 0;

beforeEach(async () => {
  site = await hipache.site();
  host = hipache.host();
  held = [];
  most = 0;
  backend = await hipache.backend(
    (request, connection) =>
      new Promise((resolve) => {
        const one: Held = {
          target: request.target,
          connection,
          answer: () => {
            held = held.filter((other) => other !== one);
            connection.send(ok(request.target));
            resolve();
          },
        };
        held.push(one);
        most = Math.max(most, held.length);
      }),
  );
});

/** Writes a frontend with limits. */
async function serves(active: number, waiting: number, ...more: readonly string[]): Promise<void> {
  const policy = ['reqActiveLength', String(active), 'reqQueueLength', String(waiting), ...more];
  await site.redis.cli('hset', `route:${host}`, ...policy);
  await site.cli('rpush', `frontend:${host}`, 'an identifier', backend.url);
}

/** Sends requests one after the other, each on a connection of its own, and returns when the proxy has them all. */
async function send(...targets: readonly string[]): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (const target of targets) {
    const before = site.started.proxy.activeExchanges;
    const client = await site.client();
    client.send(head('GET', target, host));
    await eventually(`the proxy to have ${target}`, () => site.started.proxy.activeExchanges > before);
    clients.push(client);
  }
  return clients;
}

const reached = (target: string) => eventually(`${target} to reach the backend`, () => seen().includes(target));
const running = (count: number) => eventually(`${count} exchanges`, () => site.started.proxy.activeExchanges === count);

/** Answers everything in turn until the backend has seen so many requests, and checks that nothing is left. */
async function answerAll(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await eventually(`request ${turn + 1} of ${count}`, () => held.length > 0);
    held[0]!.answer();
  }
  await running(0);
}

describe.each(['wire', 'http-proxy'] as const)('with the engine %s', (engine) => {
  beforeEach(async () => {
    site = await hipache.site({ server: { engine } });
  });

  it('D.2-7: exactly A are in flight and Q wait in their order, and the next gets 503 with Retry-After at once', async () => {
    await serves(2, 3);
    const clients = await send('/1', '/2', '/3', '/4', '/5');
    await reached('/2');
    const before = performance.now();
    const refused = await site.get(host, '/6');
    expect(performance.now() - before).toBeLessThan(1000);
    expect(refused.status).toBe(503);
    expect(refused.fields.get('x-cjs-proxy-error')).toBe('queue-full');
    expect(Number(refused.fields.get('retry-after'))).toBeGreaterThan(0);
    expect([...seen()].sort()).toEqual(['/1', '/2']);
    for (const next of ['/3', '/4', '/5']) {
      held[0]!.answer();
      await reached(next);
      expect(held.length).toBeLessThanOrEqual(2);
    }
    await answerAll(2);
    for (const [at, client] of clients.entries())
      expect(await client.response()).toMatchObject({ status: 200, text: `/${at + 1}` });
    expect([...seen()].sort()).toEqual(['/1', '/2', '/3', '/4', '/5']);
    expect(most).toBe(2);
  });

  it('D.2-7: A=1 and Q=1 give 200, 200 and 503 to three at a time', async () => {
    await serves(1, 1);
    const [first, second] = await send('/1', '/2');
    expect((await site.get(host, '/3')).status).toBe(503);
    await answerAll(2);
    expect([(await first!.response()).status, (await second!.response()).status]).toEqual([200, 200]);
  });

  it('D.2-7: Q=0 refuses at once', async () => {
    await serves(1, 0);
    const [client] = await send('/1');
    expect((await site.get(host, '/2')).status).toBe(503);
    await answerAll(1);
    expect((await client!.response()).status).toBe(200);
    expect(seen()).toEqual(['/1']);
  });

  it('D.2-7: a place is kept over the attempts of a request', async () => {
    await serves(1, 5, 'strategy', 'ROUND_ROBIN', 'retries', '3');
    // One backend of two refuses, so that about every other request is tried again.
    await site.cli('rpush', `frontend:${host}`, refusing[0]);
    const clients = await send('/1', '/2', '/3', '/4');
    await answerAll(4);
    for (const client of clients) expect((await client.response()).status).toBe(200);
    expect(seen()).toEqual(['/1', '/2', '/3', '/4']);
    expect(most).toBe(1);
  });

  it('D.2-7: a WebSocket keeps its place until it is closed', async () => {
    const switching = await hipache.backend((request, connection) => {
      if (request.fields.get('upgrade') === null) {
        connection.send(ok('plain'));
        return;
      }
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      connection.socket.on('end', () => connection.end());
      return new Promise(() => {});
    });
    await site.redis.cli('hset', `route:${host}`, 'reqActiveLength', '1', 'reqQueueLength', '1');
    await site.cli('rpush', `frontend:${host}`, 'an identifier', switching.url);
    const socket = await site.client();
    socket.send(handshake(host));
    expect((await socket.head()).startLine).toContain('101');
    const [waiting] = await send('/');
    expect((await site.get(host)).status).toBe(503);
    socket.send('hello');
    await eventually('the tunnel to carry bytes', () => switching.connections[0]!.queue.total > 0);
    expect(switching.requests).toHaveLength(1);
    socket.close();
    expect((await waiting!.response()).text).toBe('plain');
    await running(0);
  });

  it('lets a WebSocket wait for its turn', async () => {
    await serves(1, 5);
    await send('/1');
    await reached('/1');
    const before = site.started.proxy.activeExchanges;
    const socket = await site.client();
    socket.send(handshake(host));
    await eventually('it to wait', () => site.started.proxy.activeExchanges > before);
    expect(seen()).toEqual(['/1']);
    held[0]!.answer();
    await reached('/');
    held[0]!.connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi');
    expect((await socket.head()).startLine).toContain('101');
    expect((await socket.queue.take(2)).toString()).toBe('hi');
    socket.reset();
    await running(0);
  });
});

describe('a client that leaves while it waits', () => {
  it('D.9: does not hold a place for ever', async () => {
    await serves(1, 5);
    const [first, leaver] = await send('/1', '/2');
    leaver!.close();
    await running(1);
    held[0]!.answer();
    expect((await first!.response()).status).toBe(200);
    const [next] = await send('/3');
    await reached('/3');
    await answerAll(1);
    expect((await next!.response()).status).toBe(200);
    expect(seen()).toEqual(['/1', '/3']);
  });

  it.each(['close', 'reset'] as const)('frees its place in the line at once (%s)', async (way) => {
    await serves(1, 1);
    const [, leaver] = await send('/1', '/2');
    expect((await site.get(host, '/full')).status).toBe(503);
    const before = performance.now();
    leaver![way]();
    await running(1);
    expect(performance.now() - before).toBeLessThan(500);
    const [next] = await send('/3');
    await answerAll(2);
    expect((await next!.response()).text).toBe('/3');
    expect(seen()).toEqual(['/1', '/3']);
  });

  it('is never sent on, though its turn comes as it leaves', async () => {
    await serves(1, 5);
    const [, leaver, stayer] = await send('/1', '/2', '/3');
    leaver!.close();
    held[0]!.answer();
    await reached('/3');
    await answerAll(1);
    expect((await stayer!.response()).status).toBe(200);
    expect(seen()).toEqual(['/1', '/3']);
  });

  it('is never sent on, though it was sending a body that is not read any more', async () => {
    await serves(1, 5);
    await send('/1');
    const leaver = await site.client();
    leaver.send(head('POST', '/2', host, 'Content-Length: 100000000'));
    void leaver.sendAll(Buffer.alloc(100_000_000));
    await settled(() => leaver.socket.bytesWritten);
    leaver.close();
    held[0]!.answer();
    await running(0);
    expect(seen()).toEqual(['/1']);
  });

  it('is told apart from one that only closed its sending side', async () => {
    await serves(1, 5);
    const [, quiet] = await send('/1', '/2');
    quiet!.end();
    await settled(() => quiet!.queue.total, 100);
    await answerAll(2);
    const answer = await quiet!.response();
    expect(answer).toMatchObject({ status: 200, text: '/2' });
    expect(answer.interims.map(({ startLine }) => startLine)).toContain('HTTP/1.1 100 Continue');
  });
});

describe('waiting', () => {
  it('D.9: ends for one request as another ends, not for all of them', async () => {
    await serves(1, 5);
    const clients = await send('/1', '/2', '/3', '/4', '/5', '/6');
    await answerAll(6);
    for (const client of clients) expect((await client.response()).status).toBe(200);
    expect(seen()).toEqual(['/1', '/2', '/3', '/4', '/5', '/6']);
    expect(most).toBe(1);
  });

  it('D.9: goes on where no backend is left: each is answered, and the next has its turn', async () => {
    await site.redis.cli('hset', `route:${host}`, 'reqActiveLength', '1', 'reqQueueLength', '9');
    await site.cli('rpush', `frontend:${host}`, 'an identifier', refusing[0]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => site.get(host)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(502));
    await running(0);
  });

  it('is limited by queueTimeout, with 503 and Retry-After', async () => {
    await serves(1, 5, 'queueTimeout', '150ms');
    const [first, second] = await send('/1', '/2');
    const before = performance.now();
    const answer = await second!.response();
    expect(answer.status).toBe(503);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('queue-timeout');
    expect(Number(answer.fields.get('retry-after'))).toBeGreaterThan(0);
    expect(performance.now() - before).toBeLessThan(1000);
    await answerAll(1);
    expect((await first!.response()).status).toBe(200);
    expect(seen()).toEqual(['/1']);
  });

  it('keeps the connection for the next request after a refusal', async () => {
    await serves(1, 0);
    await send('/1');
    const client = await site.client();
    for (const target of ['/2', '/3']) {
      client.send(head('GET', target, host));
      expect((await client.response()).status).toBe(503);
    }
    held[0]!.answer();
    await running(0);
    client.send(head('GET', '/4', host));
    await reached('/4');
    await answerAll(1);
    expect((await client.response()).text).toBe('/4');
  });

  it('loses nothing of a request with a small body, nor of those that are pipelined behind it', async () => {
    await serves(1, 5);
    await send('/1');
    const client = await site.client();
    client.send(withBody('POST', '/2', host, 'a body', 'X-Mine: kept') + head('GET', '/3', host));
    await running(2);
    held[0]!.answer();
    await reached('/2');
    const posted = backend.requests[1]!;
    await posted.whole();
    expect(posted.text).toBe('a body');
    expect(posted.fields.get('x-mine')).toBe('kept');
    held[0]!.answer();
    await reached('/3');
    held[0]!.answer();
    expect([(await client.response()).text, (await client.response()).text]).toEqual(['/2', '/3']);
  });

  it('reads no more of a long body than may be kept, and sends all of it in the end', async () => {
    await serves(1, 5);
    await send('/1');
    const body = Buffer.alloc(40_000_000, 'long ');
    const client = await site.client();
    client.send(head('POST', '/2', host, `Content-Length: ${body.length}`));
    const sent = client.sendAll(body);
    const taken = await settled(() => client.socket.bytesWritten);
    // What the kernel holds for both ends, and no more.
    expect(taken).toBeLessThan(body.length / 2);
    held[0]!.answer();
    await sent;
    await reached('/2');
    expect((await backend.requests[1]!.whole()).bytes.equals(body)).toBe(true);
    held[0]!.answer();
    expect((await client.response()).text).toBe('/2');
  });

  it('is part of the time that a request may take', async () => {
    await serves(1, 5, 'timeout', '150ms');
    const [first, second] = await send('/1', '/2');
    expect((await first!.response()).status).toBe(504);
    expect((await second!.response()).status).toBe(504);
    expect(seen().slice(0, 1)).toEqual(['/1']);
    await running(0);
  });
});

describe('a change in mid-flight', () => {
  it('lets waiters in at once when more may be in flight', async () => {
    await serves(1, 5);
    await send('/1', '/2', '/3', '/4');
    expect(seen()).toEqual(['/1']);
    await site.redis.cli('hset', `route:${host}`, 'reqActiveLength', '3');
    await eventually('three in flight', () => held.length === 3);
    expect([...seen()].sort()).toEqual(['/1', '/2', '/3']);
    await answerAll(4);
    expect(most).toBe(3);
  });

  it('lets those in flight finish when fewer may be', async () => {
    await serves(3, 5);
    const clients = await send('/1', '/2', '/3', '/4');
    await eventually('three in flight', () => held.length === 3);
    await site.cli('hset', `route:${host}`, 'reqActiveLength', '1', 'reqQueueLength', '1');
    expect((await site.get(host, '/5')).status).toBe(503);
    held[0]!.answer();
    held[0]!.answer();
    await running(2);
    expect(seen()).not.toContain('/4');
    held[0]!.answer();
    await reached('/4');
    await answerAll(1);
    for (const client of clients) expect((await client.response()).status).toBe(200);
  });

  it('counts for the next request though nobody was waiting', async () => {
    await serves(3, 5);
    await send('/1', '/2');
    await site.cli('hset', `route:${host}`, 'reqActiveLength', '1', 'reqQueueLength', '0');
    expect((await site.get(host, '/3')).status).toBe(503);
    await site.cli('hset', `route:${host}`, 'reqActiveLength', '3');
    await send('/4');
    await reached('/4');
    await answerAll(3);
  });

  it('lets everybody in when the limit goes', async () => {
    await serves(1, 5);
    await send('/1', '/2', '/3');
    await site.redis.cli('del', `route:${host}`);
    await eventually('all in flight', () => held.length === 3);
    await answerAll(3);
  });

  it('D.9: does not forget who is in flight when the frontend is written anew', async () => {
    await serves(1, 5);
    await send('/1', '/2');
    await site.redis.client
      .multi()
      .del(`frontend:${host}`, `route:${host}`)
      .rpush(`frontend:${host}`, 'another', backend.url)
      .hset(`route:${host}`, 'reqActiveLength', '1', 'reqQueueLength', '5')
      .exec();
    await site.told();
    await send('/3');
    expect(seen()).toEqual(['/1']);
    await answerAll(3);
    expect(seen()).toEqual(['/1', '/2', '/3']);
    expect(most).toBe(1);
  });

  it('answers who waits for a frontend that is deleted', async () => {
    await serves(1, 5);
    const [first, second, third] = await send('/1', '/2', '/3');
    await site.redis.cli('del', `frontend:${host}`, `route:${host}`);
    for (const client of [second!, third!]) {
      const answer = await client.response();
      expect(answer).toMatchObject({ status: 400 });
      expect(answer.fields.get('x-cjs-proxy-error')).toBe('unknown-frontend');
    }
    await answerAll(1);
    expect((await first!.response()).status).toBe(200);
    expect(seen()).toEqual(['/1']);
  });

  it('answers who waits for a frontend that cannot be understood any more', async () => {
    await serves(1, 5);
    const [, second] = await send('/1', '/2');
    await site.redis.client.multi().del(`frontend:${host}`).set(`frontend:${host}`, 'no list').exec();
    expect((await second!.response()).fields.get('x-cjs-proxy-error')).toBe('bad-frontend-record');
    await answerAll(1);
  });

  it('sends who waited to the backends that are there when its turn comes', async () => {
    await serves(1, 5);
    const [, second] = await send('/1', '/2');
    const other = await hipache.backend(ok('the new backend'));
    await site.redis.client.multi().del(`frontend:${host}`).rpush(`frontend:${host}`, 'an identifier', other.url).exec();
    await site.told();
    held[0]!.answer();
    expect((await second!.response()).text).toBe('the new backend');
    expect(seen()).toEqual(['/1']);
    await running(0);
  });

  it('sends nobody who waited past rules that came later', async () => {
    await serves(1, 5);
    const [, second] = await send('/1', '/2');
    const guarded = await hipache.backend(ok('only for the allowed'));
    await site.redis.client
      .multi()
      .del(`frontend:${host}`)
      .rpush(`frontend:${host}`, 'an identifier', guarded.url)
      .hset(`route:${host}`, 'allow', '["10.0.0.0/8"]')
      .exec();
    await site.told();
    held[0]!.answer();
    await reached('/2');
    held[0]!.answer();
    expect((await second!.response()).text).toBe('/2');
    expect(guarded.requests).toHaveLength(0);
    expect((await site.get(host)).status).toBe(403);
  });
});

it('a wrong limit is told, and the frontend goes on without it', async () => {
  await serves(1, 5);
  await site.cli('hset', `route:${host}`, 'reqActiveLength', 'many');
  await send('/1', '/2');
  await eventually('both in flight', () => held.length === 2);
  await answerAll(2);
  const texts = site.logged.map(({ msg }) => msg);
  expect(texts).toContain(`route:${host}: reqActiveLength is "many"; allowed: a whole number from 1 to 1000000`);
});

it('requests that come and go as they like leave nothing behind', async () => {
  await serves(3, 6);
  const clients: RawClient[] = [];
  for (let turn = 0; turn < 60; turn++) {
    const client = await site.client();
    clients.push(client);
    client.send(head('GET', `/${turn}`, host));
    const roll = (turn * 7919) % 10;
    if (roll < 3) clients[(turn * 31) % clients.length]?.close();
    else if (roll < 7) held[0]?.answer();
  }
  await eventually('all to be over', () => {
    held[0]?.answer();
    return site.started.proxy.activeExchanges === 0;
  });
  expect(most).toBeLessThanOrEqual(3);
  for (let turn = 0; turn < 3; turn++) await send(`/last/${turn}`);
  await eventually('as many in flight as may be', () => held.length === 3);
  await answerAll(3);
});
