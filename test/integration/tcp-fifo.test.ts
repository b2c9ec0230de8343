// Many clients over one upstream connection, one request at a time, in the order of their coming.
import { afterEach, expect, test } from 'vitest';
import { eventually, pause, settled } from '../helpers/eventually.js';
import { type LineHandler, type LineServer, startLineServer } from '../helpers/line-server.js';
import { connectClient, type RawClient } from '../helpers/raw-client.js';
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

async function start(targets: readonly LineServer[], stream: object = {}): Promise<StartedStreams> {
  const urls = targets.map(({ port }) => `tcp://127.0.0.1:${port}`);
  const started = await startStreams({ streams: [{ name: 'line', mode: 'fifo', framing: 'line', targets: urls, ...stream }] });
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

/** Answers `WHAT MS` after so many milliseconds. */
const slowly: LineHandler = async (line) => {
  await pause(Number(line.split(' ')[1]));
  return `re:${line}\n`;
};

test('three clients whose answers take 80, 10 and 0 ms are answered in their order, over one connection', async () => {
  const server = await upstream(slowly);
  const started = await start([server], { framing: 'chunk' });
  const order: string[] = [];
  const answered: Promise<unknown>[] = [];
  for (const line of ['a 80', 'b 10', 'c 0']) {
    const asking = await client(started);
    answered.push(ask(asking, line).then((answer) => order.push(answer)));
    await eventually('the first request to be out', () => server.lines.length > 0);
    await pause(10);
  }
  await Promise.all(answered);
  expect(order).toEqual(['re:a 80', 're:b 10', 're:c 0']);
  expect(server.lines).toEqual(['a 80', 'b 10', 'c 0']);
  expect(server.accepted).toBe(1);
});

test('requests that a client sends without waiting are answered to it in their order, between those of others', async () => {
  const server = await upstream();
  const started = await start([server]);
  const clients = await Promise.all([client(started), client(started), client(started)]);
  await Promise.all(
    clients.map(async (asking, index) => {
      asking.send(Array.from({ length: 30 }, (_, number) => `${index}.${number}\n`).join(''));
      for (let number = 0; number < 30; number++) {
        expect((await asking.queue.until('\n')).toString()).toBe(`re:${index}.${number}\n`);
      }
    }),
  );
  expect(server.most).toBe(1);
});

test('the answer to a client that has left is thrown away, and the next one gets its own', async () => {
  const server = await upstream(slowly);
  const started = await start([server]);
  const leaving = await client(started);
  leaving.send('secret 60\n');
  await eventually('the request to be out', () => server.lines.length === 1);
  const next = await client(started);
  const answer = ask(next, 'mine 0');
  leaving.reset();
  expect(await answer).toBe('re:mine 0');
  expect(server.accepted).toBe(1);
});

test('a client that leaves while it waits is dropped from the line', async () => {
  const server = await upstream(slowly);
  const started = await start([server]);
  const first = await client(started);
  first.send('first 80\n');
  await eventually('the first request to be out', () => server.lines.length === 1);
  const leaving = await client(started);
  leaving.send('never 0\n');
  const last = await client(started);
  await pause(10);
  leaving.reset();
  expect(await ask(last, 'last 0')).toBe('re:last 0');
  expect(server.lines).toEqual(['first 80', 'last 0']);
});

test('a request that comes byte by byte holds nobody up', async () => {
  const server = await upstream();
  const started = await start([server]);
  const slow = await client(started);
  slow.send('sl');
  const quick = await client(started);
  expect(await ask(quick, 'quick')).toBe('re:quick');
  expect(await ask(slow, 'ow')).toBe('re:slow');
});

test('a client that closes its sending side is still answered, and then closed', async () => {
  const server = await upstream(slowly);
  const started = await start([server]);
  const asking = await client(started);
  asking.send('bye 20\n');
  asking.end();
  expect((await asking.queue.rest()).bytes.toString()).toBe('re:bye 20\n');
});

test('a message that is larger than maxMessage closes its client and nobody else', async () => {
  const server = await upstream();
  const started = await start([server], { maxMessage: 1000 });
  const [large, other] = [await client(started), await client(started)];
  large.send('x'.repeat(2000));
  await large.ended();
  expect(await ask(other, 'small')).toBe('re:small');
  expect(started.lines.map(({ msg }) => msg)).toContain('stream line: a client is closed: a message has more than 1000 bytes');
});

test('an answer that is larger than maxMessage closes its client, and the next one gets its own', async () => {
  const server = await upstream((line) => (line === 'large' ? `${'x'.repeat(500_000)}\n` : `re:${line}\n`));
  const started = await start([server], { maxMessage: 1000 });
  const [large, other] = [await client(started), await client(started)];
  large.send('large\n');
  await large.ended();
  expect(await ask(other, 'small')).toBe('re:small');
  expect(server.accepted).toBe(1);
});

test('who makes more bytes wait than maxWaiting is closed', async () => {
  const server = await upstream(() => null);
  const started = await start([server], { maxWaiting: 50_000 });
  const first = await client(started);
  first.send('first\n');
  await eventually('the first request to be out', () => server.lines.length === 1);
  const flooding = await client(started);
  await flooding.sendAll(Buffer.from('x\n'.repeat(100_000)));
  await flooding.ended();
  expect(started.lines.map(({ msg }) => msg)).toContain('stream line: a client is closed: more than 50000 bytes wait');
  expect(first.queue.end).toBeNull();
});

test('a client that asks faster than it is answered is made to wait by TCP', async () => {
  const server = await upstream(() => null);
  const started = await start([server]);
  const flooding = await client(started);
  const total = 64 << 20;
  void flooding.sendAll(Buffer.alloc(total, 'x\n'));
  const sent = await settled(() => flooding.socket.bytesWritten - flooding.socket.writableLength, 200);
  expect(sent).toBeLessThan(total / 2);
});

test('a client that does not read its answers is asked no more, and others are served', async () => {
  const server = await upstream((line) => `${line}${'x'.repeat(100_000)}\n`);
  const started = await start([server], { maxMessage: '1M', maxWaiting: '64M' });
  const lazy = await client(started);
  lazy.pause();
  lazy.send(Array.from({ length: 2000 }, (_, number) => `${number}\n`).join(''));
  const other = await client(started);
  expect((await ask(other, 'other')).length).toBe(100_005);
  const asked = await settled(() => server.lines.length, 200);
  expect(asked).toBeLessThan(1500);
  expect((await ask(other, 'again')).length).toBe(100_005);
  lazy.resume();
  for (let number = 0; number < 2000; number++) {
    const answer = await lazy.queue.until('\n');
    if (!answer.subarray(0, 10).toString().startsWith(`${number}x`)) throw new Error(`answer ${number} is wrong`);
  }
});

test('an answer that nobody asked for closes the upstream connection, since whose the next one is cannot be told', async () => {
  const server = await upstream((line) => (line === 'double' ? 'one\ntwo\n' : `re:${line}\n`));
  const started = await start([server]);
  const [one, two] = [await client(started), await client(started)];
  expect(await ask(one, 'double')).toBe('one');
  expect(await ask(two, 'a')).toBe('re:a');
  expect(server.accepted).toBe(2);
  expect(started.lines.map(({ msg }) => msg)).toContainEqual(
    expect.stringMatching(/is given up: it sent an answer that nobody had asked for$/),
  );
});

test('a silent target is given up after inactivityTimeout, and its client alone is closed', async () => {
  const server = await upstream((line) => (line === 'hang' ? null : `re:${line}\n`));
  const started = await start([server], { inactivityTimeout: '300ms' });
  const hanging = await client(started);
  hanging.send('hang\n');
  await eventually('the request to be out', () => server.lines.length === 1);
  const waiting = await client(started);
  const answer = ask(waiting, 'next');
  await hanging.ended();
  expect(await answer).toBe('re:next');
});

test('another target serves where the first cannot be connected to', async () => {
  const server = await upstream();
  const gone = await startLineServer();
  await gone.close();
  const started = await start([gone, server], { connections: 1 });
  expect(await ask(await client(started), 'a')).toBe('re:a');
  expect(await ask(await client(started), 'b')).toBe('re:b');
});

test('targets and modes change while clients are there', async () => {
  const [one, two] = [await upstream((line) => `one:${line}\n`), await upstream((line) => `two:${line}\n`)];
  const started = await start([one]);
  const staying = await client(started);
  expect(await ask(staying, 'a')).toBe('one:a');
  const { store } = started.proxy;
  await store.writeRecord('targets', 'line', [`tcp://127.0.0.1:${two.port}`]);
  await eventually('the connection to the old target to be closed', () => one.sockets.size === 0);
  expect(await ask(staying, 'b')).toBe('two:b');
  await store.writeRecord('stream', 'line', ['mode', 'funnel', 'connections', '3']);
  await eventually('the mode to change', () => started.lines.some(({ msg }) => msg.includes('the mode is funnel now')));
  expect(await ask(staying, 'c')).toBe('two:c');
  expect(await ask(await client(started), 'd')).toBe('two:d');
  staying.close();
  await eventually('the connection of the old mode to be closed', () => two.sockets.size === 1);
});

test('the access log tells of each client how it ended', async () => {
  const server = await upstream((line, socket) => {
    if (line !== 'die') return `re:${line}\n`;
    socket.destroy();
    return null;
  });
  const started = await start([server]);
  const good = await client(started);
  await ask(good, 'a');
  good.end();
  await good.ended();
  const unlucky = await client(started);
  unlucky.send('die\n');
  await unlucky.ended();
  await started.proxy.close();
  const ends = started.accessLines().map((line) =>
    line
      .split(' ')
      .slice(0, 3)
      .concat(line.split(' ').at(-1) ?? ''),
  );
  expect(ends).toEqual([
    ['tcp', 'line', '127.0.0.1', 'closed'],
    ['tcp', 'line', '127.0.0.1', 'exchange-failed'],
  ]);
  expect(started.accessLines()[0]).toContain(`-> tcp://127.0.0.1:${server.port} 2 5 `);
});
