// Who opens more connections than is good for others is turned away, and so is who is on a block list, the moment that it is.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { FrontDoorConfig } from '../../src/config/config.js';
import { head, World } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { connectClient, connectTlsClient, type RawClient } from '../helpers/raw-client.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { type ProxyOverrides, startProxy } from '../helpers/start-proxy.js';
import { pairFiles, tlsBind } from '../helpers/tls-bind.js';

const folder = mkdtempSync(join(tmpdir(), 'connection-floods-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function world(frontDoor: Partial<FrontDoorConfig>, overrides: ProxyOverrides = {}): Promise<World> {
  const proxy = await startProxy({ ...overrides, frontDoor });
  open.push(proxy);
  const made = new World(proxy, 'wire');
  open.push(made);
  return made;
}

async function from(port: number, address: string): Promise<RawClient> {
  const client = await connectClient(port, '127.0.0.1', address);
  open.push(client);
  return client;
}

/** Whether who comes from an address now is served; the refusal may be faster than the connecting. */
async function isLetIn(port: number, address: string): Promise<boolean> {
  return from(port, address).then(isServed, () => false);
}

/** Whether a connection is served: asked with the ping host. */
async function isServed(client: RawClient): Promise<boolean> {
  client.send(head('GET', '/', '__ping__'));
  return client.response().then(
    (response) => response.status === 200,
    () => false,
  );
}

async function served(clients: readonly RawClient[]): Promise<number> {
  return (await Promise.all(clients.map(isServed))).filter((one) => one).length;
}

describe('a cap on connections of an address', () => {
  it('lets in as many and no more, however many are waiting to be accepted', async () => {
    const { proxy } = await world({ connectionsPerAddress: 20 });
    const clients = await Promise.all(Array.from({ length: 100 }, () => from(proxy.port, '127.0.0.1')));
    expect(await served(clients)).toBe(20);
    const turnedAway = clients.flatMap(({ queue: { end } }) => (end === null ? [] : [end]));
    expect(turnedAway).toEqual(Array(80).fill('reset'));
    // Another address is not hindered.
    expect(await isLetIn(proxy.port, '127.0.0.2')).toBe(true);
  });

  it('gives a place back when a connection ends, whoever ends it', async () => {
    const { proxy } = await world({ connectionsPerAddress: 2 });
    for (let turn = 0; turn < 4; turn++) {
      const [first, second] = [await from(proxy.port, '127.0.0.1'), await from(proxy.port, '127.0.0.1')];
      expect(await served([first, second])).toBe(2);
      expect(await isLetIn(proxy.port, '127.0.0.1')).toBe(false);
      first.reset();
      second.send(head('GET', '/', '__ping__', 'Connection: close'));
      await second.ended();
      second.close();
      await eventually('both to be gone', () => proxy.proxy.openConnections === 0);
    }
  });

  it('counts handshakes, those that fail included', async () => {
    const files = pairFiles(folder, selfSigned('secure.example.com'));
    const { proxy } = await world({ connectionsPerAddress: 2 }, { https: [tlsBind(files)] });
    for (let turn = 0; turn < 3; turn++) {
      const junk = await from(proxy.securePort, '127.0.0.1');
      junk.send('GET / HTTP/1.1\r\n\r\n');
      await junk.ended().catch(() => undefined);
      junk.close();
      const secure = await connectTlsClient(proxy.securePort, 'secure.example.com');
      const silent = await from(proxy.securePort, '127.0.0.1');
      await expect(connectTlsClient(proxy.securePort, 'secure.example.com')).rejects.toThrow();
      expect(await isServed(secure)).toBe(true);
      secure.close();
      silent.close();
      await eventually('all to be gone', () => proxy.proxy.openConnections === 0);
    }
  });

  it('holds for no trusted proxy, behind which are many clients', async () => {
    const { proxy } = await world({ connectionsPerAddress: 1 }, { trustedProxies: ['127.0.0.1'] });
    const clients = await Promise.all(Array.from({ length: 5 }, () => from(proxy.port, '127.0.0.1')));
    expect(await served(clients)).toBe(5);
  });
});

describe('many slow heads', () => {
  it('do not keep an honest client waiting', async () => {
    const made = await world({});
    const host = await made.frontend(await made.backend(ok('served')));
    const slow = await Promise.all(Array.from({ length: 300 }, () => from(made.proxy.port, '127.0.0.1')));
    for (const client of slow) client.send('GET / HTTP/1.1\r\nHost: a');
    for (let turn = 0; turn < 20; turn++) {
      for (const client of slow) client.send('b');
      expect((await made.get(host)).text).toBe('served');
    }
  });
});

describe('a cap on all connections', () => {
  it('turns further ones away and leaves those that are there in peace', async () => {
    const { proxy } = await world({ connections: 10 });
    const first = await from(proxy.port, '127.0.0.1');
    expect(await isServed(first)).toBe(true);
    const others = await Promise.all(Array.from({ length: 50 }, (_, at) => from(proxy.port, `127.0.1.${at + 1}`)));
    expect(await served(others)).toBe(9);
    expect(await isServed(first)).toBe(true);
  });
});

describe('a block list', () => {
  it('refuses at accept, and lets in again who is taken off', async () => {
    const { proxy } = await world({});
    const { store } = proxy.proxy;
    await store.writeRecord('blocklist', '', ['127.0.0.7', '10.0.0.0/8', '2001:db8::/32']);
    await eventually('it to be in force', async () => !(await isLetIn(proxy.port, '127.0.0.7')));
    expect(await isLetIn(proxy.port, '127.0.0.8')).toBe(true);
    await store.writeRecord('blocklist', '', []);
    await eventually('it to be over', async () => isLetIn(proxy.port, '127.0.0.7'));
  });

  it('cuts the connections of an address that is put on it, in the middle of an answer', async () => {
    const made = await world({});
    const backend = await made.backend((_request, connection) =>
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    const host = await made.frontend(backend);
    const [bad, good] = [await from(made.proxy.port, '127.0.0.9'), await from(made.proxy.port, '127.0.0.10')];
    bad.send(head('GET', '/', host));
    await bad.head();
    await made.proxy.proxy.store.writeRecord('blocklist', '', ['127.0.0.9']);
    await bad.ended();
    await eventually('the backend connection to close', () => backend.open === 0);
    expect(await isServed(good)).toBe(true);
  });

  it('counts for clients behind a trusted proxy, by the address that it tells', async () => {
    const made = await world({}, { trustedProxies: ['127.0.0.1'] });
    const host = await made.frontend(await made.backend(ok('served')));
    await made.proxy.proxy.store.writeRecord('blocklist', '', ['203.0.113.0/24']);
    await eventually('it to be in force', async () => (await made.get(host, '/', 'X-Forwarded-For: 203.0.113.7')).status === 403);
    // What stands before the first address that is not ours anybody may have written.
    expect((await made.get(host, '/', 'X-Forwarded-For: 203.0.113.7, 198.51.100.1')).status).toBe(200);
    expect((await made.get(host, '/', 'X-Forwarded-For: 198.51.100.1, 203.0.113.7')).status).toBe(403);
    expect((await made.get(host)).status).toBe(200);
  });

  it('that cannot be understood refuses nobody, and says so', async () => {
    const { logger, lines } = recordingLogger();
    const proxy = await startProxy({}, { logger });
    open.push(proxy);
    await proxy.proxy.store.writeRecord('blocklist', '', ['127.0.0.11', 'evil.example.com', '10.0.0.0/99']);
    await eventually('the good entry to be in force', async () => !(await isLetIn(proxy.port, '127.0.0.11')));
    expect(await isLetIn(proxy.port, '127.0.0.1')).toBe(true);
    expect(lines.some(({ msg }) => msg.includes('blocklist: "evil.example.com" is neither an IP address'))).toBe(true);
  });

  it('may be a file, which is read again when it is written or replaced', async () => {
    const file = join(folder, 'blocklist');
    writeFileSync(file, '# spammers\n127.0.0.21\n\n127.0.3.0/24 # a network\n');
    const { logger, lines } = recordingLogger();
    const proxy = await startProxy({ frontDoor: { blocklistFile: file } }, { logger });
    open.push(proxy);
    expect(await isLetIn(proxy.port, '127.0.0.21')).toBe(false);
    expect(await isLetIn(proxy.port, '127.0.3.9')).toBe(false);
    const other = await from(proxy.port, '127.0.0.22');
    expect(await isServed(other)).toBe(true);
    writeFileSync(`${file}.new`, '127.0.0.22\n');
    renameSync(`${file}.new`, file);
    await other.ended();
    expect(await isLetIn(proxy.port, '127.0.0.21')).toBe(true);
    // Who removes the file by mistake lets nobody in that it kept out.
    rmSync(file);
    await eventually('the removal to be told', () => lines.some(({ msg }) => msg.includes('what it said before stays in force')));
    expect(await isLetIn(proxy.port, '127.0.0.22')).toBe(false);
  });

  it('in a file that cannot be read keeps the proxy from starting', async () => {
    await expect(world({ blocklistFile: join(folder, 'nowhere') })).rejects.toThrow(
      `frontDoor.blocklistFile: ${join(folder, 'nowhere')} cannot be read: ENOENT`,
    );
  });
});

describe('a limit of requests on a connection', () => {
  it('ends it with the last one, which says so, and executes none behind it', async () => {
    const made = await world({ requestsPerConnection: 3 });
    const backend = await made.backend(ok('served'));
    const host = await made.frontend(backend);
    const client = await from(made.proxy.port, '127.0.0.1');
    client.send(head('GET', '/', host).repeat(5));
    const answers = [await client.response(), await client.response(), await client.response()];
    expect(answers.map(({ fields }) => fields.get('connection'))).toEqual([null, null, 'close']);
    expect(await client.ended()).toBe('end');
    expect(backend.requests.length).toBe(3);
  });
});
