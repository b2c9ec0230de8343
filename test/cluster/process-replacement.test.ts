// Workers that are replaced under load: by SIGUSR2, by SIGHUP with another configuration, by a crash. No request is lost.
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type EchoBackend, KeepAliveLoad, startEchoBackend } from '../helpers/keep-alive-load.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { isWorker, type NodeSettings, type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

let redis: TestRedis;
let backend: EchoBackend;
const nodes: SpawnedNode[] = [];
const loads: KeepAliveLoad[] = [];

beforeAll(async () => {
  redis = await startRedis();
  backend = await startEchoBackend();
  await redis.cli('rpush', 'frontend:echo', 'echo', backend.url);
});
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.stop()));
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
});
afterAll(async () => {
  await backend.close();
  await redis.stop();
});

async function serve(settings: NodeSettings = {}): Promise<SpawnedNode> {
  const node = await spawnNode({ driver: redis.url, ...settings });
  nodes.push(node);
  await node.serving();
  return node;
}

/** 500 requests a second, once the first hundred have been answered. */
async function load(node: SpawnedNode): Promise<KeepAliveLoad> {
  const started = new KeepAliveLoad({ port: node.port, host: 'echo', clients: 40, rate: 500 });
  loads.push(started);
  await eventually('the load to run', () => started.answered > 100, 10_000);
  return started;
}

/** Writes the configuration anew, with some sections replaced. */
function rewrite(node: SpawnedNode, changes: NodeSettings): void {
  writeFileSync(
    node.file,
    JSON.stringify({ ...node.settings, ...changes, server: { ...node.settings.server, ...changes.server } }),
  );
}

function gone(pids: readonly number[]): Promise<unknown> {
  return eventually('the old workers to leave', () => pids.filter(isWorker).length === 0, 15_000);
}

describe('under 500 requests a second on kept connections', () => {
  it('no request fails while SIGUSR2 replaces every worker', async () => {
    const node = await serve();
    const running = await load(node);
    const before = node.workers();
    node.kill('SIGUSR2');
    await node.says('Every worker was replaced');
    await gone(before);
    const { answered } = running;
    await eventually('more answers by the new workers', () => running.answered > answered + 100);
    await running.stop();
    console.log(
      `rolling restart: ${running.answered} answers, ${running.closing} with Connection: close, ${running.failures.length} failed`,
    );
    expect(running.failures).toEqual([]);
    expect(running.closing).toBeGreaterThan(0);
    expect(node.workers()).toHaveLength(2);
  });

  it('no request fails while SIGHUP takes another configuration over, with another number of workers and another address', async () => {
    const node = await serve();
    const running = await load(node);
    const before = node.workers();
    const another = await freePort();
    rewrite(node, {
      server: { workers: 3 },
      http: { bind: ['127.0.0.1', { address: '127.0.0.1', port: another }], port: node.port },
    });
    node.kill('SIGHUP');
    await node.says('The new configuration is in force');
    expect((await ask(another, '__ping__')).status).toBe(200);
    await gone(before);
    expect(node.workers()).toHaveLength(3);
    // And back again: the further address closes once the old workers have let go of it.
    rewrite(node, {});
    node.kill('SIGHUP');
    await eventually(
      'the further address to be closed',
      () =>
        ask(another, '__ping__').then(
          () => false,
          () => true,
        ),
      15_000,
    );
    await running.stop();
    console.log(
      `reload: ${running.answered} answers, ${running.closing} with Connection: close, ${running.failures.length} failed`,
    );
    expect(running.failures).toEqual([]);
  });

  it('kill -9 of a worker costs no connection but its own', async () => {
    const node = await serve();
    const running = await load(node);
    const [victim = 0] = node.workers();
    const killedAt = performance.now();
    process.kill(victim, 'SIGKILL');
    await eventually('another worker', () => node.workers().length === 2 && !node.workers().includes(victim), 10_000);
    const { answered } = running;
    await eventually('more answers', () => running.answered > answered + 200);
    await running.stop();
    console.log(`kill -9: ${running.answered} answers, ${running.failures.length} failed on connections of the killed worker`);
    expect(running.failures.length).toBeLessThan(40);
    expect(running.failures.filter(({ connectedAt }) => connectedAt > killedAt)).toEqual([]);
  });
});

