// Ways to a backend other than plain IPv4: TLS, IPv6, unix sockets.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type BackendOptions, ok, type RawBackend, response } from '../../helpers/backend.js';
import { createAuthority, selfSigned } from '../../helpers/certs.js';
import { connectClient, connectTlsClient } from '../../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../../helpers/start-proxy.js';
import { pairFiles, tlsBind } from '../../helpers/tls-bind.js';
import { switching, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head, pattern, type World, withBody } from './world.js';

/** Runs `use` with a folder that is gone afterwards. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-contract-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs `use` with a proxy that trusts an authority. */
async function withTrustingProxy(world: World, authority: string, use: (started: StartedProxy) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const file = join(folder, 'ca.pem');
    await writeFile(file, authority);
    const started = await startProxy({ server: { engine: world.engine, backendCa: [file] } });
    try {
      await use(started);
    } finally {
      await started.close();
    }
  });
}

/** Two exchanges over one connection to a backend that was started in some way. */
async function expectServed(world: World, backend: RawBackend): Promise<void> {
  const host = await world.frontend(backend);
  for (let turn = 0; turn < 2; turn++) {
    const answer = await world.exchange(withBody('POST', '/way', host, 'there'));
    expect(answer.text).toBe('and back');
  }
  expect(backend.requests.map((request) => request.text)).toEqual(['there', 'there']);
  expect(backend.requests[0]?.fields.get('host')).toBe(host);
  expect(backend.dialled).toBe(1);
}

