// What stands in `frontend:<host>`: every form of a backend URL, lists that are incomplete, and lists that shift.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok, response } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { type Site, useHipache } from '../helpers/hipache.js';

const hipache = useHipache();
let site: Site;
let host: string;

beforeEach(async () => {
  site = await hipache.site({ server: { debugHeaders: 'everyone' } });
  host = hipache.host();
});

const serves = (...entries: readonly string[]) => site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);

describe('a backend entry', () => {
  /** Port 80 or 443 is seen in the access log: nothing listens on these addresses. */
  async function addressOf(entry: string): Promise<string> {
    const file = join(hipache.redis.dir, `access-${host}.log`);
    const logging = await hipache.ownSite({ server: { accessLog: file, accessLogFormat: 'json', connectTimeout: 1000 } });
    await logging.redis.cli('rpush', `frontend:${host}`, 'an identifier', entry);
    expect((await logging.get(host)).status).toBe(502);
    await logging.started.close();
    return (JSON.parse(await readFile(file, 'utf8')) as { backend: string }).backend;
  }

  it('`http://h:8080` → h:8080', async () => {
    const backend = await hipache.backend(ok('here'));
    await serves(backend.url);
    expect((await site.get(host)).text).toBe('here');
  });

  it('`http://h` → port 80', async () => {
    expect(await addressOf('http://127.77.7.7')).toBe('http://127.77.7.7:80');
  });

  it('`https://h:8443` → TLS to 8443, never plain HTTP', async () => {
    const backend = await hipache.backend(ok('never said to whom is not known'), { secure: selfSigned('localhost') });
    await serves(backend.url);
    const answer = await site.get(host);
    expect(answer.status).toBe(502);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-tls-failed');
    expect(backend.requests).toHaveLength(0);
  });

  it('`https://h:8443` whose server speaks no TLS → 502, and not a word of the request in clear', async () => {
    const seen: Buffer[] = [];
    const backend = await hipache.backend(ok(), {
      accept: ({ socket }) =>
        void socket.once('data', (bytes: Buffer) => {
          seen.push(Buffer.from(bytes));
          socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
        }),
    });
    await serves(backend.url.replace('http:', 'https:'));
    expect((await site.get(host, '/secret')).status).toBe(502);
    const bytes = Buffer.concat(seen).toString('latin1');
    expect(bytes.charCodeAt(0)).toBe(0x16);
    expect(bytes).not.toContain('secret');
    backend.errors.length = 0;
  });

  it('`https://h` → TLS to port 443', async () => {
    expect(await addressOf('https://127.77.7.7')).toBe('https://127.77.7.7:443');
  });

  it('`http://h:1/base/path` → the path is ignored, the path of the request unchanged', async () => {
    const backend = await hipache.backend(ok());
    await serves(`${backend.url}/base/path`);
    expect((await site.get(host, '/of/the/request?x=1')).status).toBe(200);
    expect(backend.only.target).toBe('/of/the/request?x=1');
  });

  it('`user:pw@` → ignored, and told to nobody', async () => {
    const backend = await hipache.backend(ok());
    await serves(backend.url.replace('://', '://user:pw@'));
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.status).toBe(200);
    expect(backend.only.fields.get('authorization')).toBeNull();
    expect(answer.head).not.toContain('pw');
  });

  it('`http://[::1]:8080` → IPv6', async () => {
    const backend = await hipache.backend(ok('six'), { host: '::1' });
    await serves(backend.url);
    expect((await site.get(host)).text).toBe('six');
  });

  it('`127.0.0.1:18101` (no scheme) → http://127.0.0.1:18101', async () => {
    const backend = await hipache.backend(ok('here'));
    await serves(`127.0.0.1:${backend.port}`);
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.text).toBe('here');
    expect(answer.fields.get('x-debug-backend-url')).toBe(`${backend.url}/`);
  });

  it.each([
    'notaurl',
    'ftp://127.0.0.1:21',
    'http://',
    'http://:80',
    'http://127.0.0.1:99999',
    'http://a b:1',
    '#',
    '/path',
    '""',
  ])('`%s` → 502 `backend is invalid`, and a line in the log', async (entry) => {
    await serves(entry);
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.status).toBe(502);
    expect(answer.fields.get('x-debug-error')).toBe('backend is invalid');
    expect(site.logged.filter(({ level, msg }) => level === 'warn' && msg.includes(`frontend:${host}`))).toHaveLength(1);
  });

  it('that is invalid takes no other backend with it, and still counts as an id', async () => {
    const backend = await hipache.backend(ok('here'));
    await serves('notaurl', backend.url);
    for (let turn = 0; turn < 3; turn++) {
      const answer = await site.get(host, '/', 'X-Debug: 1');
      expect(answer.text).toBe('here');
      expect(answer.fields.get('x-debug-backend-id')).toBe('1');
    }
  });

  it('with options in its fragment, which Hipache ignores → served', async () => {
    const backend = await hipache.backend(ok('here'));
    await serves(`${backend.url}#id=node-1&weight=2`);
    expect((await site.get(host)).text).toBe('here');
  });
});

