// The defects of Hipache, PlanB and cjs-proxy that must not come back: one test for each number of the list, turned positive.
//
// Proven elsewhere, by the tests of these names:
//  5 redis-coherence: 'is done without: known hosts go on, others get 503 at once …', 'a key of the wrong type'
//  6 hipache-dead: 'of a backend that accepts and never answers marks, and the client gets 504'
//  7 process-start-faults: 'says that a port is busy'; unit/proxy/worker-slot: '… after a delay that grows with each crash'
//  8 process-stop: 'finishes a running request after %s, takes no new one, and exits with code 0'
//  9 process-start-faults: 'says that the access log cannot be written'
// 10 process-signals: 'goes on serving after SIGHUP and SIGUSR2'
// 12, 13 hipache-lookup: '`SIMPLE` → frontend:simple', '`[::1]:80` → frontend:[::1]'
// 14, 15 hipache-choice: 'gets nothing of a %s, which reaches the next backend whole', 'is never sent twice when it is a %s'
// 16, 17 hipache-backends: '`https://h:8443` → TLS to 8443, never plain HTTP', '`127.0.0.1:18101` (no scheme) → …'
// 18 hipache-dead: 'an answer: %s %s its backend, and reaches the client as it is'
// 20 hipache-dead: 'stays with its backend when LREM shifts the list', 'ends after its own time, though a later mark …'
// 21 hipache-dead: 'of a host of a wildcard … holds for all hosts of the wildcard'; hipache-hchecker: 'a backend of a wildcard …'
// 22 hipache-dead: 'is in force in every other proxy on its next request'; redis-coherence: 'in every proxy'
// 28 hipache-errors: 'is answered to trusted addresses alone unless told otherwise'
// 29, 32 hipache-errors: 'cannot be forged by what a client sends', 'counts the bytes of each request on a connection by itself'
// 33 process-privileges: '… without the supplementary groups of root'
// 34 cli/check: 'prints what is in force with secrets hidden, and ends with 0'
// 36 process-workers: 'over the memory limit are replaced while their transfers run to the end'
// 37, 38, 39 unit/config/legacy: 'redisHost, redisPort, …', 'server.address without server.https …', 'server.https without server.address …'
// 40, 41 unit/config/load: 'is config/config_<flavor>.json with SETTINGS_FLAVOR', 'fill in everything that a file leaves out …'
//
// Waiting for the feature that they are about: 42 (rate limits), and of 26 the order of certificates from Redis (`tls:<name>`).
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import { beforeEach, expect, it } from 'vitest';
import type { TlsBind } from '../../src/config/config.js';
import { head, withBody } from '../contract/engine/world.js';
import { ok, response, type Script } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { loadSettings } from '../helpers/config-file.js';
import { eventually } from '../helpers/eventually.js';
import { handshake, refusing, type Site, useHipache } from '../helpers/hipache.js';
import { connectClient, connectTlsClient } from '../helpers/raw-client.js';

const hipache = useHipache();
let site: Site;
let host: string;

beforeEach(async () => {
  site = await hipache.site();
  host = hipache.host();
});

const serves = (...entries: readonly string[]) => site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);

