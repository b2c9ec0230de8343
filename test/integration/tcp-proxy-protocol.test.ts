import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseProxyHeader } from '../../src/listener/proxy-protocol.js';
import { formatProxyHeader } from '../../src/upstream/proxy-header.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';
import { type StartedStreams, startStreams, startTarget, type TestTarget, turnedAway } from '../helpers/streams.js';

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

const visitor = { source: { address: '203.0.113.9', port: 4711 }, destination: { address: '198.51.100.2', port: 5432 } };

describe('the PROXY protocol of TCP streams', () => {
  it('is read from trusted proxies in both versions, in one piece with data or byte by byte, and passed on as asked for', async () => {
    const echo = await target();
    const { port } = await streams({
      settings: { trustedProxies: ['127.0.0.1'] },
      streams: [{ name: 'in', proxyProtocol: true, sendProxyProtocol: 'v2', targets: [echo.url] }],
    });
    for (const version of ['v1', 'v2'] as const) {
      const whole = await connectClient(port());
      whole.send(Buffer.concat([formatProxyHeader(version, visitor), Buffer.from('hello')]));
      whole.end();
      const passed = formatProxyHeader('v2', visitor);
      expect((await whole.queue.rest()).bytes).toEqual(Buffer.concat([passed, Buffer.from('hello')]));

      const slow = await connectClient(port());
      slow.socket.setNoDelay(true);
      for (const byte of formatProxyHeader(version, visitor)) {
        await new Promise<void>((resolve) => slow.socket.write(Buffer.of(byte), () => resolve()));
      }
      slow.send('later');
      expect(await slow.queue.take(passed.length + 5)).toEqual(Buffer.concat([passed, Buffer.from('later')]));
      slow.close();
    }
  });

  it('is refused from everybody else, and so is a connection without a header, with a wrong one, or with a late one', async () => {
    const echo = await target();
    const started = await streams({
      settings: { trustedProxies: ['127.0.0.1'] },
      server: { headTimeout: 0.4 },
      streams: [{ name: 'in', proxyProtocol: true, targets: [echo.url] }],
    });
    const port = started.port();
    expect(await turnedAway(port, '127.0.0.8')).toBe(0);
    for (const text of ['GET / HTTP/1.1\r\n', 'PROXY TCP4 nonsense\r\n', 'PROXY']) {
      const client = await connectClient(port);
      client.send(text);
      if (text === 'PROXY') client.end();
      await client.ended();
      expect(client.queue.total).toBe(0);
    }
    const late = await connectClient(port);
    late.send('PROXY TCP4 ');
    await late.ended();
    expect(echo.accepted).toBe(0);
    await started.proxy.close();
    const ends = started.accessLines().map((line) => line.split(' ').at(-1));
    expect(ends.sort()).toEqual(['bad-header', 'bad-header', 'bad-header', 'bad-header', 'not-trusted']);
  });

  it('gives the block lists and the log the address of the client', async () => {
    const redis = await startRedis();
    open.push({ close: () => redis.stop() });
    await redis.cli('sadd', 'blocklist:in', '203.0.113.0/24');
    const echo = await target();
    const started = await streams({
      settings: { trustedProxies: ['127.0.0.1'], driver: redis.url },
      streams: [{ name: 'in', proxyProtocol: true, targets: [echo.url] }],
    });
    const blocked = await connectClient(started.port());
    blocked.send(formatProxyHeader('v1', visitor));
    await blocked.ended();
    expect(echo.accepted).toBe(0);
    const other = await connectClient(started.port());
    other.send(formatProxyHeader('v1', { ...visitor, source: { address: '192.0.2.1', port: 1 } }));
    other.send('x');
    await other.queue.take(1);
    other.close();
    await started.proxy.close();
    expect(started.accessLines()[0]).toMatch(/^tcp in 203\.0\.113\.9 .* blocked$/);
    expect(started.accessLines()[1]).toMatch(/^tcp in 192\.0\.2\.1 /);
  });

  it('is written in version 1 with the addresses of the connection itself', async () => {
    const echo = await target();
    const { port } = await streams({ streams: [{ name: 'out', sendProxyProtocol: 'v1', targets: [echo.url] }] });
    const client = await connectClient(port());
    const line = await client.queue.until('\r\n');
    expect(line.toString()).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${client.socket.localPort} ${port()}\r\n`);
    client.close();
  });

  it('is understood from a real HAProxy and by a real HAProxy', async () => {
    const echo = await target();
    const [before, behind] = [await freePort(), await freePort()];
    const { port } = await streams({
      settings: { trustedProxies: ['127.0.0.1'] },
      streams: [{ name: 'middle', proxyProtocol: true, sendProxyProtocol: 'v2', targets: [`tcp://127.0.0.1:${behind}`] }],
    });
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-haproxy-'));
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(
      config,
      `defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen before
  bind 127.0.0.1:${before}
  server us 127.0.0.1:${port()} send-proxy-v2
listen behind
  bind 127.0.0.1:${behind} accept-proxy
  server echo 127.0.0.1:${echo.port} send-proxy-v2
`,
    );
    const haproxy = spawn('haproxy', ['-db', '-f', config], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    open.push({
      close: async () => {
        const exited = once(haproxy, 'exit');
        haproxy.kill('SIGKILL');
        await exited;
        rmSync(folder, { recursive: true, force: true });
      },
    });
    const client = await eventually('HAProxy to listen', () =>
      connectClient(before, '127.0.0.1', '127.0.0.77').catch(() => null),
    );
    client.send('through all three');
    const header = parseProxyHeader(await client.queue.take(28));
    expect(header).toMatchObject({
      kind: 'header',
      size: 28,
      ends: { source: { address: '127.0.0.77', port: client.socket.localPort } },
    });
    expect((await client.queue.take(17)).toString()).toBe('through all three');
    client.close();
  });
});
