// Requests that are well-formed and mean to be read differently by those behind: other hosts in other fields, doubled names, encoded paths, bombs.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { useProxy } from './use-proxy.js';

describe('which site is served', () => {
  const wire = useProxy();
  const victim = 'victim.example.com';

  it('hangs on Host alone, whatever other fields name', async () => {
    const { world } = wire;
    const [right, wrong] = [await world.backend(ok('right')), await world.backend(ok('wrong'))];
    const host = await world.frontend(right);
    await world.proxy.proxy.store.writeFrontend(victim, 'victim', [wrong.url]);
    const fields = [
      'X-Forwarded-Host',
      'X-Host',
      'X-Original-Host',
      'X-HTTP-Host-Override',
      'X-Forwarded-Server',
      'X-Forwarded_Host',
    ];
    for (const field of fields) expect((await world.get(host, '/', `${field}: ${victim}`)).text).toBe('right');
    expect((await world.get(host, '/', `Forwarded: host=${victim}`)).text).toBe('right');
    expect(wrong.requests).toEqual([]);
    // A cache behind that keys by Host, and an application that believes X-Forwarded-Host, are told the same.
    for (const request of right.requests) expect(request.fields.all('x-forwarded-host')).toEqual([host]);
    expect(right.requests.at(-1)?.fields.all('forwarded')).toEqual([]);
  });

  it('hangs on the URL of an absolute form, which Host must not contradict for those behind', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('right'));
    const host = await world.frontend(backend);
    const answer = await world.exchange(`GET http://${host}/x HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: ${victim}\r\n\r\n`);
    expect(answer.text).toBe('right');
    expect(backend.only.target).toBe('/x');
    expect(backend.only.fields.all('host')).toEqual([host]);
    const other = await world.exchange(`GET http://${host}/x HTTP/1.1\r\nHost: ${victim}\r\n\r\n`);
    expect(other.fields.get('x-cjs-proxy-error')).toBe('bad-host');
    expect(backend.requests.length).toBe(1);
  });
});

describe('names of fields', () => {
  const wire = useProxy();

  it('mean the same in any case', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    const request = `POST / HTTP/1.1\r\nhOsT: ${host}\r\ncOnTeNt-LeNgTh: 4\r\nCONNECTION: CLOSE\r\nx-FORWARDED-fOr: 6.6.6.6\r\n\r\nbody`;
    const answer = await world.exchange(request);
    expect(answer.fields.get('connection')).toBe('close');
    expect(backend.only.text).toBe('body');
    expect(backend.only.fields.all('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(backend.only.fields.all('content-length')).toEqual(['4']);
  });

  it('with underscores are no second spelling of those that decide', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    const lines = ['X_Forwarded_For: 6.6.6.6', 'Content_Length: 100', 'TRANSFER_ENCODING: chunked', 'X_Real-IP: 6.6.6.6'];
    expect((await world.get(host, '/', ...lines, 'my_own_field: kept')).status).toBe(200);
    expect(backend.only.head).not.toMatch(/6\.6\.6\.6|content_length|transfer_encoding/i);
    // Others are as good as any.
    expect(backend.only.fields.get('my_own_field')).toBe('kept');
  });
});

describe('a path that is read in two ways', () => {
  const traps = ['/a%2fb', '/a/..%2fadmin', '/x%00.php', '/a/../admin', '/a/%2e%2e/admin', '/a/..;/admin', '/a\\..\\admin'];

  describe('where they are to be refused', () => {
    const wire = useProxy({ frontDoor: { refusedPaths: ['encoded-slash', 'nul', 'dot-segment'] } });

    it.each(traps)('is answered with 400 and shown to no backend: %s', async (path) => {
      const { world } = wire;
      const backend = await world.backend(ok());
      const answer = await world.get(await world.frontend(backend), path);
      expect(answer.status).toBe(400);
      expect(['bad-target', 'bad-request-line']).toContain(answer.fields.get('x-cjs-proxy-error'));
      expect(backend.requests).toEqual([]);
    });

    it('does not hinder honest ones', async () => {
      const { world } = wire;
      const backend = await world.backend(ok());
      const host = await world.frontend(backend);
      for (const path of ['/.well-known/a.b', '/a%20b/...', '/?next=%2Fa%2F..%2Fb']) {
        expect((await world.get(host, path)).status).toBe(200);
      }
    });
  });

  describe('where nothing was said', () => {
    const wire = useProxy();

    it('reaches the backend as it was sent', async () => {
      const { world } = wire;
      const backend = await world.backend(ok());
      const host = await world.frontend(backend);
      for (const path of ['/a%2fb', '/a/../admin', '/x%00.php']) await world.get(host, path);
      expect(backend.requests.map(({ target }) => target)).toEqual(['/a%2fb', '/a/../admin', '/x%00.php']);
    });
  });
});

describe('a compression bomb', () => {
  const wire = useProxy();

  it('is passed on as it is in either direction: nothing is ever unpacked', async () => {
    const { world } = wire;
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    const answer = Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`),
      bomb,
    ]);
    const backend = await world.backend(async (request, connection) => {
      await request.whole();
      connection.send(answer);
    });
    const host = await world.frontend(backend);
    await world.policy(host, { compression: 'true' });
    const before = process.memoryUsage().rss;
    const sent = Buffer.concat([
      Buffer.from(head('POST', '/', host, 'Content-Encoding: gzip', `Content-Length: ${bomb.length}`, 'Accept-Encoding: br')),
      bomb,
    ]);
    const response = await world.exchange(sent, 'POST');
    expect(response.body.equals(bomb)).toBe(true);
    expect(backend.only.body?.bytes.equals(bomb)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(48 << 20);
  });
});
