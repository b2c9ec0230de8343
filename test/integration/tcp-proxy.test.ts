import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { resetSocket, wasReset } from '../../src/base/socket-reset.js';
import { eventually, settled } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { connectClient, RawClient } from '../helpers/raw-client.js';
import { named, type StartedStreams, startStreams, startTarget, type TestTarget, turnedAway } from '../helpers/streams.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function target(...args: Parameters<typeof startTarget>): Promise<TestTarget> {
  const started = await startTarget(...args);
  open.push(started);
  return started;
}

async function streams(...args: Parameters<typeof startStreams>): Promise<StartedStreams> {
  const started = await startStreams(...args);
  open.push(started);
  return started;
}

/** What a client is sent before its connection ends. */
async function heard(port: number, localAddress?: string): Promise<string> {
  const client = await connectClient(port, '127.0.0.1', localAddress);
  const { bytes } = await client.queue.rest();
  client.close();
  return bytes.toString();
}

describe('TCP streams in proxy mode', () => {
  it('carries bytes both ways unchanged and closes both directions in order', async () => {
    const echo = await target();
    const { port } = await streams({ streams: [{ name: 'echo', targets: [echo.url] }] });
    const sent = randomBytes(3_000_000);
    const client = await connectClient(port());
    const sending = client.sendAll(sent).then(() => client.end());
    const { bytes, end } = await client.queue.rest();
    await sending;
    expect(bytes.equals(sent)).toBe(true);
    expect(end).toBe('end');
    await eventually('the target to be left', () => echo.sockets.size === 0);
  });

  it('lets the server speak first', async () => {
    const greeter = await target((socket) => socket.write('220 ready\r\n'));
    const { port } = await streams({ streams: [{ name: 'smtp', targets: [greeter.url] }] });
    const client = await connectClient(port());
    expect((await client.queue.until('\r\n')).toString()).toBe('220 ready\r\n');
    client.close();
  });

  it('passes the end of one direction on while the other goes on', async () => {
    const sum = await target((socket) => {
      let size = 0;
      socket.on('data', (chunk) => {
        size += chunk.length;
      });
      socket.on('end', () => socket.end(`${size} bytes`));
    });
    const early = await target((socket) => {
      socket.end('bye');
      socket.resume();
    });
    const { port } = await streams({
      streams: [
        { name: 'sum', targets: [sum.url] },
        { name: 'early', targets: [early.url] },
      ],
    });
    const client = await connectClient(port('sum'));
    client.send('12345');
    client.end();
    expect((await client.queue.rest()).bytes.toString()).toBe('5 bytes');

    const other = await connectClient(port('early'));
    expect((await other.queue.rest()).bytes.toString()).toBe('bye');
    await other.sendAll(Buffer.alloc(100_000));
    other.end();
    await eventually('the target to get the end', () => early.sockets.size === 0);
  });

  it('resets the other side when one is reset', async () => {
    const echo = await target();
    const { port } = await streams({ streams: [{ name: 'echo', targets: [echo.url] }] });
    const client = await connectClient(port());
    client.send('x');
    await client.queue.take(1);
    let ends = 0;
    for (const socket of echo.sockets)
      socket.once('error', (error: NodeJS.ErrnoException) => (ends += error.code === 'ECONNRESET' ? 1 : 0));
    client.reset();
    await eventually('the target to be reset', () => ends === 1);

    const second = await connectClient(port());
    second.send('x');
    await second.queue.take(1);
    for (const socket of echo.sockets) socket.resetAndDestroy();
    expect(await second.ended()).toBe('reset');
  });

  it('resets the client when the reset of its target comes together with the last bytes', async () => {
    const half = await target((socket) => {
      socket.once('data', () => {
        socket.write('half of the answer');
        resetSocket(socket);
      });
    });
    const { port } = await streams({ streams: [{ name: 'half', targets: [half.url] }] });
    for (let round = 0; round < 20; round += 1) {
      const client = net.connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
      client.write('x');
      // The client is an event loop as well, which may be told of an end.
      const end = await new Promise<string>((resolve) => {
        client.once('error', () => resolve('reset'));
        client.resume().once('end', () => resolve(wasReset(client) ? 'reset' : 'end'));
      });
      client.destroy();
      expect(end).toBe('reset');
    }
  });

  it('makes a sender wait for a reader that does not read, in both directions, and loses nothing', async () => {
    const held: net.Socket[] = [];
    const sink = await target((socket) => {
      socket.pause();
      held.push(socket);
    });
    const { port } = await streams({ streams: [{ name: 'sink', targets: [sink.url] }] });
    const size = 64 << 20;
    const client = await connectClient(port());
    let written = 0;
    const sending = (async () => {
      for (let at = 0; at < size; at += 1 << 20) {
        await new Promise<void>((resolve) => client.socket.write(Buffer.alloc(1 << 20), () => resolve()));
        written += 1 << 20;
      }
      client.end();
    })();
    const stalled = await settled(() => written, 300);
    expect(stalled).toBeLessThan(size / 2);
    const socket = held[0] as net.Socket;
    let got = 0;
    socket.on('data', (chunk) => (got += chunk.length));
    socket.resume();
    await sending;
    await eventually('all bytes', () => got === size);

    let sent = 0;
    const push = (): void => {
      while (sent < size && socket.write(Buffer.alloc(65_536))) sent += 65_536;
    };
    client.pause();
    socket.on('drain', push);
    push();
    expect(await settled(() => sent, 300)).toBeLessThan(size / 2);
    client.resume();
    await eventually('the rest', () => client.queue.total >= size - 65_536, 10_000);
    client.close();
  });

  it('listens on a unix socket, goes to one, and replaces one that nobody serves any more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-sockets-'));
    open.push({ close: async () => rmSync(folder, { recursive: true, force: true }) });
    const path = join(folder, 'in.sock');
    // A process that is killed leaves its socket behind.
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    const behind = await target(undefined, join(folder, 'out.sock'));
    const started = await streams({ streams: [{ name: 'local', path, targets: [behind.url] }] });
    const socket = net.connect({ path, allowHalfOpen: true });
    await once(socket, 'connect');
    const client = new RawClient(socket);
    client.send('over sockets');
    client.end();
    expect((await client.queue.rest()).bytes.toString()).toBe('over sockets');
    await expect(startStreams({ streams: [{ name: 'second', path }] })).rejects.toThrow(
      `stream second: cannot listen on unix:${path}: another program listens there; stop it or choose another place`,
    );
    await started.close();
    expect(started.proxy.addresses[0]).toMatchObject({ address: path, port: 0, stream: 'local' });
  });

  it('takes turns by weight, keeps an address with its target by IP_HASH, and uses a backup only without others', async () => {
    const [one, two] = [await target(named('one')), await target(named('two'))];
    const { port } = await streams({
      streams: [
        { name: 'weighted', targets: [`${one.url}#weight=3`, `${two.url}#weight=1`] },
        { name: 'hashed', strategy: 'IP_HASH', targets: [one.url, two.url] },
        { name: 'backup', targets: [`${one.url}#backup`, two.url] },
      ],
    });
    const heardInTurn: string[] = [];
    for (let turn = 0; turn < 8; turn++) heardInTurn.push(await heard(port('weighted')));
    expect(heardInTurn.filter((name) => name === 'one')).toHaveLength(6);
    const byAddress = new Set<string>();
    for (let last = 2; last < 22; last++) {
      const address = `127.0.0.${last}`;
      const first = await heard(port('hashed'), address);
      expect(await heard(port('hashed'), address)).toBe(first);
      byAddress.add(first);
    }
    expect(byAddress.size).toBe(2);
    expect(await heard(port('backup'))).toBe('two');
    await two.close();
    expect(await heard(port('backup'))).toBe('one');
  });

  it('serves a client by another target when one cannot be connected to, says so once, and goes back when it is there again', async () => {
    const dead = await freePort();
    const alive = await target(named('alive'));
    const started = await streams({
      streams: [{ name: 'pair', targets: [`tcp://127.0.0.1:${dead}`, alive.url] }],
      server: { recoveryInterval: 0.2 },
    });
    for (let turn = 0; turn < 6; turn++) expect(await heard(started.port())).toBe('alive');
    const said = () => started.lines.filter(({ msg }) => msg.includes(`127.0.0.1:${dead}`)).map(({ msg }) => msg);
    expect(said()).toEqual([`stream pair: target tcp://127.0.0.1:${dead} is dead (ECONNREFUSED)`]);
    const back = await startTarget(named('back'), dead);
    open.push(back);
    await eventually('the target to be found again', () => said().length === 2);
    expect(said()[1]).toBe(`stream pair: target tcp://127.0.0.1:${dead} is back`);
    expect(new Set([await heard(started.port()), await heard(started.port())])).toEqual(new Set(['back', 'alive']));
  });

  it('finds out before a client does that a target is gone, where targets are checked', async () => {
    const alive = await target(named('alive'));
    const going = await startTarget(named('going'));
    const started = await streams({
      streams: [{ name: 'pair', checkInterval: 0.25, targets: [alive.url, going.url] }],
    });
    await going.close();
    const said = () => started.lines.map(({ msg }) => msg).filter((text) => text.includes('stream pair'));
    await eventually('it to be found', () => said().length > 0);
    // A check may have been under way when it went.
    expect(said()).toEqual([expect.stringMatching(`stream pair: target ${going.url} is dead \\(ECONN(REFUSED|RESET)\\)`)]);
    for (let turn = 0; turn < 4; turn++) expect(await heard(started.port())).toBe('alive');
    expect(said()).toHaveLength(1);
  });

  it('starts although a target does not resolve: says so once, closes clients, and logs why each ended', async () => {
    const started = await streams({ streams: [{ name: 'lost', targets: ['tcp://no-such-host.invalid:5432'] }] });
    for (let turn = 0; turn < 3; turn++) {
      expect(await turnedAway(started.port())).toBe(0);
    }
    const warnings = started.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.msg).toMatch(
      /^stream lost: target tcp:\/\/no-such-host\.invalid:5432 is dead \((ENOTFOUND|EAI_AGAIN)\)$/,
    );
    await started.proxy.close();
    expect(started.accessLines()).toHaveLength(3);
    expect(started.accessLines()[0]).toMatch(
      /^tcp lost 127\.0\.0\.1 - \[[^\]]+\] -> tcp:\/\/no-such-host\.invalid:5432 0 0 \d+ no-target$/,
    );
  });

  it('writes a line a connection: client, target, bytes each way, time, and why it ended', async () => {
    const echo = await target();
    for (const format of ['combined', 'json']) {
      const started = await streams({ streams: [{ name: 'echo', targets: [echo.url] }], server: { accessLogFormat: format } });
      const client = await connectClient(started.port());
      client.send('hello');
      client.end();
      await client.ended();
      await eventually('the target to be left', () => echo.sockets.size === 0);
      await started.proxy.close();
      const [line = ''] = started.accessLines();
      if (format === 'json') {
        const record = { stream: 'echo', client: '127.0.0.1', target: echo.url, bytesIn: 5, bytesOut: 5, end: 'closed' };
        expect(JSON.parse(line)).toMatchObject(record);
      } else expect(line).toMatch(new RegExp(`^tcp echo 127\\.0\\.0\\.1 - \\[.*\\] -> ${echo.url} 5 5 \\d+ closed$`));
    }
  });

  it('finishes what runs when it drains, and accepts nothing more', async () => {
    const echo = await target();
    const started = await streams({ streams: [{ name: 'echo', targets: [echo.url] }] });
    const client = await connectClient(started.port());
    client.send('a');
    await client.queue.take(1);
    const drained = started.proxy.drain(5_000);
    const refused = (): Promise<boolean> =>
      connectClient(started.port()).then(
        (late) => {
          late.close();
          return false;
        },
        () => true,
      );
    await eventually('new clients to be refused', refused);
    client.send('b');
    expect((await client.queue.take(1)).toString()).toBe('b');
    client.end();
    await client.ended();
    await drained;
  });
});
