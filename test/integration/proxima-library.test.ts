// Proxima as a program uses it: routes, listeners, handlers and events, with the defects of the original left out.
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { proxima } from '../../src/index.js';
import type { ProximaClient, ProximaListener, ProximaServerOptions } from '../../src/library/proxima.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { nameOf, say, startUpstream, type Upstream } from '../helpers/proxima.js';
import { connectClient } from '../helpers/raw-client.js';
import { startTarget } from '../helpers/streams.js';

type Server = InstanceType<typeof proxima.Server>;

/** A port of 127.0.0.1 that refuses. */
const refusing = 1;
const request = 'GET /orig HTTP/1.1\r\nHost: a.com\r\n\r\n';

async function upstream(...args: Parameters<typeof startUpstream>): Promise<Upstream> {
  const started = await startUpstream(...args);
  onTestFinished(() => started.close());
  return started;
}

function make(options: ProximaServerOptions = {}): Server {
  const server = proxima.Server.create(options);
  const clients = new Set<ProximaClient>();
  server.on('connection', (client) => clients.add(client));
  onTestFinished(() => {
    server.close();
    for (const client of clients) client.destroy();
  });
  return server;
}

/** Listens on a free port of 127.0.0.1, and gives it. */
async function listen(server: Server, secure = false): Promise<number> {
  const listening = new Promise<ProximaListener>((resolve) => server.once('listening', resolve));
  server.listen(0, '127.0.0.1', secure);
  return ((await listening).address() as AddressInfo).port;
}

/** What a text is answered with, to its end. */
async function answerTo(port: number, text: string): Promise<string> {
  const client = await say(port, text);
  const { bytes } = await client.queue.rest();
  client.close();
  return bytes.toString('latin1');
}

describe('routes of a program', () => {
  it('are added and removed while it runs; the last one that matches wins, whatever the case', async () => {
    const [one, two, three] = [await upstream('one'), await upstream('two'), await upstream('three')];
    const server = make()
      .addRoute('*', one.port)
      .addRoute('a.?.com', { port: two.port, host: '127.0.0.1' })
      .addRoute(/^RE\d+\.x$/g, three.port, '127.0.0.1')
      .addRoute('/^b(?:ar)?$/', three.port);
    const port = await listen(server);
    expect(await nameOf(port, 'A.b.Com:99')).toBe('two');
    // A pattern is meant from beginning to end.
    expect(await nameOf(port, 'xa.b.com')).toBe('one');
    for (let turn = 0; turn < 2; turn++) expect(await nameOf(port, 're7.X')).toBe('three');
    expect(await nameOf(port, 'bar')).toBe('three');
    server
      .removeRoute('a.?.com')
      .removeRoute(/^RE\d+\.x$/g)
      .removeRoute('not there');
    expect(await nameOf(port, 'a.b.com')).toBe('one');
    expect(await nameOf(port, 're7.x')).toBe('one');
    server.removeRoute('*');
    expect(await nameOf(port, 'a.b.com')).toBe('404');
  });

  it('are refused in the words of Proxima', () => {
    const server = make();
    expect(() => server.addRoute('a.com', 0)).toThrow('port out of range');
    expect(() => server.addRoute('a.com', 80.5)).toThrow('expecting integer');
    expect(() => server.addRoute('a.com', { port: 80, host: 'localhost' })).toThrow('invalid host');
    expect(() => server.addRoute('a.com', {})).toThrow('expecting port or path');
    expect(() => server.addRoute('', 80)).toThrow('hostname');
    expect(() => server.set404({ port: 70_000 })).toThrow('port out of range');
    expect(() => make({ specTimeout: -1 })).toThrow('specTimeout expects an integer');
  });

  it('reach unix sockets, from unix sockets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'proxima-library-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [front, back] = [join(folder, 'front.sock'), join(folder, 'back.sock')];
    const target = await startTarget((socket) => socket.once('data', () => socket.end('by socket')), back);
    onTestFinished(() => target.close());
    const server = make().addRoute('a.com', back);
    const listening = new Promise((resolve) => server.once('listening', resolve));
    server.listen(front);
    await listening;
    const said = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(front).on('error', reject);
      socket.on('data', (chunk) => resolve(chunk.toString()));
      socket.write(request);
    });
    expect(said).toBe('by socket');
  });

  it('see connections of their class alone; TLS is passed on as it is, however its greeting is cut', async () => {
    const clear = await upstream('clear');
    const { key, cert } = selfSigned('secret.example.com');
    const encrypted = tls.createServer({ key, cert }, (socket) => socket.end(`hello ${socket.servername}`));
    await new Promise<void>((resolve) => encrypted.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void encrypted.close());
    const server = make()
      .addRoute('*.example.com', (encrypted.address() as AddressInfo).port, '127.0.0.1', true)
      .addRoute('*', { port: clear.port, secure: false });
    const port = await listen(server, true);
    const plainPort = await listen(server);
    for (const cut of [1, 5, 100, 100_000]) {
      const raw = net.connect(port, '127.0.0.1');
      const through = inPieces(raw, cut);
      const socket = tls.connect({ socket: through, servername: 'secret.example.com', ca: cert });
      const text = await new Promise<string>((resolve, reject) => {
        let got = '';
        socket.setEncoding('utf8').on('data', (piece) => {
          got += piece;
        });
        socket.on('end', () => resolve(got)).on('error', reject);
      });
      expect(text).toBe('hello secret.example.com');
      raw.destroy();
    }
    expect(await nameOf(plainPort, 'secret.example.com')).toBe('clear');
    // What is no greeting, and a name without a route, are closed without a byte.
    expect(await answerTo(port, request)).toBe('');
  });
});

