// How long a backend may take: to accept a connection, to answer, to go on; and how long all of it together.
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { head, pattern } from '../contract/engine/world.js';
import { EndedEarly } from '../helpers/byte-queue.js';
import { eventually, pause } from '../helpers/eventually.js';
import { isLetGo, useProxy } from './use-proxy.js';

const limit = 600;
const silence = (): Promise<void> => new Promise(() => {});

describe('a backend', () => {
  const wire = useProxy({ server: { connectTimeout: limit, backendTimeout: limit, retryOnError: 0 } });

  it('is given up with 504 when the connection is not made in time', async () => {
    // A port that takes the TCP connection and never a TLS handshake: the whole way to a usable connection counts.
    const mute = net.createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = mute.address() as net.AddressInfo;
      const answer = await wire.world.get(await wire.world.frontend(`https://127.0.0.1:${port}`));
      expect(answer.status).toBe(504);
      expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-connect-timeout');
    } finally {
      mute.close();
    }
  });

  it('is given up with the page of 504 when it says nothing, and its connection is cut', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    const answer = await client.response();
    expect(answer.status).toBe(504);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
    expect(answer.fields.get('content-type')).toBe('text/html');
    expect(answer.text).toContain('<html');
    await eventually('the backend connection to close', () => isLetGo(backend));
    // The client is not to blame: it may ask again.
    client.send(head('GET', '/', '__ping__'));
    expect((await client.response()).text).toBe('ok');
  });

  it('is given up with 504 when it stops in the middle of the head', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\nContent-Le');
      return silence();
    });
    expect((await world.get(await world.frontend(backend))).fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
  });

  it('is given up with 504 when it does not read the request', async () => {
    const { world } = wire;
    const backend = await world.backend(silence, { accept: (connection) => connection.socket.pause() });
    const client = await world.client();
    client.send(head('POST', '/', await world.frontend(backend), `Content-Length: ${64 << 20}`));
    void client.sendAll(pattern(64 << 20));
    const answer = await client.response();
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
  });

  it('has its answer cut when it stops in the middle, chunked or not', async () => {
    const { world } = wire;
    for (const start of ['Content-Length: 10\r\n\r\nhalf', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n']) {
      const backend = await world.backend((_request, connection) => {
        connection.send(`HTTP/1.1 200 OK\r\n${start}`);
        return silence();
      });
      const client = await world.client();
      client.send(head('GET', '/', await world.frontend(backend)));
      const begun = await client.head();
      expect(begun.startLine).toContain('200');
      const error = await client.finish(begun).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EndedEarly);
      expect((error as EndedEarly).partial.toString()).toBe('half');
      await eventually('the backend connection to close', () => isLetGo(backend));
    }
  });

  it('may take as long as it likes while it moves', async () => {
    const { world } = wire;
    const backend = await world.backend(async (_request, connection) => {
      connection.send('HTTP/1.1 102 Processing\r\n\r\n');
      await pause(limit / 2);
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let turn = 0; turn < 4; turn++) {
        await pause(limit / 2);
        connection.send('1\r\nx\r\n');
      }
      connection.send('0\r\n\r\n');
    });
    expect((await world.get(await world.frontend(backend))).text).toBe('xxxx');
  });
});

describe('an exchange as a whole', () => {
  const wire = useProxy({ server: { totalTimeout: limit } });

  it('is ended with 504 when nothing was answered in its time', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const answer = await world.get(await world.frontend(backend));
    expect(answer.status).toBe(504);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('total-timeout');
    await eventually('the backend connection to close', () => isLetGo(backend));
  });

  it('is ended although its body moves', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('POST', '/', await world.frontend(backend), 'Transfer-Encoding: chunked'));
    const chunks = setInterval(() => client.send('1\r\nx\r\n'), limit / 10);
    const answer = await client.response().finally(() => clearInterval(chunks));
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('total-timeout');
  });

  it('is ended although its backend does not read', async () => {
    const { world } = wire;
    const backend = await world.backend(silence, { accept: (connection) => connection.socket.pause() });
    const client = await world.client();
    client.send(head('POST', '/', await world.frontend(backend), `Content-Length: ${64 << 20}`));
    void client.sendAll(pattern(64 << 20));
    expect((await client.response()).fields.get('x-cjs-proxy-error')).toBe('total-timeout');
  });

  it('is cut in the middle of an answer that moves', async () => {
    const { world } = wire;
    const backend = await world.backend(async (_request, connection) => {
      connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      while (!connection.closed) {
        connection.send('1\r\nx\r\n');
        await pause(limit / 10);
      }
    });
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    await expect(client.response()).rejects.toThrow(EndedEarly);
    await eventually('the backend connection to close', () => isLetGo(backend));
  });

  it('has its time anew on the same connection', async () => {
    const { world } = wire;
    const backend = await world.backend(async (_request, connection) => {
      await pause(limit * 0.6);
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    for (let turn = 0; turn < 3; turn++) {
      client.send(head('GET', '/', host));
      expect((await client.response()).text).toBe('late');
    }
  });

  it('does not include a tunnel', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => {
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      return silence();
    });
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend), 'Connection: Upgrade', 'Upgrade: echo'));
    await client.head();
    await pause(2 * limit);
    backend.connections[0]?.send('still here');
    expect((await client.queue.take(10)).toString()).toBe('still here');
  });
});

describe('the silence of a tunnel', () => {
  const wire = useProxy({ server: { tunnelTimeout: limit, idleTimeout: limit / 2, backendTimeout: limit / 2 } });
  const upgrade = ['Connection: Upgrade', 'Upgrade: echo'] as const;
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

  it('does not end it while only the backend speaks', async () => {
    const { world } = wire;
    const backend = await world.backend(async (_request, connection) => {
      connection.send(switching);
      for (let turn = 0; turn < 12; turn++) {
        await pause(limit / 3);
        connection.send('x');
      }
      connection.end('!');
    });
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend), ...upgrade));
    await client.head();
    expect((await client.queue.take(13)).toString()).toBe(`${'x'.repeat(12)}!`);
  });

  it('does not end it while only the client speaks', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => {
      connection.send(switching);
      return silence();
    });
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend), ...upgrade));
    await client.head();
    for (let turn = 0; turn < 12; turn++) {
      await pause(limit / 3);
      client.send('x');
    }
    expect((await backend.connections[0]?.queue.take(12))?.toString()).toBe('x'.repeat(12));
    expect(client.queue.end).toBeNull();
  });

  it('ends it when nobody speaks', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => {
      connection.send(switching);
      return silence();
    });
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend), ...upgrade));
    await client.head();
    await client.ended();
    await eventually('the backend connection to close', () => isLetGo(backend));
  });
});