/** Agrees to an upgrade, then sends everything back until the client ends. */
const echo: Script = async (request, connection) => {
  connection.send(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.fields.get('upgrade')}\r\n\r\n`);
  for (let bytes = await connection.queue.some(); bytes !== null; bytes = await connection.queue.some()) connection.send(bytes);
  connection.end();
};

/** An address with TLS whose certificate is for a name; all else as the defaults are. */
async function secureBind(name: string): Promise<TlsBind> {
  const folder = await mkdtemp(join(hipache.redis.dir, 'tls-'));
  const { key, cert } = selfSigned(name);
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'cert.pem'), cert);
  const { https } = loadSettings({
    https: { bind: ['127.0.0.1'], port: 0, key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') },
  });
  return https.bind[0] as TlsBind;
}

it('a WebSocket to a refused backend leaves the worker alive and is answered 502 (defect 1)', async () => {
  const other = hipache.host();
  await serves(refusing[0]);
  await site.cli('rpush', `frontend:${other}`, 'an identifier', (await hipache.backend(echo)).url);
  const open = await site.client();
  open.send(handshake(other));
  await open.head();
  expect((await site.exchange(handshake(host))).status).toBe(502);
  open.send('still here');
  expect((await open.queue.take(10)).toString()).toBe('still here');
});

it('a WebSocket whose backend answers 403 gets that answer at once (defect 2)', async () => {
  await serves((await hipache.backend(response('403 Forbidden', 'not for you', 'X-Own: yes'))).url);
  const answer = await site.exchange(handshake(host));
  expect(answer).toMatchObject({ status: 403, text: 'not for you' });
  expect(answer.fields.get('x-own')).toBe('yes');
});

it('a WebSocket to an unknown host is answered 400, and 502 where all backends are dead (defect 3)', async () => {
  expect((await site.exchange(handshake(host))).status).toBe(400);
  await serves(refusing[0], refusing[1]);
  await site.cli('sadd', `dead:${host}`, '0', '1');
  expect((await site.exchange(handshake(host))).status).toBe(502);
});

it('`Upgrade: h2c` is served as the request that it is, and so is an upgrade that is no GET (defect 4)', async () => {
  const backend = await hipache.backend(ok('served'));
  await serves(backend.url);
  const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'];
  expect((await site.get(host, '/', ...h2c)).text).toBe('served');
  const webSocket = ['Connection: Upgrade', 'Upgrade: websocket'];
  expect((await site.exchange(withBody('POST', '/', host, 'body', ...webSocket))).text).toBe('served');
  expect(backend.requests.map((request) => request.fields.get('upgrade'))).toEqual([null, null]);
});

it('a malformed request is answered 400 before the connection is closed (defect 11)', async () => {
  for (const request of ['GET / HTTP/1.1\r\nno colon\r\n\r\n', 'GET /\r\n\r\n', 'nonsense\r\n\r\n']) {
    const client = await site.client();
    client.send(request);
    expect((await client.response()).status).toBe(400);
    expect(await client.ended()).toBe('end');
  }
});

it('maxSockets caps the connections to a backend, and httpKeepAlive decides whether they are kept (defect 19)', async () => {
  const waiting: (() => void)[] = [];
  const backend = await hipache.backend(
    (_request, connection) =>
      new Promise<void>((resolve) => {
        waiting.push(() => {
          connection.send(ok());
          resolve();
        });
      }),
  );
  await serves(backend.url);
  const capped = await hipache.ownSite({ server: { maxSockets: 2 } });
  const answers = Array.from({ length: 6 }, () => capped.get(host));
  for (let answered = 0; answered < 6; answered++)
    await eventually('a request', () => waiting.shift()).then((answer) => answer());
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
  expect(backend.connections).toHaveLength(2);

  const closing = await hipache.backend(ok());
  const unkept = await hipache.ownSite({ server: { httpKeepAlive: false } });
  await unkept.cli('rpush', `frontend:closing.${host}`, 'an identifier', closing.url);
  await unkept.bodies(`closing.${host}`, 3);
  expect(closing.connections).toHaveLength(3);
  expect(closing.requests.map((request) => request.fields.get('connection'))).toEqual(['close', 'close', 'close']);
});

it('`Connection: close` of a backend does not end the connection of its client, nor does keep-alive of a client keep that of a backend (defect 23)', async () => {
  const backend = await hipache.backend((_request, connection) => connection.end(ok('here', 'Connection: close')));
  await serves(backend.url);
  const client = await site.client();
  for (let turn = 0; turn < 3; turn++) {
    client.send(head('GET', '/', host, 'Connection: keep-alive'));
    const answer = await client.response();
    expect(answer.text).toBe('here');
    expect(answer.fields.get('connection')).toBeNull();
  }
  await eventually('the connections of the backend to close', () => backend.open === 0);
  expect(backend.requests.every((request) => request.fields.get('connection') === null)).toBe(true);
});

it('hop-by-hop headers stay on their side, both ways, with those that Connection names (defect 24)', async () => {
  const backend = await hipache.backend(ok('here', 'Connection: X-Theirs', 'Keep-Alive: timeout=9', 'X-Theirs: 1', 'X-Kept: 1'));
  await serves(backend.url);
  const answer = await site.get(
    host,
    '/',
    'Connection: X-Mine, keep-alive',
    'Keep-Alive: timeout=5',
    'X-Mine: 1',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eDp5',
    'X-Also: 1',
  );
  const names = backend.only.fields.names.map((name) => name.toLowerCase());
  for (const name of ['connection', 'keep-alive', 'x-mine', 'proxy-connection', 'proxy-authorization'])
    expect(names).not.toContain(name);
  expect(names).toContain('x-also');
  for (const name of ['connection', 'keep-alive', 'x-theirs']) expect(answer.fields.get(name)).toBeNull();
  expect(answer.fields.get('x-kept')).toBe('1');
});

it('each Set-Cookie of a 101 stays a line of its own (defect 25)', async () => {
  const backend = await hipache.backend((_request, connection) => {
    connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    connection.send('Set-Cookie: a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT\r\nSet-Cookie: b=2\r\n\r\n');
    connection.end();
  });
  await serves(backend.url);
  const client = await site.client();
  client.send(handshake(host));
  expect((await client.head()).fields.all('set-cookie')).toEqual(['a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT', 'b=2']);
});

it('bytes sent together with a handshake are delivered (defect 26)', async () => {
  await serves((await hipache.backend(echo)).url);
  const client = await site.client();
  client.send(`${handshake(host)}early`);
  await client.head();
  expect((await client.queue.take(5)).toString()).toBe('early');
});

it('Host reaches a backend as the client wrote it, by request and by handshake, also where the backend has a name (defect 26)', async () => {
  const backend = await hipache.backend(async (request, connection) => {
    if (request.fields.get('upgrade') === null) connection.send(ok());
    else await echo(request, connection);
  });
  await serves(`http://localhost:${backend.port}`);
  const written = `${host.toUpperCase()}:8080`;
  await site.get(written);
  const client = await site.client();
  client.send(handshake(written));
  await client.head();
  expect(backend.requests.map((request) => request.fields.all('host'))).toEqual([[written], [written]]);
});

