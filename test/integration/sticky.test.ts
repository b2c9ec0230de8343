// The sticky cookie, through running proxies over one Redis.
import { beforeEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok, type RawBackend } from '../helpers/backend.js';
import { handshake, refusing, type Site, useHipache } from '../helpers/hipache.js';
import type { RawResponse } from '../helpers/raw-client.js';

const hipache = useHipache();
const secret = 'a secret of sixteen or more';
let site: Site;
let host: string;
let all: readonly RawBackend[];

beforeEach(async () => {
  site = await hipache.site({ server: { stickySecret: secret, deadBackendTTL: 3600 } });
  host = hipache.host();
  all = await Promise.all(['0', '1', '2'].map((body) => hipache.backend(ok(body))));
});

const entry = (at: number, option = '') => `${all[at]!.url}#id=node-${at}${option}`;

/** Serves the three backends in turn; the cookie is called `at`. */
async function serves(sticky = '{"cookie": "at"}', entries = [entry(0), entry(1), entry(2)]): Promise<void> {
  await site.redis.cli('hset', `route:${host}`, 'sticky', sticky, 'strategy', 'ROUND_ROBIN');
  await site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);
}

/** The value of the cookie that an answer sets; empty: it sets none. */
function cookieOf({ fields }: RawResponse): string {
  return /^at=([^;]*)/.exec(fields.get('set-cookie') ?? '')?.[1] ?? '';
}

const asks = (cookie: string, through = site) => through.get(host, '/', `Cookie: x=1; at=${cookie}`);

/** Bodies of some requests with a cookie. */
async function answers(cookie: string, times = 6, through = site): Promise<string[]> {
  const found: string[] = [];
  for (let turn = 0; turn < times; turn++) found.push((await asks(cookie, through)).text);
  return found;
}

/** A client without a cookie: the backend it got and the cookie. */
async function comes(): Promise<{ body: string; cookie: string }> {
  const answer = await site.get(host);
  return { body: answer.text, cookie: cookieOf(answer) };
}

