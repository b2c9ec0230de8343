import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatProxyHeader } from '../../src/upstream/proxy-header.js';
import { createAuthority, selfSigned } from '../helpers/certs.js';
import { connectClient, connectTlsClient, RawClient } from '../helpers/raw-client.js';
import { type StartedStreams, startStreams, startTarget, type TestTarget, turnedAway } from '../helpers/streams.js';

const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-stream-tls-'));
const authority = createAuthority();
const pair = authority.issue('localhost');
const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
const ca = join(folder, 'ca.pem');

beforeAll(() => {
  writeFileSync(files.key, pair.key);
  writeFileSync(files.cert, pair.cert);
  writeFileSync(ca, authority.cert);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

/** A target that speaks TLS and echoes, after a greeting of its own. */
async function secureTarget(certificate: { key: string; cert: string }): Promise<number> {
  const server = tls.createServer(certificate, (socket) => {
    socket.on('error', () => undefined);
    socket.write('hi ');
    socket.pipe(socket);
  });
  server.listen(0, 'localhost');
  await new Promise((resolve) => server.once('listening', resolve));
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return (server.address() as net.AddressInfo).port;
}

describe('TLS on TCP streams', () => {
  it('is ended for clients: OpenSSL talks to a target in clear text', async () => {
    const greeter = await target((socket) => {
      socket.write('220 first\n');
      socket.pipe(socket);
    });
    const { port } = await streams({ streams: [{ name: 'in', tls: files, targets: [greeter.url] }] });
    const printed = await new Promise<string>((resolve, reject) => {
      const child = execFile(
        'openssl',
        ['s_client', '-quiet', '-verify_return_error', '-CAfile', ca, '-connect', `localhost:${port()}`, '-no_ign_eof'],
        { timeout: 5_000 },
        (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
      );
      child.stdout?.on('data', (text: string) => {
        if (text.includes('220 first')) child.stdin?.write('over TLS\n');
        if (text.includes('over TLS')) child.stdin?.end('Q\n');
      });
    });
    expect(printed).toBe('220 first\nover TLS\n');
  });

  it('carries much in both directions at once, at the pace of the reader', async () => {
    const echo = await target();
    const { port } = await streams({ streams: [{ name: 'in', tls: files, targets: [echo.url] }] });
    const client = await connectTlsClient(port(), 'localhost');
    const sent = Buffer.alloc(8 << 20, 'abcdefg');
    const sending = client.sendAll(sent).then(() => client.end());
    const { bytes } = await client.queue.rest();
    await sending;
    expect(bytes.equals(sent)).toBe(true);
  });

  it('is spoken to targets that ask for it, whose certificate must be right', async () => {
    const right = await secureTarget(pair);
    const wrong = await secureTarget(selfSigned('localhost'));
    const started = await streams({
      server: { backendCa: [ca] },
      streams: [
        { name: 'right', targets: [`tls://localhost:${right}`] },
        { name: 'wrong', targets: [`tls://localhost:${wrong}`] },
      ],
    });
    const client = await connectClient(started.port('right'));
    client.send('there');
    expect((await client.queue.take(8)).toString()).toBe('hi there');
    client.close();
    expect(await turnedAway(started.port('wrong'))).toBe(0);
    const [warning] = started.lines.filter(({ level }) => level === 'warn');
    expect(warning?.msg).toMatch(/^stream wrong: target tls:\/\/localhost:\d+ is dead \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/);
  });

  it('may follow a PROXY header, also one that comes together with the first bytes of the handshake', async () => {
    const echo = await target();
    const started = await streams({
      settings: { trustedProxies: ['127.0.0.1'] },
      streams: [{ name: 'both', tls: files, proxyProtocol: true, sendProxyProtocol: 'v1', targets: [echo.url] }],
    });
    const visitor = { source: { address: '203.0.113.9', port: 4711 }, destination: { address: '198.51.100.2', port: 443 } };
    const raw = net.connect(started.port(), '127.0.0.1');
    raw.cork();
    raw.write(formatProxyHeader('v2', visitor));
    const secure = tls.connect({ socket: raw, servername: 'localhost', ca: authority.cert });
    setImmediate(() => raw.uncork());
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
    const client = new RawClient(secure);
    client.send('x');
    expect((await client.queue.until('x')).toString()).toBe('PROXY TCP4 203.0.113.9 198.51.100.2 4711 443\r\nx');
    client.close();
  });

  it('that is none is given up, and a handshake that does not come to an end too', async () => {
    const echo = await target();
    const started = await streams({ server: { headTimeout: 0.4 }, streams: [{ name: 'in', tls: files, targets: [echo.url] }] });
    const plain = await connectClient(started.port());
    plain.send('GET / HTTP/1.1\r\n\r\n');
    await plain.ended();
    const silent = await connectClient(started.port());
    await silent.ended();
    expect(echo.accepted).toBe(0);
    await started.proxy.close();
    expect(started.accessLines().map((line) => line.split(' ').at(-1))).toEqual(['handshake-failed', 'handshake-failed']);
  });

  it('with files that cannot be used keeps the proxy from starting, in one line', async () => {
    await expect(startStreams({ streams: [{ name: 'in', tls: { key: '/no/such.key', cert: files.cert } }] })).rejects.toThrow(
      'cannot read the key of stream in: /no/such.key (ENOENT)',
    );
    const other = join(folder, 'other.pem');
    writeFileSync(other, selfSigned('other').key);
    await expect(startStreams({ streams: [{ name: 'in', tls: { key: other, cert: files.cert } }] })).rejects.toThrow(
      `cannot use ${files.cert} with ${other} for stream in: `,
    );
  });
});