it('a junk member of a dead set does not kill backend 0, and the only backend is never marked (defect 26)', async () => {
  const [zero, one] = [await hipache.backend(ok('0')), await hipache.backend(response('502 Bad', 'alone'))];
  await serves(zero.url, zero.url);
  await site.cli('sadd', `dead:${host}`, 'junk', `${zero.url};x`);
  expect(await site.bodies(host, 4)).toEqual(['0', '0', '0', '0']);
  const alone = hipache.host();
  await site.cli('rpush', `frontend:${alone}`, 'an identifier', one.url);
  expect(await site.bodies(alone, 3)).toEqual(['alone', 'alone', 'alone']);
});

it('a TLS client with an unknown name, or without one, gets the certificate of the address instead of an alert (defect 26)', async () => {
  const { started } = await hipache.ownSite({ https: [await secureBind('known.example.com')] });
  for (const servername of ['known.example.com', 'other.example.org', '']) {
    const client = await connectTlsClient(started.securePort, servername);
    expect((client.socket as tls.TLSSocket).getPeerCertificate().subject.CN).toBe('known.example.com');
    client.close();
  }
});

it('X-Forwarded-* and X-Real-IP of a client that is not trusted are replaced, for backends and for the log (defect 27)', async () => {
  const backend = await hipache.backend(ok());
  await serves(backend.url);
  const file = join(hipache.redis.dir, 'forged.log');
  const logging = await hipache.ownSite({ server: { accessLog: file } });
  const forged = ['X-Forwarded-For: 9.9.9.9', 'X-Real-IP: 9.9.9.9', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 443'];
  await logging.get(host, '/', ...forged, 'X-Forwarded-Protocol: https', 'X-Forwarded-Host: evil', 'Forwarded: for=9.9.9.9');
  const { fields } = backend.only;
  expect(fields.all('x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(fields.all('x-real-ip')).toEqual(['127.0.0.1']);
  expect(fields.all('x-forwarded-proto')).toEqual(['http']);
  expect(fields.all('x-forwarded-protocol')).toEqual(['http']);
  expect(fields.all('x-forwarded-port')).toEqual([String(logging.started.port)]);
  expect(fields.all('x-forwarded-host')).toEqual([host]);
  expect(fields.all('forwarded')).toEqual([]);
  await logging.started.close();
  expect(await readFile(file, 'latin1')).toMatch(/^::ffff:127\.0\.0\.1 - - /);
});

it('an IPv6 client keeps its address: no `::ffff:` is glued to it, in headers of either kind or in the log (defect 30)', async () => {
  const file = join(hipache.redis.dir, 'six.log');
  const http = [{ address: '::1', port: 0 }];
  for (const legacyForwardedHeaders of [false, true]) {
    const backend = await hipache.backend(ok());
    const name = hipache.host();
    await hipache.redis.cli('rpush', `frontend:${name}`, 'an identifier', backend.url);
    const { started } = await hipache.ownSite({ http, server: { accessLog: file, legacyForwardedHeaders } });
    const client = await connectClient(started.port, '::1');
    client.send(head('GET', '/', name));
    expect((await client.response()).status).toBe(200);
    client.close();
    expect(backend.only.fields.get('x-forwarded-for')).toBe('::1');
    expect(backend.only.fields.get('x-real-ip')).toBe('::1');
    await started.close();
  }
  const lines = (await readFile(file, 'latin1')).trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['::1', '::1']);
});

it('a backend is told the port and the scheme that its client used, by TLS too, whatever kind of headers (defect 31)', async () => {
  const bind = await secureBind(host);
  for (const legacyForwardedHeaders of [false, true]) {
    const backend = await hipache.backend(ok());
    const name = hipache.host();
    await hipache.redis.cli('rpush', `frontend:${name}`, 'an identifier', backend.url);
    const { started } = await hipache.ownSite({ https: [bind], server: { legacyForwardedHeaders } });
    for (const client of [await connectClient(started.port), await connectTlsClient(started.securePort, name)]) {
      client.send(head('GET', '/', name));
      expect((await client.response()).status).toBe(200);
      client.close();
    }
    const told = backend.requests.map(({ fields }) => [
      fields.get('x-forwarded-proto'),
      fields.get('x-forwarded-protocol'),
      fields.get('x-forwarded-port'),
    ]);
    expect(told).toEqual([
      ['http', 'http', String(started.port)],
      ['https', 'https', String(started.securePort)],
    ]);
  }
});

it('TLS works with the default ciphers, from TLS 1.2 on and no earlier (defect 35)', async () => {
  const { started } = await hipache.ownSite({ https: [await secureBind(host)] });
  const protocol = (options: tls.ConnectionOptions) =>
    new Promise<string | null>((resolve) => {
      const socket = tls.connect({ port: started.securePort, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.once('error', () => resolve(null));
    });
  expect(await protocol({})).toBe('TLSv1.3');
  expect(await protocol({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
  // The client would do it: its own floor is lowered as far as OpenSSL goes.
  expect(await protocol({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' })).toBeNull();
});
