// Which frontend serves a Host header: the tables of Hipache's behaviour row by row, through a running proxy and a real Redis.
import { beforeEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { type BackendRequest, ok, type RawBackend } from '../helpers/backend.js';
import { type Site, useHipache } from '../helpers/hipache.js';

const hipache = useHipache();
let site: Site;

beforeEach(async () => {
  site = await hipache.site({ server: { debugHeaders: 'everyone' } });
  await site.cli('flushall');
});

/** Writes a frontend whose identifier is its own name. */
async function frontend(name: string, ...backends: readonly RawBackend[]): Promise<void> {
  await site.cli('rpush', `frontend:${name}`, name, ...backends.map((backend) => backend.url));
}

describe('Host header', () => {
  /** Header, result, lines after the request line, frontend that exists, code of the error where none serves, version. */
  type Row = readonly [header: string, result: string, lines: string, exists: string, error: string, version: string];

  const rows: readonly Row[] = [
    ['absent in HTTP/1.0', '400 `no host header`', '', 'simple', 'no-host', '1.0'],
    ['absent in HTTP/1.0 while there is a catch-all', '400 `no host header`', '', '*', 'no-host', '1.0'],
    ['absent in HTTP/1.1', '400 `no host header`', '', '*', 'no-host', '1.1'],
    ['`Host:` empty', '400 `frontend not found`', 'Host:\r\n', 'simple', 'unknown-frontend', '1.1'],
    ['`Host:` empty while there is a catch-all', 'frontend:*', 'Host:\r\n', '*', '', '1.1'],
    ['`simple`', 'frontend:simple', 'Host: simple\r\n', 'simple', '', '1.1'],
    ['`simple:99`', 'frontend:simple', 'Host: simple:99\r\n', 'simple', '', '1.1'],
    ['`SIMPLE`', 'frontend:simple', 'Host: SIMPLE\r\n', 'simple', '', '1.1'],
    ['`SIMPLE:80`', 'frontend:simple', 'Host: SIMPLE:80\r\n', 'simple', '', '1.1'],
    ['`mixed.case.` (trailing dot)', 'frontend:mixed.case', 'Host: mixed.case.\r\n', 'mixed.case', '', '1.1'],
    ['`Mixed.Case.:80`', 'frontend:mixed.case', 'Host: Mixed.Case.:80\r\n', 'mixed.case', '', '1.1'],
    ['`mixed.case..` (two trailing dots)', '400', 'Host: mixed.case..\r\n', 'mixed.case', 'bad-host', '1.1'],
    ['`[::1]:80`', 'frontend:[::1]', 'Host: [::1]:80\r\n', '[::1]', '', '1.1'],
    ['`[::1]`', 'frontend:[::1]', 'Host: [::1]\r\n', '[::1]', '', '1.1'],
    ['`[::1]:80` with a frontend `[`', '400 `frontend not found`', 'Host: [::1]:80\r\n', '[', 'unknown-frontend', '1.1'],
    ['`:80`', '400', 'Host: :80\r\n', '*', 'bad-host', '1.1'],
    ['`a b`', '400', 'Host: a b\r\n', '*', 'bad-host', '1.1'],
    ['two Host headers', '400', 'Host: simple\r\nHost: simple\r\n', 'simple', 'bad-host', '1.1'],
  ];

  it.each(rows)('%s → %s', async (_header, _result, lines, exists, error, version) => {
    const backend = await hipache.backend(ok('here'));
    await frontend(exists, backend);
    const answer = await site.exchange(`GET /asked HTTP/${version}\r\n${lines}X-Debug: 1\r\n\r\n`);
    const reached = backend.requests.filter((request) => request.target === '/asked');
    if (error === '') {
      expect(answer).toMatchObject({ status: 200, text: 'here' });
      expect(answer.fields.get('x-debug-vhost')).toBe(exists);
      expect(reached).toHaveLength(1);
    } else {
      expect(answer.status).toBe(400);
      expect(answer.fields.get('x-cjs-proxy-error')).toBe(error);
      expect(reached).toHaveLength(0);
    }
  });

  it('absolute-form request target → the path goes to the backend, with the Host header as it came', async () => {
    const backend = await hipache.backend(ok('here'));
    await frontend('simple', backend);
    const answer = await site.exchange(head('GET', 'http://simple:8080/a/b?c=d', 'SIMPLE:8080'));
    expect(answer.status).toBe(200);
    expect(backend.only.target).toBe('/a/b?c=d');
    expect(backend.only.fields.all('host')).toEqual(['SIMPLE:8080']);
  });

  it('absolute-form request target that contradicts the Host header → 400', async () => {
    const backend = await hipache.backend(ok());
    await frontend('simple', backend);
    await frontend('other', backend);
    expect((await site.exchange(head('GET', 'http://other/', 'simple'))).status).toBe(400);
    expect(backend.requests).toHaveLength(0);
  });
});

describe('`__ping__`', () => {
  const answers: readonly (readonly [string, string])[] = [
    ['GET /', head('GET', '/', '__ping__')],
    ['any path', head('GET', '/some/where?x=1', '__ping__')],
    ['any method', head('DELETE', '/', '__ping__')],
    ['a method with a body', `${head('POST', '/', '__ping__', 'Content-Length: 2')}ab`],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: __ping__\r\n\r\n'],
    ['with a port', head('GET', '/', '__ping__:80')],
  ];

  it.each(answers)('%s → 200 `ok`', async (_what, request) => {
    const answer = await site.exchange(request);
    expect(answer).toMatchObject({ status: 200, text: 'ok' });
    expect(answer.fields.get('content-length')).toBe('2');
    expect(answer.fields.get('content-type')).toBe('text/plain');
    expect(answer.fields.get('cache-control')).toBe('no-cache');
    expect(answer.fields.get('pragma')).toBe('no-cache');
    expect(answer.fields.get('expires')).toBe('-1');
    expect(answer.fields.get('x-debug-error')).toBeNull();
  });

  it('HEAD → the same without a body', async () => {
    const answer = await site.exchange(head('HEAD', '/', '__ping__'), 'HEAD');
    expect(answer.status).toBe(200);
    expect(answer.fields.get('content-length')).toBe('2');
  });

  it('with X-Debug → `x-debug-error: ok`', async () => {
    expect((await site.get('__ping__', '/', 'X-Debug: 1')).fields.get('x-debug-error')).toBe('ok');
  });

  it('asks Redis nothing, and no frontend of that name is looked up', async () => {
    const backend = await hipache.backend(ok('a frontend'));
    await frontend('__ping__', backend);
    await hipache.redis.client.config('RESETSTAT');
    for (let turn = 0; turn < 5; turn++) expect((await site.get('__ping__')).text).toBe('ok');
    expect(await hipache.redis.client.info('commandstats')).not.toContain('cmdstat_lrange');
  });

  it('in another case is a host like any other → 400', async () => {
    expect((await site.get('__PING__')).status).toBe(400);
  });
});

describe('look-up order', () => {
  const oneTo = (last: number) => Array.from({ length: last }, (_, at) => `l${at + 1}`).join('.');

  it('`a.b.c` → `a.b.c`, `*.b.c`, `*.c`, `*`', async () => {
    const order = ['a.b.c', '*.b.c', '*.c', '*'];
    const backend = await hipache.backend(ok());
    for (const name of order) await frontend(name, backend);
    for (const name of order) {
      expect((await site.get('a.b.c', '/', 'X-Debug: 1')).fields.get('x-debug-vhost')).toBe(name);
      await site.cli('del', `frontend:${name}`);
    }
    expect((await site.get('a.b.c')).status).toBe(400);
  });

  it('`simple` → `simple`, `*`', async () => {
    const backend = await hipache.backend(ok());
    for (const name of ['simple', '*.simple', '*']) await frontend(name, backend);
    expect((await site.get('simple', '/', 'X-Debug: 1')).fields.get('x-debug-vhost')).toBe('simple');
    await site.cli('del', 'frontend:simple');
    expect((await site.get('simple', '/', 'X-Debug: 1')).fields.get('x-debug-vhost')).toBe('*');
  });

  it('`host:port` is tried before `host`, as PlanB does', async () => {
    const backend = await hipache.backend(ok());
    await frontend('simple', backend);
    await frontend('simple:8080', backend);
    expect((await site.get('simple:8080', '/', 'X-Debug: 1')).fields.get('x-debug-vhost')).toBe('simple:8080');
    expect((await site.get('simple:9090', '/', 'X-Debug: 1')).fields.get('x-debug-vhost')).toBe('simple');
  });

  it('at most five labels follow `*.`', async () => {
    const backend = await hipache.backend(ok());
    await frontend(`*.${oneTo(6)}`, backend);
    expect((await site.get(`x.${oneTo(6)}`)).status).toBe(400);
    await frontend('*.l2.l3.l4.l5.l6', backend);
    expect((await site.get(`x.${oneTo(6)}`)).status).toBe(200);
  });

  it('an identifier alone counts as a list and wins → 502', async () => {
    const backend = await hipache.backend(ok());
    await frontend('*.foo.bar', backend);
    await frontend('test.foo.bar');
    expect((await site.get('test.foo.bar')).status).toBe(502);
  });

  it('a missing key → 400', async () => {
    expect((await site.get('nobody.foo.bar')).status).toBe(400);
  });
});

describe("Hipache's own tests of wildcards", () => {
  interface Row {
    /** Frontend names with the status that their backend answers. */
    readonly configured: Readonly<Record<string, number>>;
    /** Requested hosts with the status that the client gets. */
    readonly requests: Readonly<Record<string, number>>;
  }

  const rows: readonly Row[] = [
    { configured: { '*.foo.bar': 200 }, requests: { 'test.foo.bar': 200, 'pipo.foo.bar': 200, 'foo.bar': 400 } },
    { configured: { '*.foo': 200 }, requests: { 'bar.foo': 200, 'foo.bar': 400, foo: 400 } },
    { configured: { 'foo.bar': 200 }, requests: { 'foo.bar': 200 } },
    {
      configured: { '*.foo.bar': 200, 'foo.bar': 201, 'pipo.foo.bar': 202, '*.baz.foo.bar': 203 },
      requests: {
        'test.foo.bar': 200,
        'foo.bar': 201,
        'pipo.foo.bar': 202,
        'qux.baz.foo.bar': 203,
        'qux.bix.foo.bar': 200,
        'qux.bix.bar.foo': 400,
      },
    },
    {
      configured: {
        '*.quux': 200,
        '*.qux.quux': 201,
        '*.baz.qux.quux': 202,
        '*.bar.baz.qux.quux': 203,
        'foo.bar.baz.qux.quux': 204,
        '*.foo.bar.baz.qux.quux': 205,
        '*.quuux.foo.bar.baz.qux.quux': 206,
      },
      requests: {
        'too.deep.quuux.foo.bar.baz.qux.quux': 205,
        'too.deep.foo.bar.baz.qux.quux': 205,
        'foo.bar.baz.qux.quux': 204,
        'bar.bar.baz.qux.quux': 203,
        'foo.baz.qux.quux': 202,
        'foo.qux.quux': 201,
        'foo.quux': 200,
      },
    },
    { configured: { 'a.b.c.d.e.f.g.h.i.j.k.l.m': 200 }, requests: { 'a.b.c.d.e.f.g.h.i.j.k.l.m': 200 } },
  ];

  const written = (statuses: Readonly<Record<string, number>>) =>
    Object.entries(statuses)
      .map(([name, status]) => `${name} ${status}`)
      .join(', ');

  const named = rows.map((row) => [`${written(row.configured)} → ${written(row.requests)}`, row] as const);

  it.each(named)('%s', async (_name, { configured, requests }) => {
    for (const [name, status] of Object.entries(configured)) {
      const answer = status === 204 ? 'HTTP/1.1 204 Here\r\n\r\n' : `HTTP/1.1 ${status} Here\r\nContent-Length: 0\r\n\r\n`;
      await frontend(name, await hipache.backend(answer));
    }
    const got: Record<string, number> = {};
    for (const host of Object.keys(requests)) got[host] = (await site.get(host)).status;
    expect(got).toEqual(requests);
  });

  it('every host of a wildcard reaches the backend with its own name', async () => {
    const seen: BackendRequest[] = [];
    const backend = await hipache.backend((request, connection) => {
      seen.push(request);
      connection.send(ok());
    });
    await frontend('*.foo.bar', backend);
    await site.get('one.foo.bar');
    await site.get('two.foo.bar:99');
    expect(seen.map((request) => request.fields.get('host'))).toEqual(['one.foo.bar', 'two.foo.bar:99']);
  });
});
