// Many clients over a number of upstream connections.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthority } from '../helpers/certs.js';
import { eventually, pause } from '../helpers/eventually.js';
import { type LineHandler, type LineServer, startLineServer } from '../helpers/line-server.js';
import { connectClient, connectTlsClient, type RawClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';
import { type StartedStreams, startStreams } from '../helpers/streams.js';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function upstream(handle?: LineHandler): Promise<LineServer> {
  const server = await startLineServer(handle);
  ending.push(() => server.close());
  return server;
}

async function start(ports: readonly number[], stream: object = {}): Promise<StartedStreams> {
  const targets = ports.map((port) => `tcp://127.0.0.1:${port}`);
  const started = await startStreams({ streams: [{ name: 'wide', mode: 'funnel', framing: 'line', targets, ...stream }] });
  ending.push(() => started.close());
  return started;
}

async function client({ port }: StartedStreams): Promise<RawClient> {
  const opened = await connectClient(port());
  ending.push(() => opened.close());
  return opened;
}

async function ask(asking: RawClient, line: string): Promise<string> {
  asking.send(`${line}\n`);
  return (await asking.queue.until('\n')).toString('latin1').trimEnd();
}

test('each connection has one request at a time, and as many are answered at once as there are connections', async () => {
  let running = 0;
  let most = 0;
  const server = await upstream(async (line) => {
    running++;
    most = Math.max(most, running);
    await pause(15);
    running--;
    return `re:${line}\n`;
  });
  const started = await start([server.port], { connections: 3 });
  const clients = await Promise.all(Array.from({ length: 12 }, () => client(started)));
  const answers = await Promise.all(clients.map((asking, index) => ask(asking, `${index}`)));
  expect(answers).toEqual(clients.map((_, index) => `re:${index}`));
  expect({ most, accepted: server.accepted }).toEqual({ most: 3, accepted: 3 });
});

test('without a number every target has one connection', async () => {
  const servers = await Promise.all([upstream(), upstream(), upstream()]);
  const slow: LineHandler = async (line) => {
    await pause(10);
    return `re:${line}\n`;
  };
  const busy = await upstream(slow);
  const started = await start([busy.port, ...servers.map(({ port }) => port)]);
  const clients = await Promise.all(Array.from({ length: 20 }, () => client(started)));
  await Promise.all(clients.map((asking) => ask(asking, 'x')));
  expect([busy, ...servers].map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1]);
});

test('one client that sends many requests at once has them carried out in their order, beside others', async () => {
  const server = await upstream(async (line) => {
    await pause(line.endsWith('0') ? 5 : 0);
    return `re:${line}\n`;
  });
  const started = await start([server.port], { connections: 4 });
  const clients = await Promise.all([client(started), client(started)]);
  await Promise.all(
    clients.map(async (asking, index) => {
      asking.send(Array.from({ length: 40 }, (_, number) => `${index}.${number}\n`).join(''));
      for (let number = 0; number < 40; number++) {
        expect((await asking.queue.until('\n')).toString()).toBe(`re:${index}.${number}\n`);
      }
    }),
  );
  const ofFirst = server.lines.filter((line) => line.startsWith('0.'));
  expect(ofFirst).toEqual(Array.from({ length: 40 }, (_, number) => `0.${number}`));
});

test('the targets that are up serve where others are not', async () => {
  const server = await upstream();
  const gone = await startLineServer();
  await gone.close();
  const started = await start([gone.port, server.port, gone.port]);
  const clients = await Promise.all(Array.from({ length: 10 }, () => client(started)));
  const answers = await Promise.all(clients.map((asking, index) => ask(asking, `${index}`)));
  expect(answers).toEqual(clients.map((_, index) => `re:${index}`));
});

test('clients may come over a unix socket', async () => {
  const server = await startLineServer();
  ending.push(() => server.close());
  const started = await start([server.port], { path: 'DIR/wide.sock' });
  const socket = net.connect({ path: `${started.folder}/wide.sock` });
  ending.push(() => void socket.destroy());
  socket.write('a\n');
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString();
  });
  await eventually('the answer', () => answer === 're:a\n');
});

