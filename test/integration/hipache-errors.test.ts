// What the proxy answers by itself and what it tells about it: time limits, statuses, pages, x-debug headers, and the access log.
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { head, withBody } from '../contract/engine/world.js';
import { ok, type RawBackend, response } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { handshake, refusing, type Site, useHipache } from '../helpers/hipache.js';

const hipache = useHipache();
const [refused] = refusing;
let site: Site;
let host: string;

beforeEach(async () => {
  site = await hipache.site({ server: { debugHeaders: 'everyone' } });
  host = hipache.host();
});

const serves = (...entries: readonly string[]) => site.cli('rpush', `frontend:${host}`, 'my app', ...entries);

describe('a time limit', () => {
  it('of an idle connection closes it without a word', async () => {
    site = await hipache.site({ server: { idleTimeout: 300, headTimeout: 300 } });
    await serves((await hipache.backend(ok('once'))).url);
    const [silent, used] = [await site.client(), await site.client()];
    used.send(head('GET', '/', host));
    expect((await used.response()).text).toBe('once');
    expect(await used.queue.rest()).toMatchObject({ end: 'end', bytes: Buffer.alloc(0) });
    expect(await silent.queue.rest()).toMatchObject({ end: 'end', bytes: Buffer.alloc(0) });
  });

  it('of a request head answers 408 and closes', async () => {
    site = await hipache.site({ server: { idleTimeout: 300, headTimeout: 300 } });
    const client = await site.client();
    client.send('GET / HTTP/1.1\r\nHost: a');
    const answer = await client.response();
    expect(answer.status).toBe(408);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('head-timeout');
    expect(await client.ended()).toBe('end');
  });

  it('of 0 is none: a connection stays while one with a limit is closed', async () => {
    const unlimited = await hipache.site({ server: { idleTimeout: 0, headTimeout: 0 } });
    const limited = await hipache.site({ server: { idleTimeout: 300, headTimeout: 300 } });
    const stays = await unlimited.client();
    await (await limited.client()).ended();
    stays.send(head('GET', '/', '__ping__'));
    expect((await stays.response()).text).toBe('ok');
  });

  it('of a silent backend answers 504 with its page, never an empty reply', async () => {
    site = await hipache.site({ server: { backendTimeout: 300 } });
    await serves((await hipache.backend(() => {})).url);
    const answer = await site.get(host);
    expect(answer.status).toBe(504);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
    expect(answer.fields.get('content-type')).toBe('text/html');
    expect(answer.body.length).toBeGreaterThan(100);
  });
});

