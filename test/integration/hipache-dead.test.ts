// Dead backends: what marks one, what is written to `dead:<host>` and published on the channel `dead`, and what revives it.
import { beforeEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { answering, ok, type RawBackend, response, type Script } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { handshake, refusing, type Site, useHipache } from '../helpers/hipache.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';

const hipache = useHipache();
const [refused] = refusing;
let site: Site;
let host: string;

beforeEach(async () => {
  site = await hipache.site();
  host = hipache.host();
});

const serves = (...entries: readonly string[]) => site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);
const members = async (name = host) => (await site.cli('smembers', `dead:${name}`)).split('\n').filter((line) => line !== '');
/** Waits for the marks, which are written behind the answer. */
const marked = (...ids: readonly string[]) =>
  eventually('the marks', async () => (await members()).sort().join() === [...ids].sort().join());

/** Answers one status until it is told to be well. */
function sick(status: string): { readonly script: Script; well: boolean } {
  const state = {
    well: false,
    script: (async (request, connection) => {
      await request.whole();
      connection.send(state.well ? ok('well') : response(status, 'sick'));
    }) satisfies Script,
  };
  return state;
}

describe('the mark of a refused backend', () => {
  it('is its id in `dead:<host>`, with the TTL of the setting', async () => {
    const backend = await hipache.backend(ok());
    site = await hipache.site({ server: { deadBackendTTL: 77 } });
    await serves(backend.url, refused);
    await site.bodies(host, 2);
    await marked('1');
    const ttl = Number(await site.redis.cli('ttl', `dead:${host}`));
    expect(ttl).toBeGreaterThan(70);
    expect(ttl).toBeLessThanOrEqual(77);
    expect(await site.redis.cli('type', `dead:${host}`)).toBe('set');
  });

  it('is 30 seconds by default', async () => {
    await serves(refused, (await hipache.backend(ok())).url);
    await site.get(host);
    await marked('0');
    expect(Number(await site.redis.cli('ttl', `dead:${host}`))).toBeGreaterThan(25);
  });

  it('is published as `<host>;<normalised url>;<id>;<len>`', async () => {
    const channel = await hipache.deadChannel();
    const backend = await hipache.backend(ok());
    await serves(backend.url, refused, backend.url);
    await site.bodies(host, 3);
    expect(await channel.many(1)).toEqual([`${host};http://127.0.0.1:1/;1;3`]);
  });

  it('is published the same however many requests meet it at the same time, all of which are served', async () => {
    const channel = await hipache.deadChannel();
    const backend = await hipache.backend(ok());
    await serves(refused, backend.url);
    const answers = await Promise.all(Array.from({ length: 10 }, () => site.get(host)));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 10 }, () => 200));
    await channel.many(1);
    await site.told();
    expect(new Set(channel.messages)).toEqual(new Set([`${host};http://127.0.0.1:1/;0;2`]));
  });

  it('names the requested host in lower case and without its port', async () => {
    const channel = await hipache.deadChannel();
    await serves(refused, (await hipache.backend(ok())).url);
    await site.get(`${host.toUpperCase()}:8080`);
    expect(await channel.many(1)).toEqual([`${host};http://127.0.0.1:1/;0;2`]);
    await marked('0');
  });

  it.each([
    ['http://127.77.7.7:80', 'http://127.77.7.7:80/'],
    ['http://127.77.7.7', 'http://127.77.7.7/'],
    ['HTTP://USER:pw@127.0.0.1:1', 'http://127.0.0.1:1/'],
    ['http://127.0.0.1:1/Base?x=1', 'http://127.0.0.1:1/Base?x=1'],
    ['127.0.0.1:1', 'http://127.0.0.1:1/'],
    ['http://LOCALHOST:1', 'http://localhost:1/'],
  ])('of the entry `%s` is published with the URL `%s`', async (entry, url) => {
    const channel = await hipache.deadChannel();
    await serves(entry, (await hipache.backend(ok())).url);
    await site.get(host);
    expect(await channel.many(1)).toEqual([`${host};${url};0;2`]);
  });

  it('goes under the prefix of the driver URL, the message and its host without it', async () => {
    const channel = await hipache.deadChannel();
    site = await hipache.site({ driver: `${hipache.redis.url}#p1:` });
    await site.cli('rpush', `p1:frontend:${host}`, 'an identifier', refused, (await hipache.backend(ok())).url);
    expect((await site.get(host)).status).toBe(200);
    expect(await channel.many(1)).toEqual([`${host};http://127.0.0.1:1/;0;2`]);
    expect(await site.cli('smembers', `p1:dead:${host}`)).toBe('0');
    expect(await site.cli('exists', `dead:${host}`)).toBe('0');
  });

  it('keeps requests away from it: no further one meets it', async () => {
    const channel = await hipache.deadChannel();
    await serves(refused, (await hipache.backend(ok('alive'))).url);
    await site.get(host);
    await marked('0');
    expect(new Set(await site.bodies(host, 20))).toEqual(new Set(['alive']));
    await site.told();
    expect(channel.messages).toHaveLength(1);
  });
});