export const transportCases: CaseGroup = {
  title: 'ways to a backend',
  cases: [
    {
      title: 'reaches a backend over IPv6',
      async run(world) {
        await expectServed(world, await world.backend(ok('and back'), { host: '::1' }));
      },
    },
    {
      title: 'reaches a backend over a unix socket',
      async run(world) {
        await withFolder(async (folder) => {
          await expectServed(world, await world.backend(ok('and back'), { path: join(folder, 'backend.sock') }));
        });
      },
    },
    {
      title: 'answers 502 when a unix socket is not there',
      async run(world) {
        const answer = await world.get(await world.frontend('unix:/no/such/socket'));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-unreachable');
      },
    },
    {
      title: 'refuses an HTTPS backend whose certificate nobody vouches for',
      async run(world) {
        const backend = await world.backend(ok('secret'), { secure: selfSigned('127.0.0.1') });
        const answer = await world.get(await world.frontend(backend));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-tls-failed');
        expect(backend.requests).toEqual([]);
      },
    },
    {
      title: 'answers 502 when an HTTPS backend does not speak TLS',
      async run(world) {
        const backend = await world.backend((_request, connection) => connection.end('HTTP/1.1 400 Bad Request\r\n\r\n'), {
          accept: (connection) => connection.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
        });
        const answer = await world.get(await world.frontend(world.inTls(backend)));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-tls-failed');
      },
    },
    {
      title: 'answers 504 when a connection is not made in time',
      settings: { server: { connectTimeout: 400 } },
      async run(world) {
        // It accepts, and never says a word of TLS.
        const stuck = await world.backend(() => {}, { accept: (connection) => connection.socket.pause() });
        const begin = performance.now();
        const answer = await world.get(await world.frontend(world.inTls(stuck)));
        expect(answer.status).toBe(504);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-connect-timeout');
        expect(performance.now() - begin).toBeLessThan(2500);
      },
    },
    {
      title: 'tries another backend, with the body, when a connection is not made in time',
      settings: { server: { connectTimeout: 400 } },
      async run(world) {
        const stuck = await world.backend(() => {}, { accept: (connection) => connection.socket.pause() });
        const backend = await world.backend(ok('here'));
        const host = await world.frontend(world.inTls(stuck), backend);
        const answers = await Promise.all([1, 2].map(() => world.exchange(withBody('POST', '/', host, 'whole'))));
        expect(answers.map((answer) => answer.text)).toEqual(['here', 'here']);
        expect(backend.requests.map((request) => request.text)).toEqual(['whole', 'whole']);
      },
    },
    {
      title: 'tries another backend, with the body, when TLS fails with one',
      async run(world) {
        const untrusted = await world.backend(ok('secret'), { secure: selfSigned('127.0.0.1') });
        const backend = await world.backend(ok('open'));
        const host = await world.frontend(untrusted, backend);
        for (let turn = 0; turn < 3; turn++) {
          const answer = await world.exchange(withBody('POST', '/', host, 'whole'));
          expect(answer.text).toBe('open');
        }
        expect(backend.requests.map((request) => request.text)).toEqual(['whole', 'whole', 'whole']);
        expect(untrusted.requests).toEqual([]);
      },
    },
    {
      title: 'speaks TLS to an HTTPS backend that it can verify, and refuses one of another name',
      async run(world) {
        const authority = createAuthority();
        const secure = (...names: string[]): BackendOptions => ({ secure: authority.issue(...names) });
        const bytes = pattern(3_000_000);
        const large = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send(response('200 OK', bytes.toString('latin1')));
        }, secure('127.0.0.1'));
        const tunnel = await world.backend(async (request, connection) => {
          connection.send(switching(request));
          connection.send(await connection.queue.take(5));
          await connection.queue.rest();
        }, secure('127.0.0.1'));
        const named = await world.backend(ok('by name'), { ...secure('localhost'), host: '127.0.0.1' });
        const other = await world.backend(ok('secret'), secure('other.example.com'));
        await withTrustingProxy(world, authority.cert, async ({ port, proxy }) => {
          await proxy.store.writeFrontend('large.example.com', 'large', [large.url]);
          await proxy.store.writeFrontend('tunnel.example.com', 'tunnel', [tunnel.url]);
          await proxy.store.writeFrontend('named.example.com', 'named', [named.url.replace('127.0.0.1', 'localhost')]);
          await proxy.store.writeFrontend('other.example.com', 'other', [other.url]);

          for (let turn = 0; turn < 2; turn++) {
            const client = await connectClient(port);
            client.send(withBody('POST', '/', 'large.example.com', 'x'));
            expect((await client.response()).body.equals(bytes)).toBe(true);
            client.close();
          }
          expect(large.dialled).toBe(1);

          const upgraded = await connectClient(port);
          upgraded.send(`${head('GET', '/', 'tunnel.example.com', ...webSocket)}hello`);
          expect((await upgraded.head()).startLine).toContain('101');
          expect((await upgraded.queue.take(5)).toString()).toBe('hello');
          upgraded.close();

          const byName = await connectClient(port);
          byName.send(head('GET', '/', 'named.example.com'));
          expect((await byName.response()).text).toBe('by name');
          byName.close();

          // The certificate is good for what the client asked for, which is not what the backend is called.
          const refused = await connectClient(port);
          refused.send(head('GET', '/', 'other.example.com'));
          expect((await refused.response()).fields.get('x-cjs-proxy-error')).toBe('backend-tls-failed');
          refused.close();
          expect(other.requests).toEqual([]);
        });
      },
    },
    {
      title: 'tells a backend in clear text that its client came over TLS',
      async run(world) {
        const backend = await world.backend(ok('and back'));
        await withFolder(async (folder) => {
          const https = [tlsBind(pairFiles(folder, selfSigned('secure.example.com')))];
          const started = await startProxy({ server: { engine: world.engine }, https });
          try {
            await started.proxy.store.writeFrontend('secure.example.com', 'secure', [backend.url]);
            const client = await connectTlsClient(started.securePort, 'secure.example.com');
            client.send(head('GET', '/', 'secure.example.com'));
            expect((await client.response()).text).toBe('and back');
            client.close();
            expect(backend.only.fields.get('x-forwarded-proto')).toBe('https');
            expect(backend.only.fields.get('x-forwarded-port')).toBe(String(started.securePort));
          } finally {
            await started.close();
          }
        });
      },
    },
  ],
};
