// The clear side of encrypted connections: read into one buffer, in order, and held back when it is paused.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { sharedReadBuffer } from '../../../src/base/shared-read-buffer.js';
import { readClearSide } from '../../../src/listener/clear-side.js';
import { selfSigned } from '../../helpers/certs.js';
import { eventually } from '../../helpers/eventually.js';

let server: tls.Server;
let client: tls.TLSSocket;
let socket: tls.TLSSocket;
/** Copies of what came, and whether each lay in the buffer of all. */
let pieces: Buffer[];
let shared: boolean[];
let onPiece: () => void;

async function connect(prepare = (_secured: tls.TLSSocket): void => {}): Promise<void> {
  pieces = [];
  shared = [];
  onPiece = () => {};
  server = tls.createServer({ ...selfSigned('clear.example'), allowHalfOpen: true });
  server.on('secureConnection', (secured) => {
    socket = secured;
    secured.on('error', () => {});
    prepare(secured);
    readClearSide(secured, (chunk) => {
      pieces.push(Buffer.from(chunk));
      shared.push(chunk.buffer === sharedReadBuffer.buffer);
      onPiece();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrived = once(server, 'secureConnection');
  client = tls.connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', rejectUnauthorized: false });
  client.on('error', () => {});
  await arrived;
}

afterEach(() => {
  client.destroy();
  socket.destroy();
  server.close();
});

const received = () => Buffer.concat(pieces);

/** Bytes of which no two stretches are alike. */
function numbered(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

it('gives what comes in the buffer that all connections share', async () => {
  await connect();
  client.write('one');
  await eventually('the first bytes', async () => received().toString() === 'one');
  client.write('two');
  await eventually('the others', async () => received().toString() === 'onetwo');
  expect(shared).toEqual([true, true]);
});

it('holds back what was decrypted with the piece at which it was paused, and gives all in order after that', async () => {
  await connect();
  const sent = numbered(1024 * 1024);
  let held = 0;
  onPiece = () => {
    socket.pause();
    expect(++held).toBe(1);
    setImmediate(() => {
      held = 0;
      socket.resume();
    });
  };
  client.write(sent);
  await eventually('all bytes', async () => received().length === sent.length);
  expect(received().equals(sent)).toBe(true);
});

it('stops reading while it is paused: the sender has to wait', async () => {
  await connect();
  let finished = false;
  const sent = numbered(24 * 1024 * 1024);
  onPiece = () => socket.pause();
  client.write(sent, () => {
    finished = true;
  });
  await eventually('the kernel to be full', async () => {
    const before = socket.readableLength;
    const unsent = client.writableLength;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    return pieces.length > 0 && socket.readableLength === before && client.writableLength === unsent;
  });
  expect(finished).toBe(false);
  expect(socket.readableLength).toBeLessThan(1024 * 1024);
  onPiece = () => {};
  socket.resume();
  await eventually('all bytes', async () => finished);
  await eventually('the last of them', async () => received().length === sent.length);
});

it('tells the end after the last bytes, also when it was paused', async () => {
  await connect();
  let ended = false;
  socket.on('end', () => {
    ended = true;
  });
  const sent = numbered(200 * 1024);
  onPiece = () => {
    expect(ended).toBe(false);
    socket.pause();
    setImmediate(() => socket.resume());
  };
  client.end(sent);
  await eventually('the end', async () => ended);
  expect(received().equals(sent)).toBe(true);
});

it('is served by events where the handle of a socket cannot read into a given buffer', async () => {
  await connect((secured) => {
    const { _handle } = secured as tls.TLSSocket & { readonly _handle: object };
    Object.defineProperty(_handle, 'useUserBuffer', { value: undefined });
  });
  client.write('one');
  await eventually('the bytes', async () => received().toString() === 'one');
  expect(shared).toEqual([false]);
});