describe('an answer', () => {
  /** Status, whether it marks, settings, lines of the answer. */
  const rows: readonly (readonly [string, boolean, object, readonly string[]])[] = [
    ['500 Internal Server Error', false, {}, []],
    ['500 Internal Server Error', true, { deadOn500: true }, []],
    ['501 Not Implemented', true, {}, []],
    ['501 Not Implemented', false, { deadOn5xx: false }, []],
    ['502 Bad Gateway', true, {}, []],
    ['502 Bad Gateway', false, { deadOn5xx: false }, []],
    ['503 Service Unavailable', true, {}, []],
    ['503 Service Unavailable', false, {}, ['Retry-After: 120']],
    ['503 Service Unavailable', true, { deadOn503: 'always' }, ['Retry-After: 120']],
    ['503 Service Unavailable', false, { deadOn503: 'never' }, []],
    ['504 Gateway Timeout', true, {}, []],
    ['504 Gateway Timeout', false, { deadOn5xx: false }, []],
    ['599 Whatever', true, {}, []],
    ['404 Not Found', false, {}, []],
    ['429 Too Many Requests', false, { deadOn500: true, deadOn503: 'always' }, ['Retry-After: 1']],
  ];

  const named = rows.map(([status, marks, settings, lines]) => {
    const where = Object.entries(settings).map(([key, value]) => ` where ${key} is ${value}`);
    return [
      [status, ...lines].join(' with ') + where.join(''),
      marks ? 'marks' : 'does not mark',
      marks,
      status,
      settings,
      lines,
    ] as const;
  });

  it.each(named)('%s %s its backend, and reaches the client as it is', async (_title, _verb, marks, status, settings, lines) => {
    const channel = await hipache.deadChannel();
    site = await hipache.site({ server: settings });
    const bad = await hipache.backend(response(status, 'sick', ...lines));
    const good = await hipache.backend(ok('good'));
    await serves(bad.url, good.url);
    const answers = [await site.get(host), await site.get(host)];
    expect(answers.map((answer) => `${answer.status} ${answer.reason}`)).toEqual([status, '200 OK']);
    expect(answers[0]?.text).toBe('sick');
    if (marks) {
      expect(await channel.many(1)).toEqual([`${host};${bad.url}/;0;2`]);
      await marked('0');
    } else {
      expect((await site.get(host)).text).toBe('sick');
      await site.told();
      expect(await members()).toEqual([]);
      expect(channel.messages).toEqual([]);
    }
  });

  it('of each status from 504 to 599 marks its backend', async () => {
    const channel = await hipache.deadChannel();
    const good = await hipache.backend(ok());
    const bad = await hipache.backend(async (request, connection) => {
      await request.whole();
      connection.send(response(`${request.target.slice(1)} Sick`));
    });
    const statuses = Array.from({ length: 96 }, (_, at) => 504 + at);
    const writes = site.redis.client.pipeline();
    for (const status of statuses) writes.rpush(`frontend:${status}.${host}`, 'an identifier', bad.url, good.url);
    await writes.exec();
    for (const status of statuses) expect((await site.get(`${status}.${host}`, `/${status}`)).status).toBe(status);
    const expected = statuses.map((status) => `${status}.${host};${bad.url}/;0;2`);
    expect([...(await channel.many(96))].sort()).toEqual(expected.sort());
  });
});

