import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';
import {
  isServed,
  type StartedStreams,
  served,
  startStreams,
  startTarget,
  type TestTarget,
  turnedAway,
} from '../helpers/streams.js';

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

/** Seconds until the kernel asks for the other side of open connections, as it tells them (proc(5), /proc/net/tcp). */
function keepAliveTimers(wanted: (ports: { local: number; remote: number }) => boolean): number[] {
  const seconds: number[] = [];
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', state, , timer = ''] = line.trim().split(/\s+/);
    const [kind, ticks = '0'] = timer.split(':');
    const [at, to] = [local, remote].map((end) => Number.parseInt(end.split(':')[1] ?? '0', 16));
    const open = state === '01' && kind === '02';
    if (open && wanted({ local: at ?? 0, remote: to ?? 0 })) seconds.push(Number.parseInt(ticks, 16) / 100);
  }
  return seconds;
}

describe('limits of TCP streams', () => {
  it('drops clients beyond maxConnections at once, and takes others when one has left', async () => {
    const echo = await target();
    const { port } = await streams({ streams: [{ name: 'two', maxConnections: 2, targets: [echo.url] }] });
    const [first, second] = [await served(port()), await served(port())];
    expect(await turnedAway(port())).toBe(0);
    expect(echo.accepted).toBe(2);
    first.close();
    await eventually('a free place', () => isServed(port()));
    second.close();
  });

  it('lets clients beyond maxConnections wait for their turn in their order, where asked for, and no longer than waitTimeout', async () => {
    const echo = await target();
    const { port } = await streams({
      streams: [
        { name: 'one', maxConnections: 1, overflow: 'wait', targets: [echo.url] },
        { name: 'short', maxConnections: 1, overflow: 'wait', waitTimeout: 0.3, targets: [echo.url] },
      ],
    });
    const first = await served(port('one'));
    const second = await connectClient(port('one'));
    second.send('2');
    const third = await connectClient(port('one'));
    third.send('3');
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    const answers = [second.queue.take(1).then(note('second')), third.queue.take(1).then(note('third'))];
    first.close();
    await answers[0];
    expect(order).toEqual(['second']);
    second.close();
    await answers[1];
    third.close();

    const holder = await served(port('short'));
    expect(await turnedAway(port('short'))).toBe(0);
    holder.send('still here');
    expect((await holder.queue.take(10)).toString()).toBe('still here');
  });

  it('keeps to the connections of each target, also under simultaneous clients', async () => {
    const [one, two] = [await target(), await target()];
    const { port } = await streams({
      streams: [{ name: 'caps', overflow: 'wait', targetConnections: 2, targets: [`${one.url}#max=1`, two.url] }],
    });
    let most = 0;
    const visit = async (): Promise<void> => {
      const client = await served(port());
      most = Math.max(most, one.sockets.size + two.sockets.size);
      expect(one.sockets.size).toBeLessThanOrEqual(1);
      expect(two.sockets.size).toBeLessThanOrEqual(2);
      client.end();
      await client.ended();
    };
    await Promise.all(Array.from({ length: 20 }, visit));
    expect(most).toBeGreaterThan(1);
    expect(one.accepted + two.accepted).toBe(20);
  });

  it('closes a connection that is silent for longer than inactivityTimeout, and none that is not', async () => {
    const echo = await target();
    const started = await streams({ streams: [{ name: 'quiet', inactivityTimeout: 0.6, targets: [echo.url] }] });
    const silent = await served(started.port());
    const busy = await served(started.port());
    let beats = 0;
    const beat = setInterval(() => {
      beats++;
      busy.send('.');
    }, 100);
    await silent.ended();
    clearInterval(beat);
    expect(busy.queue.end).toBeNull();
    expect(beats).toBeGreaterThan(3);
    await started.proxy.close();
    expect(started.accessLines().map((line) => line.split(' ').at(-1))).toEqual(['inactive', 'cut']);
  });

  it('has TCP ask for both sides after keepAlive, and for neither where it is 0', async () => {
    const echo = await target();
    const { port } = await streams({
      streams: [
        { name: 'kept', keepAlive: 500, targets: [echo.url] },
        { name: 'never', keepAlive: 0, targets: [echo.url] },
        { name: 'apart', keepAlive: 500, targets: [`${echo.url}#keepAlive=0`] },
      ],
    });
    const asks = async (name: string): Promise<{ client: boolean; target: boolean }> => {
      const client = await served(port(name));
      const found = {
        client: keepAliveTimers(({ local }) => local === port(name)).some((seconds) => seconds > 400 && seconds <= 500),
        target: keepAliveTimers(({ remote }) => remote === echo.port).some((seconds) => seconds > 400 && seconds <= 500),
      };
      client.close();
      await eventually('it to be gone', () => echo.sockets.size === 0);
      return found;
    };
    expect(await asks('kept')).toEqual({ client: true, target: true });
    expect(await asks('never')).toEqual({ client: false, target: false });
    expect(await asks('apart')).toEqual({ client: true, target: false });
  });

  it('gives a target connectTimeout, then tries the next', async () => {
    const echo = await target();
    // An address of a documentation range (RFC 5737): nobody answers there, or the machine says that it has no way to it.
    const { port } = await streams({
      streams: [{ name: 'slow', connectTimeout: 0.3, targets: ['tcp://192.0.2.1:9', echo.url] }],
    });
    const began = performance.now();
    const client = await served(port());
    expect(performance.now() - began).toBeLessThan(2_000);
    client.close();
  });

  it('refuses addresses of the block lists at accept, sees changes at once, and cuts running connections where asked for', async () => {
    const redis = await startRedis();
    open.push({ close: () => redis.stop() });
    const echo = await target();
    const started = await streams({
      settings: { driver: redis.url },
      streams: [
        { name: 'strict', cutBlocked: true, targets: [echo.url] },
        { name: 'mild', targets: [echo.url] },
      ],
    });
    const { port, lines } = started;
    const strict = await served(port('strict'), '127.0.0.5');
    const mild = await served(port('mild'), '127.0.0.5');
    const other = await served(port('strict'), '127.0.0.9');
    await redis.cli('sadd', 'blocklist', '127.0.0.4/31', 'nonsense');
    await strict.ended();
    mild.send('on');
    expect((await mild.queue.take(2)).toString()).toBe('on');
    other.send('on');
    expect((await other.queue.take(2)).toString()).toBe('on');
    expect(await turnedAway(port('mild'), '127.0.0.4')).toBe(0);
    const told = lines.filter(({ msg }) => msg.startsWith('blocklist')).map(({ msg }) => msg);
    expect(told).toEqual(['blocklist: "nonsense" is neither an IP address nor a range such as 10.0.0.0/8']);

    await redis.cli('sadd', 'blocklist:mild', '127.0.0.7');
    await eventually('the list of one stream', async () => !(await isServed(port('mild'), '127.0.0.7')));
    (await served(port('strict'), '127.0.0.7')).close();
    await redis.cli('del', 'blocklist');
    await eventually('the list to be gone', () => isServed(port('strict'), '127.0.0.5'));
    await started.proxy.close();
    const ends = started.accessLines().map((line) => line.split(' ').at(-1));
    expect(ends).toContain('cut');
    expect(ends).toContain('blocked');
  });

  it('keeps everybody out while a block list cannot be understood and none is known', async () => {
    const redis = await startRedis();
    open.push({ close: () => redis.stop() });
    await redis.cli('set', 'blocklist', 'not a set');
    const echo = await target();
    const { port, lines } = await streams({
      settings: { driver: redis.url },
      streams: [{ name: 'guarded', targets: [echo.url] }],
    });
    expect(await turnedAway(port())).toBe(0);
    expect(echo.accepted).toBe(0);
    expect(lines.filter(({ msg }) => msg.startsWith('blocklist: '))).toHaveLength(1);
    await redis.cli('del', 'blocklist');
    await eventually('the list to be mended', () => isServed(port()));
  });
});