describe('a list', () => {
  it('that is missing → 400 `frontend not found`', async () => {
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.status).toBe(400);
    expect(answer.fields.get('x-debug-error')).toBe('frontend not found');
  });

  it('with the identifier alone → 502 `Cannot find a valid backend`', async () => {
    await serves();
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.status).toBe(502);
    expect(answer.fields.get('x-debug-error')).toBe('Cannot find a valid backend');
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('no-backend');
  });

  it('without an identifier loses its first backend to it', async () => {
    const [lost, kept] = [await hipache.backend(ok('lost')), await hipache.backend(ok('kept'))];
    await site.cli('rpush', `frontend:${host}`, lost.url, kept.url);
    expect(await site.bodies(host, 4)).toEqual(['kept', 'kept', 'kept', 'kept']);
    expect((await site.get(host, '/', 'X-Debug: 1')).fields.get('x-debug-vhost')).toBe(lost.url);
  });

  it('numbers its backends from zero behind the identifier', async () => {
    const backend = await hipache.backend(ok());
    await serves(backend.url, backend.url);
    const ids = [await site.get(host, '/', 'X-Debug: 1'), await site.get(host, '/', 'X-Debug: 1')];
    expect(ids.map((answer) => answer.fields.get('x-debug-backend-id'))).toEqual(['0', '1']);
  });

  it('of a cluster manager that pushes and removes one address at a time is served at each step', async () => {
    const [first, second] = [await hipache.backend(ok('first')), await hipache.backend(ok('second'))];
    const key = `frontend:${host}`;
    expect((await site.get(host)).status).toBe(400);
    await site.cli('rpush', key, host);
    expect((await site.get(host)).status).toBe(502);
    await site.cli('rpush', key, first.url);
    expect(await site.bodies(host, 2)).toEqual(['first', 'first']);
    await site.cli('rpush', key, second.url);
    expect((await site.bodies(host, 2)).sort()).toEqual(['first', 'second']);
    await site.cli('lrem', key, '0', first.url);
    expect(await site.bodies(host, 2)).toEqual(['second', 'second']);
    await site.cli('lrem', key, '0', second.url);
    expect((await site.get(host)).status).toBe(502);
    await site.cli('del', key);
    expect((await site.get(host)).status).toBe(400);
  });

  it('that is being rewritten answers 400, 502 or its backend, and nothing else', async () => {
    const backend = await hipache.backend(ok('here'));
    const key = `frontend:${host}`;
    const seen = new Set<number>();
    let writing = true;
    const rewriting = (async () => {
      for (let turn = 0; turn < 100; turn++) {
        await hipache.redis.client.del(key);
        await hipache.redis.client.rpush(key, 'an identifier');
        await hipache.redis.client.rpush(key, backend.url);
      }
      writing = false;
    })();
    const client = await site.client();
    while (writing) {
      client.send(head('GET', '/', host));
      seen.add((await client.response()).status);
    }
    await rewriting;
    await site.told();
    for (const status of seen) expect([200, 400, 502]).toContain(status);
    expect((await site.get(host)).text).toBe('here');
  });

  it('that an LREM shifts gives its ids to the next backends, and a dead id of a person goes with the index', async () => {
    const backends = [await hipache.backend(ok('a')), await hipache.backend(ok('b')), await hipache.backend(ok('c'))];
    const urls = backends.map((backend) => backend.url);
    await serves(...urls);
    await site.cli('sadd', `dead:${host}`, '1');
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['a', 'c']));
    await site.cli('lrem', `frontend:${host}`, '0', urls[0] as string);
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['b']));
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.fields.get('x-debug-backend-id')).toBe('0');
  });

  it('may name one backend twice', async () => {
    const [twice, once] = [await hipache.backend(ok('twice')), await hipache.backend(ok('once'))];
    await serves(twice.url, twice.url, once.url);
    expect((await site.bodies(host, 6)).sort()).toEqual(['once', 'once', 'twice', 'twice', 'twice', 'twice']);
  });

  it('passes whatever its backend answers', async () => {
    const backend = await hipache.backend(response('418 Teapot', 'short and stout', 'X-Own: yes'));
    await serves(backend.url);
    const answer = await site.get(host);
    expect(answer).toMatchObject({ status: 418, reason: 'Teapot', text: 'short and stout' });
    expect(answer.fields.get('x-own')).toBe('yes');
  });
});