describe('an error', () => {
  it('of a connection that is not accepted in time marks, and another backend serves', async () => {
    const channel = await hipache.deadChannel();
    site = await hipache.site({ server: { connectTimeout: 300 } });
    const hung = await startRedis({ args: ['--tcp-backlog', '1'] });
    hung.pause();
    // The kernel completes a few connections for a process that stands still; whoever comes after them waits.
    const waiting = await Promise.all([connectClient(hung.port), connectClient(hung.port)]);
    try {
      await serves(`http://127.0.0.1:${hung.port}`, (await hipache.backend(ok('another'))).url);
      expect((await site.get(host)).text).toBe('another');
      expect(await channel.many(1)).toEqual([`${host};http://127.0.0.1:${hung.port}/;0;2`]);
      await marked('0');
    } finally {
      for (const client of waiting) client.close();
      await hung.stop();
    }
  });

  it('of a backend that accepts and never answers marks, and the client gets 504', async () => {
    const channel = await hipache.deadChannel();
    site = await hipache.site({ server: { backendTimeout: 300 } });
    const silent = await hipache.backend(() => {});
    await serves(silent.url, (await hipache.backend(ok('another'))).url);
    expect((await site.get(host)).status).toBe(504);
    expect(await channel.many(1)).toEqual([`${host};${silent.url}/;0;2`]);
    await marked('0');
    expect(await site.bodies(host, 3)).toEqual(['another', 'another', 'another']);
  });

  const breaking: readonly (readonly [string, Script])[] = [
    ['a reset before the answer', (_request, connection) => connection.reset()],
    ['a close before the answer', (_request, connection) => connection.end()],
    ['an answer that is no HTTP', (_request, connection) => connection.send('SSH-2.0-OpenSSH_9.6\r\n\r\n')],
    [
      'a close in the middle of the body',
      (_request, connection) => connection.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    ],
  ];

  it.each(breaking)('of %s does not mark', async (_what, script) => {
    const channel = await hipache.deadChannel();
    const [one, two] = [await hipache.backend(script), await hipache.backend(script)];
    await serves(one.url, two.url);
    await site.get(host).catch(() => 'broken off');
    await site.told();
    expect(one.requests.length + two.requests.length).toBeGreaterThan(0);
    expect(await members()).toEqual([]);
    expect(channel.messages).toEqual([]);
  });

  it('of a WebSocket handshake marks like any other', async () => {
    const channel = await hipache.deadChannel();
    await serves(refused, (await hipache.backend(response('403 Forbidden'))).url);
    expect((await site.exchange(handshake(host))).status).toBe(403);
    expect(await channel.many(1)).toEqual([`${host};http://127.0.0.1:1/;0;2`]);
  });
});

describe('the only backend of a frontend', () => {
  const troubles: readonly (readonly [string, Script | null, number])[] = [
    ['refuses', null, 502],
    ['answers 502', answering(response('502 Bad')), 502],
    ['is silent', () => {}, 504],
  ];

  it.each(troubles)('that %s is neither marked nor published', async (_what, script, status) => {
    const channel = await hipache.deadChannel();
    site = await hipache.site({ server: { backendTimeout: 300 } });
    await serves(script === null ? refused : (await hipache.backend(script)).url);
    for (let turn = 0; turn < 2; turn++) expect((await site.get(host)).status).toBe(status);
    await site.told();
    expect(await members()).toEqual([]);
    expect(channel.messages).toEqual([]);
  });
});