test('clients and targets may speak TLS, also in many pieces', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-funnel-tls-'));
  ending.push(() => rmSync(folder, { recursive: true }));
  const authority = createAuthority();
  const certificate = authority.issue('localhost');
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem'), ca: join(folder, 'ca.pem') };
  writeFileSync(files.key, certificate.key);
  writeFileSync(files.cert, certificate.cert);
  writeFileSync(files.ca, authority.cert);
  const server = tls.createServer(certificate, (socket) => {
    socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase())).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const started = await startStreams({
    server: { backendCa: [files.ca] },
    streams: [
      {
        name: 'wide',
        mode: 'funnel',
        framing: 'line',
        async: true,
        tls: { key: files.key, cert: files.cert },
        targets: [`tls://localhost:${port}`, `tls://localhost:${port}`],
      },
    ],
  });
  ending.push(() => started.close());
  const clients = await Promise.all(Array.from({ length: 5 }, () => connectTlsClient(started.port(), 'localhost')));
  const lines = clients.map((_, index) => `${String.fromCharCode(97 + index).repeat(200_000)}`);
  const answers = await Promise.all(clients.map((asking, index) => ask(asking, lines[index] as string)));
  for (const asking of clients) asking.close();
  expect(answers.map((answer, index) => answer === lines[index]?.toUpperCase())).toEqual(clients.map(() => true));
});

test('a proxy that stops lets what was asked be answered', async () => {
  const server = await upstream(async (line) => {
    await pause(150);
    return `re:${line}\n`;
  });
  const started = await start([server.port]);
  const [asking, idle] = [await client(started), await client(started)];
  asking.send('a\n');
  await eventually('the request to be out', () => server.lines.length === 1);
  const drained = started.proxy.drain(5_000);
  await idle.ended();
  expect((await asking.queue.until('\n')).toString()).toBe('re:a\n');
  await asking.ended();
  for (const one of [asking, idle]) one.end();
  await drained;
});

test('a target that wants a PROXY header gets one that names nobody', async () => {
  const server = await upstream((line) => (line.startsWith('PROXY') ? null : `re:${line}\n`));
  const started = await start([server.port], { sendProxyProtocol: 'v1' });
  expect(await ask(await client(started), 'a')).toBe('re:a');
  expect(server.lines).toEqual(['PROXY UNKNOWN\r', 'a']);
});

test('silence may end messages, both ways', async () => {
  const server = await upstream(async (line, socket) => {
    socket.write(`re:${line}`);
    await pause(20);
    return '!\n';
  });
  const started = await start([server.port], { framing: { type: 'idle-gap', milliseconds: 60 }, connections: 1 });
  const [one, two] = [await client(started), await client(started)];
  one.send('o');
  const second = ask(two, 'two');
  await pause(10);
  one.send('ne\n');
  expect((await one.queue.until('\n')).toString()).toBe('re:one!\n');
  expect(await second).toBe('re:two!');
});

test('a length in front of each message parts them, both ways', async () => {
  const target = net.createServer((socket) => socket.on('data', (bytes) => socket.write(bytes)).on('error', () => {}));
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  ending.push(() => target.close());
  const framing = { type: 'length-prefix', size: 2, offset: 1, endianness: 'little', includesHeader: true };
  const started = await start([(target.address() as AddressInfo).port], { framing, connections: 1 });
  const clients = await Promise.all(Array.from({ length: 10 }, () => client(started)));
  await Promise.all(
    clients.map(async (asking, index) => {
      for (let number = 1; number < 40; number++) {
        const message = Buffer.alloc(3 + number * 50, index);
        message.writeUInt16LE(message.length, 1);
        asking.send(message);
        expect((await asking.queue.take(message.length)).equals(message)).toBe(true);
      }
    }),
  );
});

