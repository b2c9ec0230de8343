// SocketWriter over real connections, plain and encrypted: what it says of a write, and when it says that the way is free again.
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { SocketWriter } from '../../../src/base/socket-writer.js';
import { selfSigned } from '../../helpers/certs.js';
import { eventually } from '../../helpers/eventually.js';

const ending: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ending.splice(0).reverse()) end();
});

/** Both ends of a connection; the client does not read until somebody listens to its 'data'. */
async function connect(encrypted: boolean): Promise<{ server: Socket; client: Socket }> {
  const listening = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  ending.push(() => listening.close());
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const { key, cert } = selfSigned('writer.test');
  const handshakes = tls.createServer({ key, cert });
  const accepted = once(listening, 'connection') as Promise<[Socket]>;
  const raw = net.connect(port, '127.0.0.1');
  const [plain] = await accepted;
  for (const socket of [raw, plain]) ending.push(() => socket.destroy());
  if (!encrypted) return { server: plain, client: raw };
  const secured = once(handshakes, 'secureConnection') as Promise<[tls.TLSSocket]>;
  handshakes.emit('connection', plain);
  const client = tls.connect({ socket: raw, rejectUnauthorized: false });
  const [server] = await secured;
  return { server, client };
}

describe.each([
  ['plain', false],
  ['encrypted', true],
])('%s', (_name, encrypted) => {
  it('says that a short text has left, and the buffer of short bytes is free, at once', async () => {
    const { server, client } = await connect(encrypted);
    const writer = new SocketWriter(server, !encrypted, () => expect.fail('nothing had to wait'));
    expect(writer.text('hello ')).toBe(true);
    expect(writer.pending).toBe(false);
    await eventually('the first write to be over', () => server.writableLength === 0);
    const bytes = Buffer.from('world');
    expect(writer.bytes(bytes)).toBe(true);
    bytes.fill('x');
    let read = '';
    client.on('data', (chunk: Buffer) => (read += chunk.toString()));
    await eventually('all of it', () => read === 'hello world');
  });

  it('says that pieces that were held back have left together', async () => {
    const { server, client } = await connect(encrypted);
    const writer = new SocketWriter(server, !encrypted, () => {});
    writer.cork();
    writer.text('one ');
    writer.bytes(Buffer.from('two'));
    expect(writer.uncork()).toBe(true);
    expect(writer.waiting).toBe(false);
    let read = '';
    client.on('data', (chunk: Buffer) => (read += chunk.toString()));
    await eventually('all of it', () => read === 'one two');
  });

  it('says that bytes wait for a peer that does not read, and once when they have left', async () => {
    const { server, client } = await connect(encrypted);
    let drained = 0;
    const writer = new SocketWriter(server, !encrypted, () => drained++);
    let sent = 0;
    // Until the buffers of both kernels are full.
    while (writer.bytes(Buffer.alloc(64 * 1024, 'x'))) {
      sent++;
      await eventually('the write to be over', () => server.writableLength === 0 || writer.waiting);
    }
    expect(writer.pending).toBe(true);
    expect(writer.waiting).toBe(true);
    expect(drained).toBe(0);
    let read = 0;
    client.on('data', (chunk: Buffer) => (read += chunk.length));
    await eventually('all of it', () => read === (sent + 1) * 64 * 1024);
    await eventually('the way to be free', () => drained === 1);
    expect(writer.pending).toBe(false);
  });
});