describe('a dead backend', () => {
  let backends: RawBackend[];

  beforeEach(async () => {
    backends = [await hipache.backend(ok('0')), await hipache.backend(ok('1')), await hipache.backend(ok('2'))];
    await serves(...backends.map((backend) => backend.url));
  });

  it('that a person adds by SADD is left alone from the next request on', async () => {
    expect((await site.bodies(host, 3)).sort()).toEqual(['0', '1', '2']);
    await site.cli('sadd', `dead:${host}`, '0', '2');
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['1']));
  });

  it('revives by SREM on the next request', async () => {
    await site.cli('sadd', `dead:${host}`, '0', '1');
    expect(new Set(await site.bodies(host, 3))).toEqual(new Set(['2']));
    await site.cli('srem', `dead:${host}`, '1');
    expect(new Set(await site.bodies(host, 4))).toEqual(new Set(['1', '2']));
  });

  it('revives by DEL on the next request', async () => {
    await site.cli('sadd', `dead:${host}`, '0', '1');
    await site.cli('del', `dead:${host}`);
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['0', '1', '2']));
  });

  it('that the proxy marked revives by SREM on the next request', async () => {
    const state = sick('502 Bad Gateway');
    const backend = await hipache.backend(state.script);
    const other = hipache.host();
    await site.cli('rpush', `frontend:${other}`, 'an identifier', backend.url, backends[0]?.url as string);
    expect((await site.get(other)).text).toBe('sick');
    await eventually('the mark', async () => (await members(other)).includes('0'));
    expect(await site.bodies(other, 4)).toEqual(['0', '0', '0', '0']);
    state.well = true;
    await site.cli('srem', `dead:${other}`, '0');
    expect(new Set(await site.bodies(other, 4))).toEqual(new Set(['0', 'well']));
  });

  it('revives when the TTL of the set runs out', async () => {
    await site.redis.cli('sadd', `dead:${host}`, '0', '1');
    await site.cli('pexpire', `dead:${host}`, '400');
    expect(new Set(await site.bodies(host, 2))).toEqual(new Set(['2']));
    await eventually('all to be alive', async () => new Set(await site.bodies(host, 3)).size === 3);
    expect(await members()).toEqual([]);
  });

  it('that the proxy marked revives after deadBackendTTL', async () => {
    site = await hipache.site({ server: { deadBackendTTL: 1 } });
    const state = sick('502 Bad Gateway');
    const backend = await hipache.backend(state.script);
    const other = hipache.host();
    await site.cli('rpush', `frontend:${other}`, 'an identifier', backend.url, backends[0]?.url as string);
    const begin = performance.now();
    expect((await site.get(other)).text).toBe('sick');
    state.well = true;
    await eventually('the backend to be asked again', async () => (await site.bodies(other, 2)).includes('well'));
    expect(performance.now() - begin).toBeGreaterThan(950);
  });

  it('may be all of them → 502 `Cannot find a valid backend`, and nobody is asked', async () => {
    site = await hipache.site({ server: { debugHeaders: 'everyone' } });
    await site.cli('sadd', `dead:${host}`, '0', '1', '2');
    const answer = await site.get(host, '/', 'X-Debug: 1');
    expect(answer.status).toBe(502);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('no-backend');
    expect(answer.fields.get('x-debug-error')).toBe('Cannot find a valid backend');
    expect(backends.flatMap((backend) => backend.connections)).toHaveLength(0);
  });

  it.each(['junk', '-1', '', 'NaN', 'undefined', '99', '0x1', '1.5'])('is not what the member `%s` names', async (member) => {
    await site.cli('sadd', `dead:${host}`, member);
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['0', '1', '2']));
  });
});