describe('a sticky cookie', () => {
  it('keeps a client with the backend of its first request, and is set once', async () => {
    await serves();
    for (const expected of ['0', '1', '2']) {
      const { body, cookie } = await comes();
      expect(body).toBe(expected);
      expect(await answers(cookie, 4)).toEqual([body, body, body, body]);
      expect((await asks(cookie)).fields.get('set-cookie')).toBeNull();
    }
  });

  it('is the same on every node', async () => {
    await serves();
    const { body, cookie } = await comes();
    const other = await hipache.ownSite({ server: { stickySecret: secret, strategy: 'RANDOM' } });
    expect(new Set(await answers(cookie, 6, other))).toEqual(new Set([body]));
  });

  it('names the backend, not its index: it holds when the list shifts', async () => {
    await serves();
    await comes();
    await comes();
    const { body, cookie } = await comes();
    expect(body).toBe('2');
    await site.cli('lrem', `frontend:${host}`, '1', entry(0));
    expect(new Set(await answers(cookie))).toEqual(new Set(['2']));
  });

  it('that is forged is replaced: neither ids nor cookies of another secret or frontend count', async () => {
    await serves();
    const other = await hipache.ownSite({ server: { stickySecret: `${secret}, another one` } });
    const foreign = cookieOf(await other.get(host));
    expect(foreign).not.toBe('');
    for (const made of ['node-1', '1', all[1]!.url, foreign, 'x'.repeat(4000), '"', '%00']) {
      const answer = await asks(made);
      expect(answer.status).toBe(200);
      expect(cookieOf(answer)).toMatch(/^[\w-]{22}$/);
      expect(cookieOf(answer)).not.toBe(made);
    }
    const found = await answers(foreign, 6);
    expect(new Set(found)).toEqual(new Set(['0', '1', '2']));
  });

  it('moves the client of a dead backend and is renewed; the client stays where it is then', async () => {
    await serves();
    const { body, cookie } = await comes();
    await site.cli('sadd', `dead:${host}`, body);
    const moved = await asks(cookie);
    expect(moved.text).not.toBe(body);
    const renewed = cookieOf(moved);
    expect(renewed).not.toBe('');
    await site.cli('del', `dead:${host}`);
    expect(new Set(await answers(renewed))).toEqual(new Set([moved.text]));
  });

  it('is that of the backend that answered, when the first one tried has failed', async () => {
    await serves('{"cookie": "at"}', [refusing[0], entry(1)]);
    const answer = await site.get(host);
    expect(answer.text).toBe('1');
    expect(new Set(await answers(cookieOf(answer)))).toEqual(new Set(['1']));
    expect(answer.fields.all('set-cookie')).toHaveLength(1);
  });

  it('moves a client whose backend fails it in mid-session, with one request and no error', async () => {
    await serves();
    const { body, cookie } = await comes();
    await all[Number(body)]!.close();
    const answer = await asks(cookie);
    expect(answer.status).toBe(200);
    expect(cookieOf(answer)).not.toBe('');
    expect(answer.text).not.toBe(body);
  });

  it('still leads to a backend whose weight became 0, which gets nobody else', async () => {
    await serves();
    const { body, cookie } = await comes();
    await site.cli('hset', `route:${host}`, 'weights', `{"node-${body}": 0}`);
    expect(new Set(await answers(cookie))).toEqual(new Set([body]));
    for (let turn = 0; turn < 6; turn++) expect((await comes()).body).not.toBe(body);
  });

  it('still leads to a backup when the others are back', async () => {
    await serves('{"cookie": "at"}', [entry(0), entry(1, '&backup')]);
    await site.cli('sadd', `dead:${host}`, '0');
    const { body, cookie } = await comes();
    expect(body).toBe('1');
    await site.cli('del', `dead:${host}`);
    expect(new Set(await answers(cookie))).toEqual(new Set(['1']));
    expect((await comes()).body).toBe('0');
  });

  it('comes with the answer to an upgrade and leads it', async () => {
    const websocket = await hipache.backend(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await serves('{"cookie": "at"}', [websocket.url, websocket.url.replace('127.0.0.1', 'localhost')]);
    const first = await site.exchange(handshake(host));
    expect([first.status, cookieOf(first)]).toEqual([101, expect.stringMatching(/^[\w-]{22}$/)]);
    const again = await site.exchange(handshake(host, `Cookie: at=${cookieOf(first)}`));
    expect([again.status, again.fields.get('set-cookie')]).toEqual([101, null]);
  });

  it('keeps a client in the group of a traffic split that its backend belongs to', async () => {
    await serves();
    const groups =
      '{"groups": [{"name": "a", "weight": 1, "backends": ["node-0"]}, {"name": "b", "weight": 1, "backends": ["node-1", "node-2"]}]}';
    await site.cli('hset', `route:${host}`, 'split', groups);
    for (let client = 0; client < 4; client++) {
      const { body, cookie } = await comes();
      expect(new Set(await answers(cookie, 8))).toEqual(new Set([body]));
    }
  });

  it('is the same whichever engine speaks to the backends', async () => {
    await serves();
    const other = await hipache.ownSite({ server: { stickySecret: secret, engine: 'http-proxy' } });
    const answer = await other.get(host);
    expect(new Set(await answers(cookieOf(answer)))).toEqual(new Set([answer.text]));
    expect(new Set(await answers(cookieOf(answer), 6, other))).toEqual(new Set([answer.text]));
  });

  it('does not touch the cookies of the application, either way', async () => {
    const app = await hipache.backend(ok('app', 'Set-Cookie: app=1', 'Set-Cookie: b=2; Path=/x'));
    await serves('{"cookie": "at"}', [app.url]);
    const answer = await site.get(host, '/', 'Cookie: app=0; b=1');
    expect(answer.fields.all('set-cookie')).toEqual(['app=1', 'b=2; Path=/x', expect.stringMatching(/^at=/)]);
    expect(app.only.fields.get('cookie')).toBe('app=0; b=1');
  });

  it('goes when the policy no longer asks for it', async () => {
    await serves();
    const { cookie } = await comes();
    await site.cli('hdel', `route:${host}`, 'sticky');
    expect(new Set(await answers(cookie))).toEqual(new Set(['0', '1', '2']));
    expect((await site.get(host)).fields.get('set-cookie')).toBeNull();
  });
});

describe('the attributes of a sticky cookie', () => {
  const line = async () => (await site.get(host)).fields.get('set-cookie') ?? '';

  it('are the least without a word about them: a session cookie that scripts cannot read, with a name of the frontend', async () => {
    await serves('true');
    expect(await line()).toMatch(/^cjs-proxy-[0-9a-f]{8}=[\w-]{22}; Path=\/; HttpOnly$/);
  });

  it('are what the policy asks for', async () => {
    await serves('{"cookie": "__Secure-at", "ttl": "1h", "path": "/app", "secure": true, "sameSite": "none"}');
    expect(await line()).toMatch(/^__Secure-at=[\w-]{22}; Path=\/app; Max-Age=3600; HttpOnly; Secure; SameSite=None$/);
    await serves('{"cookie": "at", "domain": "example.com"}');
    expect(await line()).toMatch(/^at=[\w-]{22}; Path=\/; Domain=example\.com; HttpOnly$/);
  });

  it('have Secure for a client that came by https, unless the policy says otherwise', async () => {
    site = await hipache.ownSite({ server: { stickySecret: secret }, trustedProxies: ['127.0.0.1'] });
    await serves('{"cookie": "at"}');
    const behindTls = () => site.get(host, '/', 'X-Forwarded-Proto: https');
    expect((await behindTls()).fields.get('set-cookie')).toContain('; Secure');
    expect(await line()).not.toContain('Secure');
    await site.cli('hset', `route:${host}`, 'sticky', '{"cookie": "at", "secure": false}');
    expect((await behindTls()).fields.get('set-cookie')).not.toContain('Secure');
  });

  it.each([
    ['yes', 'is "yes"; allowed: true, false or an object with any of cookie, ttl, domain, path, secure and sameSite'],
    ['{"name": "at"}', 'has the unknown member "name"; allowed: true, false or an object'],
    ['{"cookie": "a b"}', 'allowed at cookie: 1 to 64 letters'],
    ['{"cookie": "a;b"}', 'allowed at cookie: 1 to 64 letters'],
    ['{"path": "/; Domain=evil.example"}', 'allowed at path: a path that begins with a slash'],
    ['{"sameSite": "never"}', 'allowed at sameSite: "Lax", "Strict" or "None"'],
    ['{"sameSite": "None", "secure": false}', 'allowed at sameSite: "Lax" or "Strict" while secure is false'],
    ['{"ttl": "soon"}', 'allowed at ttl: seconds from 0'],
  ])('%s is refused with what is allowed, and the frontend is served without', async (sticky, message) => {
    await serves(sticky);
    const answer = await site.get(host);
    expect([answer.status, answer.fields.get('set-cookie')]).toEqual([200, null]);
    const said = site.logged.map(({ msg }) => msg).join('\n');
    expect(said).toContain(`route:${host}: sticky`);
    expect(said).toContain(message);
  });
});

describe('without server.stickySecret', () => {
  it('a cookie holds on every node all the same, and it is said once that it can be forged', async () => {
    site = await hipache.ownSite();
    await serves();
    const { body, cookie } = await comes();
    await comes();
    const other = await hipache.ownSite();
    expect(new Set(await answers(cookie, 6, other))).toEqual(new Set([body]));
    expect(site.logged.filter(({ msg }) => msg.includes('server.stickySecret'))).toHaveLength(1);
  });
});

describe('two frontends of one host', () => {
  it('do not take each other’s cookie away', async () => {
    const other = hipache.host();
    await serves('true');
    await site.redis.cli('hset', `route:${other}`, 'sticky', 'true');
    await site.cli('rpush', `frontend:${other}`, 'an identifier', entry(0));
    const names = new Set<string>();
    for (const name of [host, other]) {
      const answer = await site.exchange(head('GET', '/', name));
      names.add((answer.fields.get('set-cookie') ?? '').split('=')[0] as string);
    }
    expect(names.size).toBe(2);
  });
});
