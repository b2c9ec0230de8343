// Accepting: a burst of connections does not stand in the kernel's queue for as many turns of the event loop.
import { once } from 'node:events';
import net from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { acceptConnections } from '../../../src/listener/accept.js';
import { eventually } from '../../helpers/eventually.js';
import { freePort } from '../../helpers/free-port.js';

const burst = 64;

async function listeningServer(): Promise<net.Server> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function connectMany(server: net.Server): net.Socket[] {
  const { port } = server.address() as net.AddressInfo;
  return Array.from({ length: burst }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
}

async function turnsUntil(reached: () => boolean): Promise<number> {
  let turns = 0;
  while (!reached()) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  return turns;
}

it('takes several waiting connections in one turn of the event loop', async () => {
  const server = await listeningServer();
  const accepted: net.Socket[] = [];
  const stop = acceptConnections(server, (socket) => {
    accepted.push(socket);
    return () => {};
  });
  const clients: net.Socket[] = [];
  onTestFinished(() => {
    stop();
    server.close();
    for (const socket of [...clients, ...accepted]) socket.destroy();
  });
  // The further handles arrive within moments: a burst before that is accepted too, in more turns.
  const few = await eventually('a burst to be accepted in few turns', async () => {
    const before = accepted.length;
    clients.push(...connectMany(server));
    return (await turnsUntil(() => accepted.length === before + burst)) < burst / 2;
  });
  expect(few).toBe(true);
});

it('takes no further connection once it was stopped', async () => {
  const server = await listeningServer();
  let accepted = 0;
  const stop = acceptConnections(server, () => {
    accepted++;
    return null;
  });
  const { port } = server.address() as net.AddressInfo;
  stop();
  server.close();
  const refused = net.connect(port, '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect([error.code, accepted]).toEqual(['ECONNREFUSED', 0]);
});

it('leaves its place to another one as soon as it has stopped, however soon that is', async () => {
  const port = await freePort();
  for (let turn = 0; turn < 20; turn++) {
    const server = net.createServer();
    server.listen({ port, host: '127.0.0.1' });
    await once(server, 'listening');
    const stop = acceptConnections(server, () => null);
    // From not at all to well on the way: the further handles arrive in some turn of these.
    for (let wait = 0; wait < turn; wait++) await new Promise((resolve) => setImmediate(resolve));
    stop();
    server.close();
  }
});
