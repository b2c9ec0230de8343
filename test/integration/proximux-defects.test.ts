// The known defects of Proximux, by number: none of them may come back.
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Proximux, type ProximuxConfig } from '../../src/library/proximux.js';
import { eventually, pause } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type LineHandler, type LineServer, startLineServer } from '../helpers/line-server.js';
import { connectClient, type RawClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function upstream(handle?: LineHandler, port?: number): Promise<LineServer> {
  const server = await startLineServer(handle, port);
  ending.push(() => server.close());
  return server;
}

function create(ports: readonly number[], settings: Partial<ProximuxConfig> = {}, warmup = false): Proximux {
  const proximux = new Proximux(warmup, {
    logLevel: 0,
    localServerHost: '127.0.0.1',
    localServerPort: 0,
    proxyConnectionsCount: ports.length,
    targetServers: ports.map((port) => ({ host: '127.0.0.1', port })),
    ...settings,
  });
  ending.push(() => proximux.stop());
  return proximux;
}

async function start(ports: readonly number[], settings: Partial<ProximuxConfig> = {}, warmup = false): Promise<Proximux> {
  const proximux = create(ports, settings, warmup);
  await proximux.run();
  return proximux;
}

async function client(proximux: Proximux): Promise<RawClient> {
  const opened = await connectClient(proximux.port);
  ending.push(() => opened.close());
  return opened;
}

async function ask(asking: RawClient, line: string): Promise<string> {
  asking.send(`${line}\n`);
  return (await asking.queue.until('\n')).toString('latin1').trimEnd();
}

/** An answer in two pieces, the second one a while later. */
const inTwoPieces: LineHandler = async (line, socket) => {
  socket.write(`${line}:part1,`);
  await pause(30);
  return 'part2\n';
};

describe('1. an answer in two pieces is delivered whole', () => {
  test.each(['fifo', 'funnel'])('with the usual framing in %s mode, to a client that asks one thing at a time', async (mode) => {
    const server = await upstream(inTwoPieces);
    const proximux = await start(mode === 'fifo' ? [server.port] : [server.port, server.port]);
    const asking = await client(proximux);
    expect(await ask(asking, 'a')).toBe('a:part1,part2');
    expect(await ask(asking, 'b')).toBe('b:part1,part2');
  });

  test.each([1, 2])('with framed messages to each of many clients, over %i connections', async (count) => {
    const server = await upstream(inTwoPieces);
    const proximux = await start(new Array<number>(count).fill(server.port), { framing: 'line' });
    const clients = await Promise.all(Array.from({ length: 6 }, () => client(proximux)));
    const answers = await Promise.all(clients.map((asking, index) => ask(asking, `c${index}`)));
    expect(answers).toEqual(clients.map((_, index) => `c${index}:part1,part2`));
  });

  test('when it is larger than any read', async () => {
    const body = 'x'.repeat(3_000_000);
    const server = await upstream((line) => `${line}${body}\n`);
    const proximux = await start([server.port], { framing: 'line' });
    const [one, two] = [await client(proximux), await client(proximux)];
    const answers = await Promise.all([ask(one, '1'), ask(two, '2')]);
    expect(answers.map((text) => `${text[0]} ${text.length}`)).toEqual(['1 3000001', '2 3000001']);
  });
});

describe('2. an upstream that dies during an exchange', () => {
  test.each([1, 2])('fails that exchange alone; those who wait and those who come are served (%i connections)', async (count) => {
    const server = await upstream(async (line, socket) => {
      if (line !== 'die') return `re:${line}\n`;
      await pause(20);
      socket.destroy();
      return null;
    });
    const proximux = await start(new Array<number>(count).fill(server.port), { framing: 'line' });
    const rejected: string[] = [];
    proximux.getEventEmitter().on('request', (_logger, data, response) => {
      response.catch(() => rejected.push(data.toString()));
    });
    const dying = await Promise.all(Array.from({ length: count }, () => client(proximux)));
    for (const one of dying) one.send('die\n');
    await eventually('the requests to be out', () => server.lines.length === count);
    const waiting = await Promise.all(Array.from({ length: 5 }, () => client(proximux)));
    const answers = await Promise.all(waiting.map((one, index) => ask(one, `w${index}`)));
    expect(answers).toEqual(waiting.map((_, index) => `re:w${index}`));
    for (const one of dying) await one.ended();
    expect(await ask(await client(proximux), 'later')).toBe('re:later');
    expect(rejected).toEqual(new Array(count).fill('die\n'));
    expect(server.most).toBeLessThanOrEqual(count);
  });

  test('and is away for a while is connected to again, and clients that wait go on', async () => {
    const port = await freePort();
    const first = await startLineServer((line) => (line === 'hang' ? null : `re:${line}\n`), port);
    const proximux = await start([port], { framing: 'line' });
    const hanging = await client(proximux);
    hanging.send('hang\n');
    await eventually('the request to be out', () => first.lines.length === 1);
    const waiting = await client(proximux);
    const answer = ask(waiting, 'patient');
    await first.close();
    await hanging.ended();
    await pause(100);
    const second = await upstream(undefined, port);
    expect(await answer).toBe('re:patient');
    expect(second.lines).toEqual(['patient']);
  });
});

describe('3. a target that is down', () => {
  test.each([
    ['fifo', 1, -1],
    ['funnel', 2, -1],
    ['proxy', 1, 1],
  ] as const)('closes the client in %s mode, tells by an event, and is used when it is up', async (_mode, count, most) => {
    const port = await freePort();
    const proximux = await start(new Array<number>(count).fill(port), { localServerMaxConnections: most });
    const errors: Error[] = [];
    proximux.getEventEmitter().on('error', (error) => errors.push(error));
    const asking = await client(proximux);
    asking.send('a\n');
    await asking.ended();
    expect(errors.map(({ message }) => message)).toContainEqual(expect.stringContaining('refused'));
    await upstream(undefined, port);
    await eventually('the slot of the first client to be free', async () => {
      try {
        return (await ask(await client(proximux), 'b')) === 're:b';
      } catch {
        return false;
      }
    });
  });

  test('does not end the process where nobody listens to the event', async () => {
    const proximux = await start([await freePort()]);
    const asking = await client(proximux);
    asking.send('a\n');
    await asking.ended();
  });
});

describe('4. simultaneous clients do not open more connections than there are targets', () => {
  test.each(['funnel', 'proxy'])('in %s mode', async (mode) => {
    const server = await upstream(async (line) => {
      await pause(10);
      return `re:${line}\n`;
    });
    const most = mode === 'proxy' ? 2 : -1;
    const proximux = await start([server.port, server.port], { localServerMaxConnections: most, framing: 'line' });
    const clients = await Promise.all(Array.from({ length: mode === 'proxy' ? 2 : 20 }, () => client(proximux)));
    const answers = await Promise.all(clients.map((asking, index) => ask(asking, `${index}`)));
    expect(answers).toEqual(clients.map((_, index) => `re:${index}`));
    expect(server.most).toBe(2);
    expect(server.accepted).toBe(2);
  });
});

describe('5. an asynchronous funnel gives each answer to the one client that it belongs to', () => {
  test.each(['line', 'resp'])('with %s framing and requests that follow one another without a pause', async (framing) => {
    const server = await upstream((line) => (framing === 'line' ? `re:${line}\n` : `+re:${line.trimEnd()}\r\n`));
    const proximux = await start([server.port, server.port], { exchangeFunnelAsync: true, framing });
    const end = framing === 'line' ? '\n' : '\r\n';
    const clients = await Promise.all(Array.from({ length: 8 }, () => client(proximux)));
    const count = 50;
    await Promise.all(
      clients.map(async (asking, index) => {
        asking.send(Array.from({ length: count }, (_, number) => `c${index}n${number}${end}`).join(''));
        for (let number = 0; number < count; number++) {
          const answer = (await asking.queue.until('\n')).toString().trim().replace(/^\+/, '');
          expect(answer).toBe(`re:c${index}n${number}`);
        }
      }),
    );
    expect(server.accepted).toBe(2);
  });

  test('with the usual framing, where each answer is one piece', async () => {
    const server = await upstream(async (line) => {
      await pause(15);
      return `re:${line}\n`;
    });
    const proximux = await start([server.port, server.port], { exchangeFunnelAsync: true });
    const clients = await Promise.all(Array.from({ length: 4 }, () => client(proximux)));
    const answers = await Promise.all(clients.map((asking, index) => ask(asking, `${index}`)));
    expect(answers).toEqual(['re:0', 're:1', 're:2', 're:3']);
  });
});

test('6. steady traffic does not delay what came first', async () => {
  const server = await upstream();
  const proximux = await start([server.port], { framing: 'line' });
  const [busy, asking] = [await client(proximux), await client(proximux)];
  let going = true;
  const traffic = (async () => {
    while (going) {
      await ask(busy, 'tick');
      await pause(5);
    }
  })();
  const began = performance.now();
  expect(await ask(asking, 'a')).toBe('re:a');
  const took = performance.now() - began;
  going = false;
  await traffic;
  expect(took).toBeLessThan(500);
});

test.each([1, 2])('7. an exchange waits for no timer, over %i connections', async (count) => {
  const server = await upstream();
  const proximux = await start(new Array<number>(count).fill(server.port));
  const asking = await client(proximux);
  await ask(asking, 'first');
  const began = performance.now();
  for (let round = 0; round < 100; round++) expect(await ask(asking, `${round}`)).toBe(`re:${round}`);
  // 50 ms or 20 ms for each would be 5 s or 2 s.
  expect(performance.now() - began).toBeLessThan(1_500);
});

test('8. a port that is taken is one clear line', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  ending.push(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const message = `cannot listen on 127.0.0.1:${port}: another program listens there`;
  await expect(create([1], { localServerPort: port }).run()).rejects.toThrow(message);
});

test('9. a target that does not answer the connection attempt fails it in time', async () => {
  // A process that stands still with a full backlog takes no more connections and refuses none.
  const redis = await startRedis({ args: ['--tcp-backlog', '1'] });
  ending.push(() => redis.stop());
  redis.pause();
  const fillers: net.Socket[] = [];
  ending.push(() => {
    for (const filler of fillers) filler.destroy();
  });
  await eventually('the backlog to be full', () => fill(redis.port, fillers));
  const proximux = await start([redis.port], { connectTimeout: 150 });
  const errors: string[] = [];
  proximux.getEventEmitter().on('error', ({ message }) => errors.push(message));
  const asking = await client(proximux);
  const began = performance.now();
  asking.send('a\n');
  await asking.ended();
  expect(performance.now() - began).toBeGreaterThan(100);
  expect(errors).toContainEqual(expect.stringContaining('in time'));
});

describe('10. run() tells of a start that failed', () => {
  test('because a target is down at warm-up', async () => {
    const port = await freePort();
    await expect(create([port], {}, true).run()).rejects.toThrow(/cannot connect to all target servers: .*refused/);
  });

  test('because one of several is', async () => {
    const server = await upstream();
    await expect(create([server.port, await freePort()], {}, true).run()).rejects.toThrow('cannot connect to all target servers');
    await eventually('the other connection to be closed', () => server.sockets.size === 0);
  });

  test('and can be called again when that is mended', async () => {
    const port = await freePort();
    const proximux = create([port], {}, true);
    await expect(proximux.run()).rejects.toThrow();
    await upstream(undefined, port);
    await proximux.run();
    expect(await ask(await client(proximux), 'a')).toBe('re:a');
  });
});

/** @returns whether a further connection is no longer made */
async function fill(port: number, fillers: net.Socket[]): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  fillers.push(socket);
  socket.on('error', () => {});
  return Promise.race([once(socket, 'connect').then(() => false), pause(120).then(() => true)]);
}