describe('SIGHUP with a configuration that cannot be used', () => {
  it('changes nothing and tells each fault in a line', async () => {
    const node = await serve();
    const before = node.workers().sort();
    rewrite(node, { server: { workers: 'many', retryOnErrors: 1 }, http: { port: node.port, bind: ['nowhere'] } });
    node.kill('SIGHUP');
    const faults = () =>
      node
        .stderr()
        .split('\n')
        .filter((line) => line.includes('is refused, the old one stays'));
    await eventually('each fault to be told', () => faults().length >= 3);
    expect(faults()).toHaveLength(3);
    expect(faults().join()).toContain('retryOnErrors');
    expect(node.workers().sort()).toEqual(before);
    expect((await ask(node.port, '__ping__')).status).toBe(200);
    // What is right is taken over as if nothing had been.
    rewrite(node, {});
    node.kill('SIGHUP');
    await node.says('The new configuration is in force');
  });

  it('says that an address is taken, and that another one needs a restart', async () => {
    const node = await serve();
    const before = node.workers().sort();
    const other = await spawnNode();
    nodes.push(other);
    await other.serving();
    rewrite(node, { http: { bind: ['127.0.0.1', { address: '127.0.0.1', port: other.port }], port: node.port } });
    node.kill('SIGHUP');
    await node.says(`cannot listen on 127.0.0.1:${other.port}`);
    rewrite(node, { http: { bind: ['0.0.0.0'], port: node.port } });
    node.kill('SIGHUP');
    await node.says('restart the node for that');
    expect(node.workers().sort()).toEqual(before);
    expect((await ask(node.port, '__ping__')).status).toBe(200);
  });
});

describe('a WebSocket', () => {
  it('outlives a reload, until it ends by itself or the drain timeout is over', async () => {
    const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    await new Promise((resolve) => echo.once('listening', resolve));
    const { port } = echo.address() as { port: number };
    await redis.cli('rpush', 'frontend:socket', 'socket', `http://127.0.0.1:${port}`);
    try {
      const node = await serve({ server: { drainTimeout: 2 } });
      const before = node.workers();
      const open = async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${node.port}/`, { headers: { host: 'socket' } });
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
        return socket;
      };
      const said = async (socket: WebSocket, text: string) => {
        const answer = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
        socket.send(text);
        return answer;
      };
      const [one, other] = [await open(), await open()];
      const cut = new Promise((resolve) => other.once('close', resolve));
      node.kill('SIGHUP');
      await node.says('The new configuration is in force');
      expect(await said(one, 'still here')).toBe('still here');
      one.close();
      expect(await said(other, 'here too')).toBe('here too');
      await cut;
      await gone(before);
      expect(node.stderr()).toContain('are cut');
    } finally {
      echo.close();
      for (const client of echo.clients) client.terminate();
    }
  });
});

describe('a connection without a request', () => {
  it('is answered on by a worker that leaves, and told to close', async () => {
    const node = await serve({ server: { workers: 1, drainGrace: 5 } });
    const [old = 0] = node.workers();
    const socket = connect(node.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    let received = '';
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.write('GET /10/1 HTTP/1.1\r\nHost: echo\r\n\r\n');
    await eventually('the first answer', () => received.endsWith('/10/1;/10/1'));
    expect(received).not.toContain('Connection: close');
    node.kill('SIGUSR2');
    await node.says('Every worker was replaced');
    expect(isWorker(old)).toBe(true);
    received = '';
    socket.write('GET /10/2 HTTP/1.1\r\nHost: echo\r\n\r\n');
    await closed;
    expect(received).toContain('Connection: close');
    expect(received.endsWith('/10/2;/10/2')).toBe(true);
    await gone([old]);
  });
});
