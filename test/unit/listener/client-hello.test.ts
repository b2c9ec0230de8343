// The greeting of a TLS client, as real clients send it and as nobody should.
import net from 'node:net';
import tls from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClientHelloReader, type HelloReading } from '../../../src/listener/client-hello.js';

function readClientHello(bytes: Buffer): HelloReading {
  return new ClientHelloReader().push(bytes);
}

/** The first bytes that Node's own client sends. */
async function greetingOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const bytes = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      let all = Buffer.alloc(0);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        all = Buffer.concat([all, chunk]);
        if (all.length < 5 || all.length < 5 + all.readUInt16BE(3)) return;
        resolve(all);
        socket.destroy();
      });
    });
  });
  const client = tls.connect({ port, host: '127.0.0.1', ...options });
  client.on('error', () => {});
  const greeting = await bytes;
  client.destroy();
  server.close();
  return greeting;
}

/** The same message in records of a size. */
function inRecordsOf(greeting: Buffer, size: number): Buffer {
  const message = greeting.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

/** The same message with an extension of padding (RFC 7685) at its end. */
function padded(greeting: Buffer, size: number): Buffer {
  const bytes = Buffer.concat([greeting, Buffer.from([0, 21, size >> 8, size & 0xff]), Buffer.alloc(size)]);
  let at = 5 + 4 + 34;
  at += 1 + bytes.readUInt8(at);
  at += 2 + bytes.readUInt16BE(at);
  at += 1 + bytes.readUInt8(at);
  bytes.writeUInt16BE(bytes.readUInt16BE(at) + 4 + size, at);
  bytes.writeUIntBE(bytes.readUIntBE(6, 3) + 4 + size, 6, 3);
  return bytes;
}

let greeting: Buffer;
const read = { serverName: 'www.example.com', protocols: ['h2', 'http/1.1'] };

beforeAll(async () => {
  greeting = await greetingOf({ servername: 'WWW.Example.com', ALPNProtocols: ['h2', 'http/1.1'] });
});

describe('a greeting', () => {
  it('tells the name, in lower case, and the protocols', () => {
    expect(readClientHello(greeting)).toEqual(read);
  });

  it('is waited for wherever it is cut', () => {
    for (let size = 0; size < greeting.length; size++)
      expect(readClientHello(greeting.subarray(0, size)), String(size)).toBe('more');
  });

  it('may be cut into records of any size, and these anywhere', () => {
    for (const size of [1, 2, 3, 4, 5, 60, 200]) {
      const bytes = inRecordsOf(greeting, size);
      expect(readClientHello(bytes)).toEqual(read);
      for (let cut = 0; cut < bytes.length; cut += 7)
        expect(readClientHello(bytes.subarray(0, cut)), `${size}, ${cut}`).toBe('more');
    }
  });

  it('may come byte by byte, in records of one byte, and is read once', () => {
    const bytes = inRecordsOf(padded(greeting, 20_000), 1);
    const reader = new ClientHelloReader();
    let early = 0;
    for (let at = 0; at < bytes.length - 1; at++) if (reader.push(bytes.subarray(at, at + 1)) !== 'more') early++;
    expect(early).toBe(0);
    expect(reader.push(bytes.subarray(-1))).toEqual(read);
    expect(reader.bytes.equals(bytes)).toBe(true);
  });

  it('may be longer than a record', () => {
    const long = padded(greeting, 40_000);
    const bytes = inRecordsOf(long, 16_384);
    expect(readClientHello(bytes)).toEqual(read);
    for (let cut = 0; cut < bytes.length; cut += 999) expect(readClientHello(bytes.subarray(0, cut)), String(cut)).toBe('more');
  });

  it('may name no host and no protocol', async () => {
    expect(readClientHello(await greetingOf({ servername: '' }))).toEqual({ serverName: '', protocols: [] });
  });

  it('with a name that is no host counts as one without', () => {
    const strange = Buffer.from(greeting);
    strange[strange.indexOf('WWW.Example.com')] = 0x2a;
    expect(readClientHello(strange)).toEqual({ ...read, serverName: '' });
  });
});

describe('what is no greeting', () => {
  it.each([
    ['a request in clear text', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
    ['a server hello', Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0xff, 0xff])],
    ['SSL 2', Buffer.from([0x80, 46, 1, 3, 1])],
    ['a greeting of megabytes', Buffer.from([22, 3, 1, 0x40, 0, 1, 0x20, 0, 0])],
  ])('%s', (_what, bytes) => {
    expect(readClientHello(bytes)).toBe('none');
  });

  it('is told from the first byte on', () => {
    expect(readClientHello(Buffer.from('G'))).toBe('none');
    expect(readClientHello(Buffer.from([22, 9]))).toBe('none');
  });

  it('may be any bytes without an error', () => {
    for (let at = 9; at < greeting.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const broken = Buffer.from(greeting);
        broken[at] = value;
        expect(() => readClientHello(broken)).not.toThrow();
      }
    }
  });
});