describe('200 clients over 4 connections', () => {
  test.each([
    ['one request at a time', false],
    ['many requests one behind the other', true],
  ])('get every answer whole and their own, with %s', async (_title, async) => {
    const server = await upstream((line) => `${line}${'='.repeat(Number(line.split('.')[1]) % 700)}\n`);
    const started = await start([server.port], { connections: 4, async });
    const clients = await Promise.all(Array.from({ length: 200 }, () => client(started)));
    const until = performance.now() + 2_000;
    let checked = 0;
    await Promise.all(
      clients.map(async (asking, index) => {
        for (let number = 0; performance.now() < until; number++) {
          const line = `${index}.${number}`;
          const answer = await ask(asking, line);
          if (answer !== line + '='.repeat(number % 700)) throw new Error(`client ${index} asked ${line} and got ${answer}`);
          checked++;
        }
      }),
    );
    expect(checked).toBeGreaterThan(1_000);
    expect(server.most).toBe(4);
  });
});

describe('a real Redis behind a funnel with resp framing', () => {
  async function redisBehind(stream: object = {}) {
    const redis = await startRedis();
    ending.push(() => redis.stop());
    const started = await start([redis.port], { framing: 'resp', connections: 2, ...stream });
    const connect = (options: object = {}) => {
      const opened = new Redis({ port: started.port(), host: '127.0.0.1', maxRetriesPerRequest: 0, ...options });
      opened.on('error', () => {});
      ending.push(() => opened.disconnect());
      return opened;
    };
    return { redis, started, connect };
  }

  test.each([false, true])('carries commands and all kinds of answers of many clients (async: %s)', async (async) => {
    const { redis, connect } = await redisBehind({ async });
    const clients = Array.from({ length: 10 }, () => connect({ protocol: 2 }));
    await Promise.all(
      clients.map(async (one, index) => {
        const commands = Array.from({ length: 50 }, (_, number) => one.set(`k:${index}:${number}`, `v${number}`));
        await Promise.all(commands);
        expect(await one.get(`k:${index}:49`)).toBe('v49');
        expect(await one.mget(`k:${index}:0`, 'none', `k:${index}:1`)).toEqual(['v0', null, 'v1']);
        await expect(one.call('NOSUCH')).rejects.toThrow('unknown command');
        expect((await one.getBuffer(`k:${index}:0`))?.toString()).toBe('v0');
        const large = 'x'.repeat(300_000);
        await one.set(`large:${index}`, large);
        expect(await one.get(`large:${index}`)).toBe(large);
      }),
    );
    expect(await redis.client.dbsize()).toBe(510);
    const info = await redis.client.call('CLIENT', 'LIST');
    // Two for the clients, and the one that asks.
    expect(String(info).trim().split('\n')).toHaveLength(3);
  });

  test('keeps clients apart that would change the connection for others', async () => {
    const { connect } = await redisBehind();
    const [one, two] = [connect({ protocol: 2 }), connect({ protocol: 2 })];
    await expect(one.call('MULTI')).rejects.toThrow('MULTI cannot be used over a connection that many clients share');
    expect(await two.set('a', '1')).toBe('OK');
    await expect(one.call('SUBSCRIBE', 'x')).rejects.toThrow('SUBSCRIBE cannot be used');
    expect(await one.quit()).toBe('OK');
    expect(await two.get('a')).toBe('1');
  });

  test('redis-cli and lines that somebody types work, and nonsense closes only who sent it', async () => {
    const { redis, started, connect } = await redisBehind();
    const steady = connect({ protocol: 2 });
    await steady.set('a', 'steady');
    const typing = await client(started);
    typing.send('\r\nset b "two words"\r\nget b\r\n');
    expect((await typing.queue.until('words\r\n')).toString()).toBe('+OK\r\n$9\r\ntwo words\r\n');
    const nonsense = await client(started);
    nonsense.send('*1\r\n$x\r\n');
    await nonsense.ended();
    expect(await steady.get('a')).toBe('steady');
    expect(String(await redis.client.call('CLIENT', 'LIST')).split('\n').length).toBeLessThanOrEqual(4);
  });

  test('is connected to again when it was killed, and clients go on', async () => {
    const { redis, started, connect } = await redisBehind();
    const steady = connect({ protocol: 2 });
    expect(await steady.set('a', 'one')).toBe('OK');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const asking = await client(started);
    asking.send('get a\r\n');
    expect((await asking.queue.until('one\r\n')).toString()).toBe('$3\r\none\r\n');
    expect(await steady.get('a')).toBe('one');
  });
});