describe('a status', () => {
  it('of an unknown frontend is 400, and the connection goes on', async () => {
    const client = await site.client();
    for (let turn = 0; turn < 3; turn++) {
      client.send(head('GET', '/', 'nobody.example.com'));
      expect((await client.response()).status).toBe(400);
    }
  });

  it('of one failing backend of two is seen exactly once, afterwards only good answers', async () => {
    site = await hipache.site({ server: { strategy: 'RANDOM' } });
    await serves((await hipache.backend(response('501 Failing'))).url, (await hipache.backend(ok())).url);
    const statuses: number[] = [];
    for (let turn = 0; turn < 60; turn++) statuses.push((await site.get(host)).status);
    expect(statuses.filter((status) => status === 501)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(59);
  });

  it('200 with a Content-Length longer than the body is passed on, and the client sees a broken connection', async () => {
    const backend = await hipache.backend((_request, connection) =>
      connection.end('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort'),
    );
    await serves(backend.url);
    await expect(site.get(host)).rejects.toThrow('the connection ended');
    expect((await site.get('__ping__')).text).toBe('ok');
  });

  it('200 with a Content-Length shorter than the body is passed on with as much as it says', async () => {
    const backend = await hipache.backend((_request, connection) =>
      connection.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlong body'),
    );
    await serves(backend.url);
    expect(await site.get(host)).toMatchObject({ status: 200, text: 'long' });
  });

  it('400 is the answer to garbage, and the server lives on', async () => {
    for (const garbage of [
      '\0\x01\x02\xff\r\n\r\n',
      'GET\r\n\r\n',
      '{"json": true}\r\n\r\n',
      '\x16\x03\x01\x02\0\x01\0\r\n\r\n',
    ]) {
      expect((await site.exchange(garbage)).status).toBe(400);
    }
    expect((await site.get('__ping__')).text).toBe('ok');
  });
});

describe('an error page', () => {
  const shipped = fileURLToPath(new URL('../../config/pages/', import.meta.url));

  async function pages(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    const folder = await mkdtemp(join(hipache.redis.dir, 'pages-'));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    return folder;
  }

  const odd = Buffer.concat([Buffer.from('<h1>caf\u00e9 \u2713</h1>\r\n'), Buffer.from([0, 0xff, 0xfe, 10, 10])]);

  it.each([400, 502])('of status %i is shipped, and arrives byte by byte as its file is', async (status) => {
    if (status === 502) await serves();
    const answer = await site.get(host);
    expect(answer.status).toBe(status);
    expect(answer.body.equals(await readFile(join(shipped, `error_${status}.html`)))).toBe(true);
  });

  it('of a folder of ones own is `error_<code>.html`, byte by byte', async () => {
    site = await hipache.ownSite({
      server: { staticDir: await pages({ 'error_400.html': odd, 'error_default.html': 'other' }) },
    });
    expect((await site.get(host)).body.equals(odd)).toBe(true);
  });

  it('is `error_default.html` where there is none for the status', async () => {
    site = await hipache.ownSite({
      server: { staticDir: await pages({ 'error_502.html': 'wrong', 'error_default.html': odd }) },
    });
    const answer = await site.get(host);
    expect(answer.status).toBe(400);
    expect(answer.body.equals(odd)).toBe(true);
  });

  it('is a plain text with the message where there is none at all', async () => {
    site = await hipache.ownSite({ server: { staticDir: await pages({}) } });
    const answer = await site.get(host);
    expect(answer.status).toBe(400);
    expect(answer.fields.get('content-type')).toBe('text/plain');
    expect(answer.text).toBe('This domain is not associated with an application.\n');
  });

  it('that is edited, added or removed is in force without a restart', async () => {
    const folder = await pages({ 'error_400.html': 'before' });
    site = await hipache.ownSite({ server: { staticDir: folder } });
    expect((await site.get(host)).text).toBe('before');
    await writeFile(join(folder, 'error_400.html'), 'after');
    await eventually('the edited page', async () => (await site.get(host)).text === 'after');
  });

  it('says that nobody may keep it', async () => {
    const { fields } = await site.get(host);
    expect(fields.get('content-type')).toBe('text/html');
    expect(fields.get('cache-control')).toBe('no-cache');
    expect(fields.get('pragma')).toBe('no-cache');
    expect(fields.get('expires')).toBe('-1');
  });

  it('says that the proxy made it, which no answer of an application does', async () => {
    expect((await site.get(host)).fields.get('x-cjs-proxy-error')).toBe('unknown-frontend');
    await serves((await hipache.backend(response('502 Mine', 'own page'))).url);
    const answer = await site.get(host);
    expect(answer.text).toBe('own page');
    expect(answer.fields.get('x-cjs-proxy-error')).toBeNull();
  });

  it('is not sent in answer to HEAD', async () => {
    const client = await site.client();
    client.send(head('HEAD', '/', host) + head('GET', '/', host));
    expect(await client.response('HEAD')).toMatchObject({ status: 400, text: '' });
    expect((await client.response()).body.length).toBeGreaterThan(0);
  });

  it('for a folder that does not exist is a plain text', async () => {
    site = await hipache.ownSite({ server: { staticDir: join(hipache.redis.dir, 'nowhere') } });
    expect((await site.get(host)).fields.get('content-type')).toBe('text/plain');
  });
});

describe('X-Debug', () => {
  it('shows on an answer of a backend who answered, and for how long', async () => {
    const backend = await hipache.backend(ok('here'));
    await serves('notaurl', backend.url);
    const { fields } = await site.get(`${host.toUpperCase()}:8080`, '/', 'X-Debug: 1');
    expect(fields.names.filter((name) => name.startsWith('x-debug')).sort()).toEqual([
      'x-debug-backend-id',
      'x-debug-backend-url',
      'x-debug-frontend-key',
      'x-debug-time-backend',
      'x-debug-time-total',
      'x-debug-version-hipache',
      'x-debug-vhost',
    ]);
    expect(fields.get('x-debug-backend-url')).toBe(`${backend.url}/`);
    expect(fields.get('x-debug-backend-id')).toBe('1');
    expect(fields.get('x-debug-vhost')).toBe('my app');
    expect(fields.get('x-debug-frontend-key')).toBe(host);
    expect(fields.get('x-debug-time-total')).toMatch(/^\d+$/);
    expect(fields.get('x-debug-time-backend')).toMatch(/^\d+$/);
    expect(fields.get('x-debug-version-hipache')).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('names the requested host as the frontend key where a wildcard served it', async () => {
    await site.cli('rpush', `frontend:*.${host}`, 'wild', (await hipache.backend(ok())).url);
    const { fields } = await site.get(`a.${host}`, '/', 'X-Debug: 1');
    expect(fields.get('x-debug-frontend-key')).toBe(`a.${host}`);
    expect(fields.get('x-debug-vhost')).toBe('wild');
  });

  it('with any value, also an empty one, is a wish', async () => {
    await serves((await hipache.backend(ok())).url);
    for (const line of ['X-Debug:', 'x-debug: no', 'X-DEBUG: 0']) {
      expect((await site.get(host, '/', line)).fields.get('x-debug-backend-id')).toBe('0');
    }
    expect((await site.get(host)).head).not.toContain('x-debug');
  });

  /** What `x-debug-error` says of a GET, and whether the answer tells of a backend. */
  async function told(settings: object, ...entries: readonly string[]): Promise<readonly [string | null, boolean]> {
    site = await hipache.site({ server: { debugHeaders: 'everyone', ...settings } });
    if (entries.length > 0) await serves(...entries);
    const { fields, status } = await site.get(host, '/', 'X-Debug: 1');
    expect(status).toBeGreaterThanOrEqual(400);
    expect(fields.get('x-debug-version-hipache')).not.toBeNull();
    return [fields.get('x-debug-error'), fields.get('x-debug-backend-url') !== null];
  }

  it('`ok` for `__ping__`', async () => {
    expect((await site.get('__ping__', '/', 'X-Debug: 1')).fields.get('x-debug-error')).toBe('ok');
  });

  it('`no host header`', async () => {
    const answer = await site.exchange('GET / HTTP/1.0\r\nX-Debug: 1\r\n\r\n');
    expect(answer.fields.get('x-debug-error')).toBe('no host header');
  });

  it('`frontend not found`', async () => {
    expect(await told({})).toEqual(['frontend not found', false]);
  });

  it('`Cannot find a valid backend` where all are dead', async () => {
    await site.cli('sadd', `dead:${host}`, '0');
    expect(await told({}, refused)).toEqual(['Cannot find a valid backend', false]);
  });

  it('`backend is invalid`', async () => {
    expect(await told({}, 'notaurl')).toEqual(['backend is invalid', false]);
  });

  it('`Retry on error is disabled`, with the backend', async () => {
    expect(await told({ retryOnError: 0 }, refused, refusing[1])).toEqual(['Retry on error is disabled', true]);
  });

  it('`Reached max retries limit`, with the last backend', async () => {
    expect(await told({ retryOnError: 1 }, ...refusing)).toEqual(['Reached max retries limit', true]);
  });

  it('`Cannot find a valid backend` where all turn out to be dead', async () => {
    expect(await told({}, refused, refusing[1])).toEqual(['Cannot find a valid backend', true]);
  });

  it('says what happened where Hipache had no words', async () => {
    expect(await told({ backendTimeout: 300 }, (await hipache.backend(() => {})).url)).toEqual([
      'The application did not answer in time.',
      true,
    ]);
  });

  it('is answered to trusted addresses alone unless told otherwise', async () => {
    const backend = await hipache.backend(ok());
    const lines = async (settings: Parameters<typeof hipache.site>[0]) => {
      site = await hipache.site(settings);
      return (await site.get(host, '/', 'X-Debug: 1')).fields.names.filter((name) => name.startsWith('x-debug')).length;
    };
    await serves(backend.url);
    expect(await lines({})).toBe(0);
    expect(await lines({ trustedProxies: ['127.0.0.0/8'] })).toBe(7);
    expect(await lines({ server: { debugHeaders: 'nobody' }, trustedProxies: ['127.0.0.0/8'] })).toBe(0);
    expect(await lines({ server: { debugHeaders: 'everyone' } })).toBe(7);
  });
});

describe('the access log', () => {
  let file: string;
  let backend: RawBackend;
  let logging: Site[];

  beforeEach(async () => {
    const folder = join(hipache.redis.dir, 'logs');
    await mkdir(folder, { recursive: true });
    file = join(folder, `${host}.log`);
    site = await hipache.ownSite({ server: { accessLog: file, backendTimeout: 300 } });
    logging = [site];
    backend = await hipache.backend(ok('answer'));
  });

  /** Ends the proxies, which writes what is waiting, and gives the lines that are not of the waiting for changes. */
  async function lines(count: number): Promise<string[]> {
    for (const { started } of logging) {
      await eventually('the exchanges to end', () => started.proxy.activeExchanges === 0);
      await started.close();
    }
    const all = (await readFile(file, 'latin1')).split('\n').slice(0, -1);
    const own = all.filter((line) => line.includes(' "GET /unknown ') || !/ 400 |"an identifier alone"/.test(line));
    expect(own).toHaveLength(count);
    return own;
  }

  it('has a line as Hipache writes it', async () => {
    await serves(backend.url);
    const answer = await site.get(host, '/a/b?x=1&y=2', 'User-Agent: curl/7.88.1', 'Referer: http://from.here/');
    const [line] = await lines(1);
    const date = '\\d\\d/(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\\d{4}:\\d\\d:\\d\\d:\\d\\d \\+0000';
    const seconds = '\\d+(\\.\\d{1,3})?';
    const bytes = answer.head.length + answer.body.length;
    expect(line).toMatch(
      new RegExp(
        `^::ffff:127\\.0\\.0\\.1 - - \\[${date}\\] "GET /a/b\\?x=1&y=2 HTTP/1\\.1" 200 ${bytes} "http://from\\.here/" "curl/7\\.88\\.1" "my app" ${seconds} ${seconds}$`,
      ),
    );
  });

  it('has empty quotes for what a client did not send, the version that it spoke, and the time in UTC', async () => {
    await serves(backend.url);
    const before = Math.floor(Date.now() / 1000) * 1000;
    await site.exchange(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    const [line = ''] = await lines(1);
    expect(line).toMatch(/"GET \/ HTTP\/1\.0" 200 \d+ "" "" "my app" /);
    const [, day, time] = /\[(.*?):(.*?)\]/.exec(line) ?? [];
    const logged = Date.parse(`${day?.replaceAll('/', ' ')} ${time}`);
    expect(logged).toBeGreaterThanOrEqual(before);
    expect(logged).toBeLessThanOrEqual(Date.now());
  });

  it('counts the bytes of each request on a connection by itself', async () => {
    await serves(backend.url);
    await site.bodies(host, 3);
    const bytes = (await lines(3)).map((line) => / 200 (\d+) /.exec(line)?.[1]);
    expect(new Set(bytes).size).toBe(1);
  });

  it('cannot be forged by what a client sends', async () => {
    await serves(backend.url);
    await site.get(host, '/"%22|`', 'User-Agent: a" 200 0 "x\\', 'Referer: \xe9\t"');
    const [line = ''] = await lines(1);
    expect(line).toMatch(/"GET \/\\x22%22\|` HTTP\/1\.1" 200 \d+ "\\xE9\\x09\\x22" "a\\x22 200 0 \\x22x\\x5C" "my app"/);
    expect(line.split('"')).toHaveLength(9);
  });

  it('has a line for a 502 after refused connections, a 504, an upgrade and a broken answer too', async () => {
    const [silent, closing] = [hipache.host(), hipache.host()];
    await serves(refused);
    await site.cli('rpush', `frontend:${silent}`, 'silent', (await hipache.backend(() => {})).url);
    const broken = await hipache.backend((_request, connection) =>
      connection.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    await site.cli('rpush', `frontend:${closing}`, 'closing', broken.url);
    await site.get(host, '/refused');
    await site.get(silent, '/silent');
    await site.get(closing, '/closing').catch(() => 'broken off');
    await site.exchange(handshake(host));
    const seen = (await lines(4)).map((line) => / "GET (\S+) HTTP\/1\.1" (\d+) \d+ "" "" "(.*?)"/.exec(line)?.slice(1).join(' '));
    expect(seen).toEqual(['/refused 502 my app', '/silent 504 silent', '/closing 200 closing', '/ 502 my app']);
  });

  it('has a line for an unknown host too, without an identifier', async () => {
    await site.get(host, '/unknown');
    const [line] = await lines(1);
    expect(line).toMatch(/"GET \/unknown HTTP\/1\.1" 400 \d+ "" "" "" [\d.]+ 0$/);
  });

  it('has a line for an upgraded connection when it ends', async () => {
    const socket = await hipache.backend((_request, connection) => {
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
      connection.end();
    });
    await serves(socket.url);
    const client = await site.client();
    client.send(handshake(host));
    expect((await client.head()).startLine).toContain(' 101 ');
    client.end();
    expect((await lines(1))[0]).toMatch(/"GET \/ HTTP\/1\.1" 101 \d+ /);
  });

  it('has no line for `__ping__`', async () => {
    await serves(backend.url);
    await site.get('__ping__', '/ping');
    await site.get(host, '/after');
    expect((await lines(1)).map((line) => line.split(' ')[6])).toEqual(['/after']);
  });

  it('names the address of X-Real-IP or X-Forwarded-For from trusted proxies alone', async () => {
    await serves(backend.url);
    await site.get(host, '/untrusted', 'X-Real-IP: 9.9.9.9', 'X-Forwarded-For: 8.8.8.8');
    const behind = await hipache.ownSite({ server: { accessLog: file }, trustedProxies: ['127.0.0.1'] });
    logging.push(behind);
    await behind.exchange(withBody('POST', '/trusted', host, 'x', 'X-Forwarded-For: 8.8.8.8'));
    const [untrusted, trusted] = await lines(2);
    expect(untrusted).toMatch(/^::ffff:127\.0\.0\.1 /);
    expect(trusted).toMatch(/^::ffff:8\.8\.8\.8 /);
  });
});
