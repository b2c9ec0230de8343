// A body of any size passes through a few megabytes of memory, at the pace of whoever takes it.
import net, { type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, settled } from '../helpers/eventually.js';
import { type FlowServer, FlowSink, FlowSource, startFlowServer } from '../helpers/flow.js';
import { type SpawnedProxy, spawnProxy } from '../helpers/spawn-proxy.js';

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;
/** What a process may hold while it passes a gibibyte on. */
const mostResident = 150 * mebibyte;
/** What can lie on the way: buffers of four sockets, which the kernel lets grow, and a few pieces in the proxy. */
const mostOnTheWay = 48 * mebibyte;
const patience = 40_000;

let proxy: SpawnedProxy;
let backend: FlowServer;
/** What the backend got and sent last. */
let received: FlowSink;
let answer: FlowSource | null = null;
let backendSocket: Socket;

beforeAll(async () => {
  backend = await startFlowServer((socket) => {
    backendSocket = socket;
    received = new FlowSink(socket, (sink) => {
      const chunked = sink.head.includes('/chunks');
      if (!sink.head.startsWith('GET')) return;
      socket.write(
        `HTTP/1.1 200 OK\r\n${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${gibibyte}`}\r\nConnection: close\r\n\r\n`,
      );
      answer = new FlowSource(socket, gibibyte, chunked);
    });
  });
  proxy = await spawnProxy({ frontends: { 'flow.example.com': [backend.url] } });
});

afterAll(async () => {
  await proxy.close();
  await backend.close();
});

async function connect(): Promise<Socket> {
  const socket = net.connect({ port: proxy.port, host: '127.0.0.1' });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

/** The largest resident size seen while `work` runs. */
async function peakResident(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, proxy.resident());
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  return peak;
}

for (const [how, path] of [
  ['with Content-Length', '/length'],
  ['in chunks', '/chunks'],
] as const) {
  it(`downloads a gibibyte ${how}, waiting for a client that rests`, { timeout: patience }, async () => {
    const client = await connect();
    const sink = new FlowSink(client);
    const peak = await peakResident(async () => {
      answer = null;
      client.write(`GET ${path} HTTP/1.1\r\nHost: flow.example.com\r\n\r\n`);
      await eventually('a part of the download', () => sink.taken > 16 * mebibyte);
      client.pause();
      const sent = await settled(() => answer?.sent ?? 0, 250);
      expect(sent - sink.taken).toBeLessThan(mostOnTheWay);
      client.resume();
      await eventually('the whole download', () => sink.fault !== '' || sink.taken === gibibyte, patience);
    });
    expect(sink.fault).toBe('');
    if (path === '/chunks') await eventually('the last chunk', () => sink.complete);
    expect(peak).toBeLessThan(mostResident);
    client.destroy();
  });

  it(`uploads a gibibyte ${how}, waiting for a backend that rests`, { timeout: patience }, async () => {
    const client = await connect();
    const reply = new FlowSink(client);
    const chunked = path === '/chunks';
    const peak = await peakResident(async () => {
      const before = received;
      client.write(
        `PUT ${path} HTTP/1.1\r\nHost: flow.example.com\r\n${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${gibibyte}`}\r\n\r\n`,
      );
      const source = new FlowSource(client, gibibyte, chunked);
      await eventually('a part of the upload', () => received !== before && received.taken > 16 * mebibyte);
      backendSocket.pause();
      const sent = await settled(() => source.sent, 250);
      expect(sent - received.taken).toBeLessThan(mostOnTheWay);
      backendSocket.resume();
      await eventually('the whole upload', () => received.fault !== '' || received.taken === gibibyte, patience);
    });
    expect(received.fault).toBe('');
    if (chunked) await eventually('the last chunk', () => received.complete);
    backendSocket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    await eventually('the answer', () => reply.head.startsWith('HTTP/1.1 200'));
    expect(peak).toBeLessThan(mostResident);
    client.destroy();
  });
}