/** A socket whose bytes leave in pieces, each in a packet of its own. */
function inPieces(raw: Socket, size: number): Socket {
  raw.setNoDelay(true);
  const write = raw._write.bind(raw);
  raw._write = (chunk: Buffer, encoding, done) => {
    const piece = chunk.subarray(0, size);
    const rest = chunk.subarray(size);
    write(piece, encoding, (error) => {
      if (error || rest.length === 0) done(error);
      else setImmediate(() => raw._write(rest, encoding, done));
    });
  };
  return raw;
}

describe('a connection of a program', () => {
  it('is told of by events: who came, the host, where to, and the end', async () => {
    const one = await upstream('one', (socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
    const server = make().addRoute('a.com', { port: one.port, host: '127.0.0.1' });
    const told: string[] = [];
    server.on('connection', (client, from) => {
      told.push(`connection ${client.index} ${client.secure} ${(from.address() as AddressInfo).port === client.localPort}`);
      client.on('hostname', (name: string) => told.push(`hostname ${name}`));
      client.on('warning', (text: string) => told.push(`warning ${text}`));
      client.on('close', () => told.push('close'));
    });
    server.on('proxy', (proxy, to) => {
      told.push(`proxy of ${(proxy.client as ProximaClient).index} to ${proxima.endpoint.pretty(to)}`);
      proxy.on('connect', () => told.push(`connected to ${proxy.upstream.remotePort}`));
    });
    const port = await listen(server);
    const client = await say(port, request);
    expect((await client.response()).status).toBe(204);
    client.close();
    await eventually('the end', () => told.includes('close'));
    expect(told).toEqual([
      'connection 1 false true',
      'hostname a.com',
      `proxy of 1 to port: ${one.port}, host: 127.0.0.1, secure: false`,
      `connected to ${one.port}`,
      'close',
    ]);
    expect(await nameOf(port, 'b.com')).toBe('404');
    expect(told).toContain('warning 404 Hostname Not Found');
  });

  it('counts while it is passed on, and goes on when the server stops listening', async () => {
    const echo = await startTarget();
    onTestFinished(() => echo.close());
    const server = make().addRoute('*', echo.port);
    const port = await listen(server);
    const client = await say(port, request);
    expect((await client.queue.take(request.length)).toString()).toBe(request);
    expect(server.openConnections()).toBe(1);
    const closed = new Promise((resolve) => server.once('close', resolve));
    server.close();
    client.send('more');
    expect((await client.queue.take(4)).toString()).toBe('more');
    await expect(connectClient(port)).rejects.toThrow('ECONNREFUSED');
    // It closes its sending side and still hears all that was said.
    client.send('last');
    client.end();
    expect((await client.queue.rest()).bytes.toString()).toBe('last');
    await closed;
    expect(server.openConnections()).toBe(0);
  });

  it('keeps the order of what comes while its upstream is being connected to, and of a Host line in two packets', async () => {
    const one = await upstream('one');
    const port = await listen(make().addRoute('a.com', one.port));
    const client = await connectClient(port);
    client.socket.setNoDelay(true);
    const parts = ['POST / HTTP/1.1\r\nHo', 'st: a.com \r\nContent-Length: 6\r\n\r\n', 'SEC', 'OND'];
    for (const part of parts) {
      client.send(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually('all of it', () => one.got[0] === parts.join(''));
    // A Host line of a body leads nowhere.
    expect(await answerTo(port, 'POST / HTTP/1.1\r\nX: y\r\n\r\nHost: a.com\r\n')).toContain('404 Hostname Not Found');
  });

  it('carries much both ways at the pace of the slower side', async () => {
    const echo = await startTarget();
    onTestFinished(() => echo.close());
    const client = await connectClient(await listen(make().addRoute('*', echo.port)));
    const bytes = Buffer.concat([Buffer.from(request), Buffer.alloc(8 << 20, 'abcdefg')]);
    const sent = client.sendAll(bytes).then(() => client.end());
    const { bytes: back, end } = await client.queue.rest();
    await sent;
    expect([end, back.equals(bytes)]).toEqual(['end', true]);
  });

  it('that says nothing is closed after specTimeout with a warning, and never with 0', async () => {
    const one = await upstream('one');
    const impatient = make({ specTimeout: 100 }).addRoute('*', one.port);
    const warned: string[] = [];
    impatient.on('connection', (client) => client.on('warning', (text: string) => warned.push(text)));
    const silent = await connectClient(await listen(impatient));
    const patient = await connectClient(await listen(make({ specTimeout: 0 }).addRoute('*', one.port)));
    expect((await silent.queue.rest()).bytes.length).toBe(0);
    expect(warned).toEqual(['no data received (speculative timeout)']);
    patient.send(request);
    expect((await patient.response()).text).toBe('one');
    patient.close();
  });
});

describe('what has no upstream', () => {
  it.each([
    ['404', 'set404', 'b.com', '404 Hostname Not Found'],
    ['500', 'set500', 'refusing.com', '500 Invalid Upstream Configuration'],
    ['504', 'set504', 'mute.com', '504 No Upstream Response'],
  ] as const)('%s is answered by a page, silence, an endpoint or a function', async (code, set, host, title) => {
    const mute = await upstream('mute', (socket) => socket.end());
    const standIn = await upstream('stand-in');
    const server = make().addRoute('refusing.com', refusing).addRoute('mute.com', mute.port);
    const port = await listen(server);
    const text = `GET /orig HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const page = await say(port, text);
    const answer = await page.response();
    expect(`${answer.status} ${answer.reason}`).toBe(title);
    expect(answer.fields.get('connection')).toBe('close');
    expect(await page.ended()).toBe('end');
    server[set](false);
    expect(await answerTo(port, text)).toBe('');
    server[set]({ port: standIn.port, host: '127.0.0.1' });
    expect(await nameOf(port, host)).toBe('stand-in');
    server[set]((from, client, firstPacket) => {
      expect([from.secure, client.index > 0]).toEqual([false, true]);
      client.end(`${code} by hand for ${firstPacket.toString('latin1').split('\r\n', 1)[0]}`);
    });
    expect(await answerTo(port, text)).toBe(`${code} by hand for GET /orig HTTP/1.1`);
  });

  it('is answered once by each: an endpoint that is down leads to the next one, then to the end', async () => {
    const server = make().set404(refusing).set500(refusing);
    const port = await listen(server);
    const warned: string[] = [];
    server.on('connection', (client) => client.on('warning', (text: string) => warned.push(text)));
    expect(await answerTo(port, request)).toBe('');
    expect(warned.map((text) => text.slice(0, 3))).toEqual(['404', '500', '500']);
  });

  it('is an upstream that does not answer in time, or is not there in time', async () => {
    const silent = await upstream('silent', () => {});
    const port = await listen(make({ responseTimeout: 100 }).addRoute('*', silent.port));
    expect(await answerTo(port, request)).toContain('504 No Upstream Response');
  });

  it('does not matter once the client has got a byte', async () => {
    const faulty = await upstream('faulty', (socket) => socket.write('half an ', () => socket.resetAndDestroy()));
    const port = await listen(make().addRoute('*', faulty.port));
    expect('half an '.startsWith(await answerTo(port, request))).toBe(true);
  });
});

describe('a listener', () => {
  it('listens on the host that it was given alone, and tells of a place that is taken', async () => {
    const server = make();
    const port = await listen(server);
    const failed = new Promise<[NodeJS.ErrnoException, ProximaListener]>((resolve) =>
      server.once('error', (error, from) => resolve([error, from])),
    );
    server.listen(port, '127.0.0.1');
    const [error, from] = await failed;
    expect([error.code, from.secure]).toEqual(['EADDRINUSE', false]);
    const elsewhere = new Promise<ProximaListener>((resolve) => server.once('listening', resolve));
    server.listen(port, '127.0.0.9');
    expect((await elsewhere).address()).toMatchObject({ address: '127.0.0.9', port });
  });
});

describe('the parts of Proxima', () => {
  it('find the host in a text and the name in a greeting', () => {
    expect(proxima.HTTP.parse(Buffer.from('GET / HTTP/1.1\r\nHost: A.com:80\r\n\r\n'))).toBe('a.com');
    expect(() => proxima.HTTP.parse(Buffer.from('GET / HTTP/1.0\r\n\r\n'))).toThrow(proxima.HTTP.MissingHostHeader);
    expect(() => proxima.SNI.parse(Buffer.from('GET / HTTP/1.1\r\n'))).toThrow('not a TLS handshake');
    expect(() => proxima.SNI.parse(Buffer.from([22, 3, 1]))).toThrow('not complete');
  });

  it('bring endpoints into one form, and write them for people', () => {
    const { normalize, pretty } = proxima.endpoint;
    expect(normalize(80)).toEqual([80]);
    expect(normalize({ port: 80, host: '::1', secure: true })).toEqual([80, '::1']);
    expect(normalize({ port: 80, host: '::1', secure: true }, true)).toEqual([80, '::1', true]);
    expect(normalize('/run/x.sock', true)).toEqual(['/run/x.sock', false]);
    expect(() => normalize({ port: 80, path: '/x' })).toThrow('expecting port or path');
    expect(pretty(80)).toBe('port: 80, secure: false');
    expect(pretty(false, 80, '127.0.0.1')).toBe('port: 80, host: 127.0.0.1');
    expect(pretty({ port: 80, host: '127.0.0.1', secure: true })).toBe('port: 80, host: 127.0.0.1, secure: true');
    expect(pretty(false, ['/run/x.sock'])).toBe('path: /run/x.sock');
    expect(pretty('/run/x.sock', true)).toBe('path: /run/x.sock, secure: true');
  });

  it('pass one client on by themselves', async () => {
    const one = await upstream('one');
    const accepting = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.once('data', (bytes: Buffer) => {
        proxima.Proxy.create(accepting, socket).connect(one.port, '127.0.0.1', bytes);
      });
    });
    await new Promise<void>((resolve) => accepting.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void accepting.close());
    const client = await say((accepting.address() as AddressInfo).port, request);
    expect((await client.response()).text).toBe('one');
    client.close();
  });
});