describe('a mark of the proxy', () => {
  it('stays with its backend when LREM shifts the list', async () => {
    const [second, third] = [await hipache.backend(ok('second')), await hipache.backend(ok('third'))];
    await serves(refused, second.url, third.url);
    await site.get(host);
    await marked('0');
    await site.cli('lrem', `frontend:${host}`, '0', refused);
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['second', 'third']));
  });

  it('stays with its backend when one is put before it', async () => {
    const state = sick('502 Bad Gateway');
    const bad = await hipache.backend(state.script);
    const [second, fresh] = [await hipache.backend(ok('second')), await hipache.backend(ok('fresh'))];
    await serves(bad.url, second.url);
    expect((await site.get(host)).text).toBe('sick');
    await marked('0');
    await site.cli('linsert', `frontend:${host}`, 'before', bad.url, fresh.url);
    expect(new Set(await site.bodies(host, 6))).toEqual(new Set(['fresh', 'second']));
    expect(bad.requests).toHaveLength(1);
  });

  it('ends after its own time, though a later mark arms the TTL of the set again', async () => {
    site = await hipache.site({ server: { deadBackendTTL: 2 } });
    const [early, late] = [sick('502 Bad Gateway'), sick('502 Bad Gateway')];
    late.well = true;
    const backends = [
      await hipache.backend(early.script),
      await hipache.backend(late.script),
      await hipache.backend(ok('third')),
    ];
    await serves(...backends.map((backend) => backend.url));
    await site.get(host);
    await marked('0');
    early.well = true;
    const key = `dead:${host}`;
    await eventually('the mark to be nearly over', async () => (await site.redis.client.pttl(key)) < 500);
    late.well = false;
    await eventually('the second mark', async () => {
      await site.get(host);
      return (await members()).includes('1');
    });
    const asked = (backends[0] as RawBackend).requests.length;
    await eventually('the first backend to be asked again', async () => {
      await site.get(host);
      return (backends[0] as RawBackend).requests.length > asked;
    });
    expect(await site.redis.client.pttl(key)).toBeGreaterThan(0);
    expect((backends[1] as RawBackend).requests.filter((request) => request.target === '/').length).toBeGreaterThan(0);
    const second = (backends[1] as RawBackend).requests.length;
    await site.bodies(host, 4);
    expect((backends[1] as RawBackend).requests).toHaveLength(second);
  });

  it('of a host of a wildcard is named by the requested host and holds for all hosts of the wildcard', async () => {
    const channel = await hipache.deadChannel();
    const bad = await hipache.backend(response('502 Bad Gateway'));
    const good = await hipache.backend(ok('good'));
    await site.cli('rpush', `frontend:*.${host}`, 'wild', bad.url, good.url);
    expect((await site.get(`a.${host}`)).status).toBe(502);
    expect(await channel.many(1)).toEqual([`a.${host};${bad.url}/;0;2`]);
    expect(await members(`a.${host}`)).toEqual(['0']);
    expect(await members(`*.${host}`)).toEqual(['0']);
    for (const sub of ['b', 'c', 'a.b.c'])
      expect(await site.bodies(`${sub}.${host}`, 4)).toEqual(['good', 'good', 'good', 'good']);
    expect(bad.requests).toHaveLength(1);
    expect(channel.messages).toHaveLength(1);
    expect(Number(await site.redis.cli('ttl', `dead:*.${host}`))).toBeGreaterThan(25);
  });

  it('of a host of a wildcard that another program wrote holds for that host alone', async () => {
    const [zero, one] = [await hipache.backend(ok('0')), await hipache.backend(ok('1'))];
    await site.cli('rpush', `frontend:*.${host}`, 'wild', zero.url, one.url);
    await site.cli('sadd', `dead:a.${host}`, '0');
    expect(new Set(await site.bodies(`a.${host}`, 4))).toEqual(new Set(['1']));
    expect(new Set(await site.bodies(`b.${host}`, 4))).toEqual(new Set(['0', '1']));
  });

  it('is in force in every other proxy on its next request', async () => {
    const other = await hipache.site({ server: { deadBackendTTL: 29 } });
    const bad = await hipache.backend(response('502 Bad Gateway'));
    await serves(bad.url, (await hipache.backend(ok('good'))).url);
    expect((await site.get(host)).status).toBe(502);
    await marked('0');
    await other.told();
    expect(await other.bodies(host, 4)).toEqual(['good', 'good', 'good', 'good']);
    expect(bad.requests).toHaveLength(1);
  });

  it('is logged with the host, the id and the reason', async () => {
    await serves(refused, (await hipache.backend(response('502 Bad Gateway'))).url);
    await site.exchange(head('GET', '/', host));
    const of = (text: string) => site.logged.filter(({ level, msg }) => level === 'warn' && msg === `${host}: ${text}`);
    expect(of('backend #0 is dead (ECONNREFUSED)')).toHaveLength(1);
    expect(of('backend #1 is dead (HTTP error code 502)')).toHaveLength(1);
  });
});
