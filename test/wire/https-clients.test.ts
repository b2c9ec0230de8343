// Clients that come over TLS, with a certificate from files: the same behaviour as in clear text, and nothing weaker.
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { TlsBind } from '../../src/config/config.js';
import { head, pattern } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { createAuthority } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { connectTlsClient, type RawClient } from '../helpers/raw-client.js';
import { pairFiles, tlsBind } from '../helpers/tls-bind.js';
import { isLetGo, useProxy } from './use-proxy.js';

const authority = createAuthority();
const folder = mkdtempSync(join(tmpdir(), 'https-clients-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An address on a free port with a certificate for a name. */
function bind(name: string): TlsBind {
  return tlsBind(pairFiles(folder, authority.issue(name, '127.0.0.1'), name));
}

const limit = 1500;
const wire = useProxy({
  https: [bind('secure.example.com')],
  server: { bodyTimeout: limit, headTimeout: limit, idleTimeout: limit },
});

async function secureClient(): Promise<RawClient> {
  return connectTlsClient(wire.world.proxy.securePort, 'secure.example.com');
}

describe('a client over TLS', () => {
  it('can verify the certificate, and uses its connection again', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('secret'));
    const host = await world.frontend(backend);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: authority.cert });
    const ports = new Set<number | undefined>();
    for (let turn = 0; turn < 3; turn++) {
      const text = await new Promise<string>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: world.proxy.securePort,
          servername: 'secure.example.com',
          headers: { Host: host },
          agent,
        };
        const request = https.get(options, (response) => {
          ports.add(response.socket.localPort);
          let body = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            body += piece;
          });
          response.on('end', () => resolve(body));
        });
        request.on('error', reject);
      });
      expect(text).toBe('secret');
    }
    agent.destroy();
    expect(ports.size).toBe(1);
    expect(backend.connections.length).toBe(1);
  });

  it('is told to the backend as such, with the real port', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    const client = await secureClient();
    client.send(head('GET', '/', host, 'X-Forwarded-Proto: http', 'X-Forwarded-Port: 80'));
    await client.response();
    expect(backend.only.fields.all('x-forwarded-proto')).toEqual(['https']);
    expect(backend.only.fields.all('x-forwarded-protocol')).toEqual(['https']);
    expect(backend.only.fields.all('x-forwarded-port')).toEqual([String(world.proxy.securePort)]);
    client.close();
  });

  it('moves large bodies both ways', async () => {
    const { world } = wire;
    const body = pattern(8 << 20);
    const backend = await world.backend(async (request, connection) => {
      const { bytes } = await request.whole();
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
      await connection.flood(bytes);
    });
    const client = await secureClient();
    client.send(head('POST', '/', await world.frontend(backend), `Content-Length: ${body.length}`));
    client.send(body);
    expect((await client.response()).body.equals(body)).toBe(true);
    client.close();
  });

  it('may read slowly, for longer than any limit', async () => {
    const { world } = wire;
    const body = pattern(12 << 20);
    const backend = await world.backend((_request, connection) =>
      connection.flood(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body])),
    );
    const client = await secureClient();
    let mark = 1 << 19;
    client.socket.on('data', () => {
      if (client.queue.total < mark) return;
      mark = client.queue.total + (1 << 19);
      client.pause();
      setTimeout(() => client.resume(), 120);
    });
    const start = performance.now();
    client.send(head('GET', '/', await world.frontend(backend), 'Connection: close'));
    expect((await client.response()).body.equals(body)).toBe(true);
    expect(performance.now() - start).toBeGreaterThan(limit);
    client.close();
  });

  it('is answered in order when it pipelines, and refused when it smuggles', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('fine'));
    const host = await world.frontend(backend);
    const client = await secureClient();
    client.send(
      head('GET', '/', host).repeat(3) +
        head('POST', '/', host, 'Content-Length: 5', 'Transfer-Encoding: chunked') +
        head('GET', '/smuggled', host),
    );
    for (let turn = 0; turn < 3; turn++) expect((await client.response()).text).toBe('fine');
    expect((await client.response()).fields.get('x-cjs-proxy-error')).toBe('ambiguous-length');
    expect((await client.queue.rest()).bytes.length).toBe(0);
    expect(backend.requests.length).toBe(3);
  });

  it('gets its answer when it has closed its sending side', async () => {
    const { world } = wire;
    const client = await secureClient();
    client.send(head('GET', '/', await world.frontend(await world.backend(ok('whole')))));
    client.end();
    expect((await client.response()).text).toBe('whole');
    client.close();
  });

  it('frees its backend when it is gone', async () => {
    const { world } = wire;
    const backend = await world.backend(() => new Promise<void>(() => {}));
    const client = await secureClient();
    client.send(head('GET', '/', await world.frontend(backend)));
    await eventually('the request', () => backend.requests.length === 1);
    client.close();
    await eventually('the backend connection to close', () => isLetGo(backend));
  });

  it('is answered with 408 when its head stops in the middle', async () => {
    const client = await secureClient();
    client.send('GET / HT');
    expect((await client.response()).status).toBe(408);
    client.close();
  });

  it('speaks WebSocket', async () => {
    const { world } = wire;
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    await new Promise<void>((resolve) => server.once('listening', () => resolve()));
    const host = await world.frontend(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    const url = `wss://127.0.0.1:${world.proxy.securePort}/`;
    const agent = new https.Agent({ servername: 'secure.example.com', ca: authority.cert });
    const socket = new WebSocket(url, { headers: { Host: host }, agent });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    const data = pattern(1 << 20);
    const answer = new Promise<Buffer>((resolve) => socket.once('message', (message) => resolve(message as Buffer)));
    socket.send(data);
    expect((await answer).equals(data)).toBe(true);
    socket.terminate();
    server.close();
  });
});

describe('the handshake', () => {
  function handshake(options: tls.ConnectionOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect(
        { port: wire.world.proxy.securePort, host: '127.0.0.1', rejectUnauthorized: false, ...options },
        () => {
          resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
          socket.destroy();
        },
      );
      socket.once('error', reject);
    });
  }

  it('offers TLS 1.2 and 1.3, and HTTP/2 and HTTP/1.1 to who asks', async () => {
    expect(await handshake({ ALPNProtocols: ['h2', 'http/1.1'] })).toBe('TLSv1.3 h2');
    expect(await handshake({ ALPNProtocols: ['http/1.1'] })).toBe('TLSv1.3 http/1.1');
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 false');
  });

  it('refuses what is older', async () => {
    await expect(handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow();
  });

  it('ends clear text without harm to others', async () => {
    const socket = net.connect(wire.world.proxy.securePort, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await eventually('the connection to end', () => socket.destroyed);
    const client = await secureClient();
    client.send(head('GET', '/', '__ping__'));
    expect((await client.response()).text).toBe('ok');
    client.close();
  });

  it('has the time of a head', async () => {
    const socket = net.connect(wire.world.proxy.securePort, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    await eventually('the connection to end', () => socket.destroyed);
  });
});
