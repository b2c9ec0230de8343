// What the management API does, whatever the store: one text, run against Redis and against memory.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statsVersion } from '../../src/model/node-stats.js';
import { NodeCounts } from '../../src/observe/node-counts.js';
import { RouteCounts } from '../../src/observe/route-counts.js';
import { Tally } from '../../src/observe/tally.js';
import { ToldCounts } from '../../src/observe/told-counts.js';
import { selfSigned } from '../helpers/certs.js';
import { startApi, type TestApi } from '../helpers/management.js';

/** Where the store is, and how it is emptied. */
export interface StorePlace {
  readonly driver: string;
  clear(): Promise<void>;
}

const backends = [
  { id: 'one', hostname: '10.0.0.1', port: 8080 },
  { id: 'two', hostname: '10.0.0.2', port: 8080, weight: 3 },
];

function route(vHost: string, more: object = {}): Record<string, unknown> {
  return { id: 'shop', vHost, strategy: 'ROUND_ROBIN', backends, ...more };
}

/** @param title which store it is */
export function managementContract(title: string, place: () => StorePlace): void {
  describe(title, () => {
    let api: TestApi;

    beforeAll(async () => {
      await place().clear();
      api = await startApi(place().driver);
    });

    afterAll(() => api.close());

    /** Each test has hosts of its own, so that nothing need be cleared in between. */
    let host = '';
    let number = 0;
    beforeEach(() => {
      number += 1;
      host = `host${number}.example.com`;
    });

    const at = (name: string): string => `/routes/${encodeURIComponent(name)}`;
    const make = (body: unknown = route(host)) => api.call('POST', '/routes', body);

    describe('routes (D.6, 24 to 27)', () => {
      it('are made with their defaults', async () => {
        const { status, headers, body } = await make();
        expect(status).toBe(201);
        expect(headers.get('location')).toBe(`/api/v1/routes/${host}`);
        expect(body).toEqual({
          id: 'shop',
          vHost: host,
          strategy: 'ROUND_ROBIN',
          autoHttps: false,
          reqActiveLength: 50,
          reqQueueLength: 100,
          backends: [
            { id: 'one', hostname: '10.0.0.1', port: 8080, isDead: false, failureCount: 0 },
            { id: 'two', hostname: '10.0.0.2', port: 8080, weight: 3, isDead: false, failureCount: 0 },
          ],
        });
        expect((await api.call('GET', at(host))).body).toEqual(body);
      });

      it('get an id where they name none', async () => {
        const { body } = await make({ vHost: host, strategy: 'RANDOM', backends });
        expect(body.id).toMatch(/^[0-9a-f-]{36}$/);
      });

      it('that are there already are refused with 409, and stay', async () => {
        await make();
        const { status, body } = await make(route(host, { id: 'other' }));
        expect(status).toBe(409);
        expect(body).toMatchObject({ code: 'exists', status: 409 });
        expect((await api.call('GET', at(host))).body.id).toBe('shop');
      });

      it('that are not there are 404, with the text of the specification', async () => {
        for (const method of ['GET', 'DELETE']) {
          const { status, headers, body } = await api.call(method, at(host));
          expect([status, body.error]).toEqual([404, 'Route not found']);
          expect(headers.get('content-type')).toContain('application/problem+json');
        }
      });

      it('are removed with 204', async () => {
        await make();
        expect((await api.call('DELETE', at(host))).status).toBe(204);
        expect((await api.call('GET', at(host))).status).toBe(404);
      });

      it.each(['*.', '*.deep.'])('may be wildcards, which stand encoded in the path: %s', async (prefix) => {
        const name = `${prefix}${host}`;
        expect((await make(route(name))).status).toBe(201);
        expect((await api.call('GET', at(name))).body.vHost).toBe(name);
        expect((await api.call('GET', `/routes/${name.replace('*', '%2A')}`)).status).toBe(200);
        expect((await api.call('DELETE', at(name))).status).toBe(204);
      });

      it('may have a path prefix, and their names are brought into one form', async () => {
        const { body } = await make(route(`${host.toUpperCase()}/API/`));
        expect(body.vHost).toBe(`${host}/api`);
        expect((await api.call('GET', at(`${host}/api`))).status).toBe(200);
      });

      it('are listed, as an array', async () => {
        await make();
        const { status, body } = await api.call('GET', `/routes?search=${host}`);
        expect(status).toBe(200);
        expect(body.map((one: { vHost: string }) => one.vHost)).toEqual([host]);
      });

      it('are refused with everything that is wrong with them at once', async () => {
        const wrong = {
          vHost: host,
          strategi: 'RANDOM',
          reqActiveLength: 0,
          timeout: 'soon',
          backends: [{ hostname: 'a b', port: 99_999 }],
        };
        const { status, body } = await make(wrong);
        expect(status).toBe(400);
        expect(body.error).toBe('Validation Error');
        expect(body.errors.map((fault: { pointer: string }) => fault.pointer).sort()).toEqual([
          '/',
          '/backends/0/hostname',
          '/backends/0/port',
          '/reqActiveLength',
          '/strategy',
          '/timeout',
        ]);
        expect(JSON.stringify(body.errors)).toContain('the nearest known one is strategy');
        expect(body.details).toHaveLength(6);
      });

      it.each([
        ['no JSON', '{"vHost":'],
        ['a text', '"text"'],
        ['null', 'null'],
        ['a list', '[]'],
        ['nothing', ''],
        ['no strategy', '{"vHost":"a.example.com"}'],
        ['no host', '{"strategy":"RANDOM"}'],
        ['a host that is none', '{"vHost":"a b","strategy":"RANDOM"}'],
        ['an unknown strategy', '{"vHost":"a.example.com","strategy":"BEST"}'],
        ['a member of all objects', '{"vHost":"a.example.com","strategy":"RANDOM","__proto__":{"id":"x"},"constructor":1}'],
      ])('are refused with 400 when the body is %s', async (_what, text) => {
        const { status, headers } = await api.call('POST', '/routes', text);
        expect(status).toBe(400);
        expect(headers.get('content-type')).toContain('application/problem+json');
      });

      it('are replaced as a whole, and the second time nothing changes', async () => {
        const first = await api.call('PUT', at(host), route(host, { timeout: '30s' }));
        expect([first.status, first.body.timeout]).toEqual([201, '30s']);
        const second = await api.call('PUT', at(host), route(host, { autoHttps: true }));
        expect([second.status, second.body.timeout, second.body.autoHttps]).toEqual([200, undefined, true]);
        const third = await api.call('PUT', at(host), route(host, { autoHttps: true }));
        expect(third.status).toBe(200);
        expect(third.headers.get('x-revision')).toBe(second.headers.get('x-revision'));
        expect(third.headers.get('etag')).toBe(second.headers.get('etag'));
      });

      it('may be sent back as they were read', async () => {
        await make(route(host, { sticky: true, retries: 2, headers: { 'X-A': 'b', 'res:X-C': 'd' } }));
        const read = await api.call('GET', at(host));
        const written = await api.call('PUT', at(host), read.body);
        expect(written.status).toBe(200);
        expect(written.body).toEqual(read.body);
        expect(written.headers.get('etag')).toBe(read.headers.get('etag'));
      });

      it('are changed member by member, and null takes one away', async () => {
        await make(route(host, { timeout: '30s' }));
        const { status, body } = await api.call('PATCH', at(host), { timeout: null, autoHttps: true, reqActiveLength: 7 });
        expect(status).toBe(200);
        expect(body).toMatchObject({ autoHttps: true, reqActiveLength: 7, backends: [{ id: 'one' }, { id: 'two' }] });
        expect(body).not.toHaveProperty('timeout');
      });

      it('that were changed since they were read are not overwritten', async () => {
        await make();
        const { headers } = await api.call('GET', at(host));
        const match = { 'if-match': headers.get('etag') as string };
        expect((await api.call('PATCH', at(host), { reqActiveLength: 7 }, match)).status).toBe(200);
        for (const [method, body] of [
          ['PATCH', { reqActiveLength: 8 }],
          ['PUT', route(host)],
          ['DELETE', undefined],
        ] as const) {
          const lost = await api.call(method, at(host), body, match);
          expect([method, lost.status]).toEqual([method, 412]);
        }
        expect((await api.call('GET', at(host))).body.reqActiveLength).toBe(7);
        expect((await api.call('PUT', at(host), route(host), { 'if-none-match': '*' })).status).toBe(412);
        expect((await api.call('PUT', at(`new-${host}`), route(`new-${host}`), { 'if-none-match': '*' })).status).toBe(201);
      });

      it('are told with what is odd about them', async () => {
        const twice = [
          { hostname: '10.0.0.1', port: 80, id: 'a' },
          { hostname: '10.0.0.1', port: 80, id: 'b' },
        ];
        const { status, body } = await make(route(host, { backends: twice, tier: 'golden', authProvider: 'staff' }));
        expect(status).toBe(201);
        expect(body.warnings).toEqual([
          'the backend http://10.0.0.1:80 is listed more than once',
          'there is no tier golden: the numbers of anonymous are in force',
          'there is no auth provider staff: nobody is let in until there is one',
        ]);
        const wildcard = await make(route(`*.${host}`));
        expect(wildcard.body.warnings).toBeUndefined();
        await make(route(`a.${host}`));
        const shadowed = await api.call('PATCH', at(`*.${host}`), { autoHttps: true });
        expect(shadowed.body.warnings).toEqual([`requests for a.${host} go to frontends of their own, which come first`]);
      });
    });

    describe('pages', () => {
      it('show everything once the last one is read', async () => {
        const names = Array.from({ length: 25 }, (_, n) => `n${n}.pages.test`);
        for (const name of names) await make(route(name));
        const seen = new Set<string>();
        let path = '/routes?search=pages.test&limit=10';
        let pages = 0;
        while (path !== '') {
          const { body, headers } = await api.call('GET', path);
          for (const { vHost } of body) seen.add(vHost);
          path = /<\/api\/v1(.*)>/.exec(headers.get('link') ?? '')?.[1] ?? '';
          pages += 1;
          expect(pages).toBeLessThan(50);
        }
        expect([...seen].sort()).toEqual([...names].sort());
      });

      it.each(['limit=0', 'limit=x', 'limit=10001', 'cursor=%00', 'cursor=abc', 'nothing=1'])(
        'asked for with %s are refused',
        async (query) => {
          expect((await api.call('GET', `/routes?${query}`)).status).toBe(400);
        },
      );
    });

    describe('backends (D.6, 28 to 30)', () => {
      const of = (name: string): string => `${at(name)}/backends`;

      it('are added, with an id where they have none', async () => {
        await make();
        const { status, body } = await api.call('POST', of(host), { hostname: '10.0.0.3', port: 81 });
        expect(status).toBe(201);
        expect(body).toEqual({
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          hostname: '10.0.0.3',
          port: 81,
          isDead: false,
          failureCount: 0,
        });
        expect((await api.call('GET', of(host))).body).toHaveLength(3);
      });

      it('of an unknown route are 404, and an id that is used is 409', async () => {
        expect((await api.call('POST', of(host), { hostname: 'a', port: 1 })).status).toBe(404);
        await make();
        expect((await api.call('POST', of(host), { id: 'one', hostname: 'a', port: 1 })).status).toBe(409);
      });

      it('are removed with 204, and 404 when they are not there', async () => {
        await make();
        expect((await api.call('DELETE', `${of(host)}/one`)).status).toBe(204);
        expect((await api.call('DELETE', `${of(host)}/one`)).status).toBe(404);
        expect((await api.call('GET', of(host))).body).toMatchObject([{ id: 'two' }]);
      });

      it('are taken out for maintenance and given back', async () => {
        await make();
        const out = await api.call('POST', `${of(host)}/one/dead`);
        expect(out.status).toBe(200);
        expect(out.body).toMatchObject({ id: 'one', isDead: true, maintenance: true });
        expect(Date.now() - out.body.deadSince).toBeLessThan(60_000);
        const again = await api.call('POST', `${of(host)}/one/dead`);
        expect(again.headers.get('x-revision')).toBe(out.headers.get('x-revision'));
        expect((await api.call('GET', at(host))).body.backends).toMatchObject([{ isDead: true }, { isDead: false }]);
        expect((await api.call('DELETE', `${of(host)}/one/dead`)).body).toMatchObject({ id: 'one', isDead: false });
        expect((await api.call('POST', `${of(host)}/nobody/dead`)).status).toBe(404);
      });

      it('that were found dead are revived', async () => {
        await make();
        const [record] = await api.store.readFrontends([host]);
        const { parseBackends } = await import('../../src/model/parse-backends.js');
        const backend = parseBackends(record?.list.slice(1) ?? []).backends[1]!;
        await api.store.markDead({ host, frontend: host, backend, size: 2, ttl: 60, write: true });
        expect((await api.call('GET', of(host))).body).toMatchObject([{ isDead: false }, { isDead: true, failureCount: 1 }]);
        expect((await api.call('DELETE', `${of(host)}/two/dead`)).body).toMatchObject({ isDead: false });
      });

      it('that go do not take marks of others with them', async () => {
        await make();
        await api.call('POST', `${of(host)}/two/dead`);
        await api.call('DELETE', `${of(host)}/one`);
        expect((await api.call('GET', of(host))).body).toMatchObject([{ id: 'two', isDead: true }]);
      });

      it('are drained: they get no new clients', async () => {
        await make();
        expect((await api.call('POST', `${of(host)}/one/drain`)).body).toMatchObject({ id: 'one', draining: true });
        expect((await api.call('GET', at(host))).body.weights).toEqual({ one: 0 });
        expect((await api.call('DELETE', `${of(host)}/one/drain`)).body).not.toHaveProperty('draining');
        expect((await api.call('GET', at(host))).body).not.toHaveProperty('weights');
      });
    });

    describe('certificates (D.6, 31)', () => {
      it('are stored without a route, replaced, and never tell their key', async () => {
        const pair = selfSigned(host);
        const first = await api.call('POST', '/certificates', { domain: host, ...pair });
        expect([first.status, first.body.success]).toEqual([201, true]);
        const second = await api.call('POST', '/certificates', { domain: host, ...selfSigned(host) });
        expect(second.status).toBe(200);
        const all = await Promise.all([
          api.call('GET', `/certificates/${host}`),
          api.call('GET', '/certificates'),
          api.call('GET', '/routes'),
        ]);
        for (const { body } of [first, second, ...all]) expect(JSON.stringify(body)).not.toContain('PRIVATE KEY');
        expect(all[0].body).toMatchObject({ domain: host, names: `DNS:${host}`, keyType: 'ec' });
      });

      it('that cannot be used are 400, and nothing of a key is told', async () => {
        const pair = selfSigned(host);
        for (const wrong of [
          { ...pair, key: selfSigned(host).key },
          { ...pair, cert: 'junk' },
          { ...pair, key: '/etc/passwd' },
        ]) {
          const { status, body } = await api.call('POST', '/certificates', { domain: host, ...wrong });
          expect(status).toBe(400);
          expect(JSON.stringify(body)).not.toContain('PRIVATE KEY');
        }
      });

      it('come with a route, whose answers have the certificate and no key', async () => {
        const pair = selfSigned(host);
        const made = await make(route(host, { ssl: pair }));
        expect(made.body.ssl).toEqual({ cert: pair.cert, key: '[redacted]' });
        const again = await api.call('PUT', at(host), made.body);
        expect([again.status, again.headers.get('x-revision')]).toEqual([200, made.headers.get('x-revision')]);
        expect((await api.store.readRecord('tls', host)).values).toContain(pair.key);
      });
    });

    describe('other records', () => {
      const hash = 'a'.repeat(64);
      it.each([
        ['/tiers/gold', { points: 100, duration: 60, cost: { POST: 5 } }, { points: 'many' }, '/points'],
        ['/members/ip:10.0.0.1', { tier: 'gold' }, { tier: 'a b' }, '/tier'],
        [`/members/key:${hash}`, { tier: 'gold' }, {}, '/tier'],
        [
          '/auth-providers/ci',
          { type: 'bearer', realm: 'ci', tokens: { [hash]: 'robot' } },
          { type: 'bearer', tokens: { x: 'y' } },
          '/a',
        ],
        ['/healthchecks/shop.example.com', { path: '/health', interval: 5 }, { interval: 'soon' }, '/interval'],
        ['/streams/db', { mode: 'fifo', targets: ['tcp://10.0.0.1:5432'] }, { mode: 'odd' }, '/mode'],
        ['/block-lists/*', { entries: ['192.0.2.0/24'] }, { entries: ['x'] }, '/entries/0'],
      ])('at %s are written, read, changed and removed', async (path, body, wrong, pointer) => {
        const encoded = path.replace('*', '%2A');
        const name = path.split('/')[2];
        const made = await api.call('PUT', encoded, body);
        expect([made.status, made.body]).toEqual([201, { name, ...body }]);
        const again = await api.call('PUT', encoded, made.body);
        expect([again.status, again.headers.get('x-revision')]).toEqual([200, made.headers.get('x-revision')]);
        expect((await api.call('GET', encoded)).body).toEqual({ name, ...body });
        expect((await api.call('GET', `/${path.split('/')[1]}`)).body).toContainEqual({ name, ...body });
        const refused = await api.call('PUT', encoded, wrong);
        expect(refused.status).toBe(400);
        expect(refused.body.errors[0].pointer).toBe(pointer);
        expect((await api.call('PUT', encoded, body, { 'if-match': '"other"' })).status).toBe(412);
        expect((await api.call('PATCH', encoded, {})).status).toBe(200);
        expect((await api.call('DELETE', encoded)).status).toBe(204);
        expect((await api.call('GET', encoded)).status).toBe(404);
      });

      it('of which there is one are always there', async () => {
        expect((await api.call('GET', '/patterns')).body).toEqual({ patterns: [] });
        const list = { patterns: [{ hostname: 'a.?.com', to: 'frontend:shop.example.com' }] };
        expect((await api.call('PUT', '/patterns', list)).body).toEqual(list);
        expect((await api.call('PUT', '/patterns', { patterns: [{ hostname: 'x' }] })).status).toBe(400);
        expect((await api.call('DELETE', '/patterns')).status).toBe(204);
        expect((await api.call('PUT', '/hosts/premium', { hosts: ['B.example.com', 'a.example.com'] })).body).toEqual({
          hosts: ['a.example.com', 'b.example.com'],
        });
      });

      it('do not tell hashes of passwords, and keep one that is sent back redacted', async () => {
        const provider = { type: 'basic', users: { alice: '$scrypt$ln=14,r=8,p=5$c2FsdA$aGFzaA' } };
        const made = await api.call('PUT', '/auth-providers/staff', provider);
        expect(made.body.users).toEqual({ alice: '[redacted]' });
        const again = await api.call('PUT', '/auth-providers/staff', { ...made.body, realm: 'house' });
        expect(again.status).toBe(200);
        expect((await api.store.readRecord('auth', 'staff')).values).toContain(provider.users.alice);
        expect((await api.call('PUT', '/auth-providers/staff', { type: 'basic', users: { bob: '[redacted]' } })).status).toBe(
          400,
        );
        const history = await api.call('GET', '/history?limit=1000');
        expect(JSON.stringify(history.body)).not.toContain(provider.users.alice);
      });
    });

    describe('the history', () => {
      it('tells who changed what, and the way back', async () => {
        await make();
        await api.call('PATCH', at(host), { autoHttps: true });
        const [last, first] = (await api.call('GET', '/history?limit=2')).body;
        expect(last).toMatchObject({ by: 'local', action: 'patch', target: `route ${host}`, revision: first.revision + 1 });
        expect(last.changes).toEqual([
          {
            kind: 'route',
            name: host,
            before: expect.not.arrayContaining(['autoHttps']),
            after: expect.arrayContaining(['autoHttps', 'true']),
          },
        ]);
        expect(Date.now() - Date.parse(last.at)).toBeLessThan(60_000);
        expect((await api.call('POST', `/history/${last.id}/revert`)).status).toBe(200);
        expect((await api.call('GET', at(host))).body.autoHttps).toBe(false);
        expect((await api.call('POST', `/history/${first.id}/revert`)).status).toBe(200);
        expect((await api.call('GET', at(host))).status).toBe(404);
        expect((await api.call('GET', `/history?limit=1`)).body[0]).toMatchObject({ action: 'revert' });
      });

      it('is not gone back in over what others have changed since', async () => {
        await make();
        await api.call('PATCH', at(host), { reqActiveLength: 7 });
        const [{ id }] = (await api.call('GET', '/history?limit=1')).body;
        await api.call('PATCH', at(host), { reqActiveLength: 8 });
        expect((await api.call('POST', `/history/${id}/revert`)).status).toBe(409);
        expect((await api.call('POST', '/history/1-1/revert')).status).toBe(404);
      });

      it('keeps no private key, and says so where it cannot go back without', async () => {
        const first = selfSigned(host);
        await api.call('PUT', `/certificates/${host}`, first);
        await api.call('PUT', `/certificates/${host}`, selfSigned(host));
        const [{ id }] = (await api.call('GET', '/history?limit=1')).body;
        expect(JSON.stringify((await api.call('GET', '/history?limit=1000')).body)).not.toContain('PRIVATE KEY');
        const { status, body } = await api.call('POST', `/history/${id}/revert`);
        expect([status, body.detail]).toEqual([409, expect.stringContaining('not kept in the history')]);
      });

      it('has maintenance in it', async () => {
        await make();
        await api.call('POST', `${at(host)}/backends/one/dead`);
        const [{ id, maintenance }] = (await api.call('GET', '/history?limit=1')).body;
        expect(maintenance).toMatchObject([{ frontend: host, on: true }]);
        expect((await api.call('POST', `/history/${id}/revert`)).status).toBe(200);
        expect((await api.call('GET', `${at(host)}/backends`)).body[0].isDead).toBe(false);
      });
    });

    describe('a document', () => {
      it('holds everything but private keys, in JSON and in YAML, and changes nothing when it is imported again', async () => {
        await make(route(host, { ssl: selfSigned(host), retries: 2 }));
        await api.call('PUT', '/tiers/silver', { points: 5 });
        for (const format of ['json', 'yaml']) {
          const { body } = await api.call('GET', `/export?format=${format}`);
          const text = format === 'json' ? JSON.stringify(body) : body;
          expect(text).not.toContain('PRIVATE KEY');
          expect(text).toContain(host);
          const imported = await api.call('POST', '/import?prune=true', text, { 'content-type': `application/${format}` });
          expect([imported.status, imported.body]).toEqual([200, { changes: [], warnings: [], revision: expect.any(Number) }]);
        }
      });

      it('is compared before it is imported, and what it lacks is removed only when that is asked for', async () => {
        await make();
        const document = {
          cjsProxy: 1,
          routes: { [`new-${host}`]: { strategy: 'RANDOM', id: 'x', backends: [{ id: 'a', hostname: 'a', port: 1 }] } },
        };
        const dry = await api.call('POST', '/import?dry=true&prune=true', document);
        expect(dry.body.changes).toContainEqual(
          expect.objectContaining({ action: 'create', section: 'routes', name: `new-${host}`, before: null }),
        );
        expect(dry.body.changes).toContainEqual(expect.objectContaining({ action: 'delete', name: host, after: null }));
        expect((await api.call('GET', at(`new-${host}`))).status).toBe(404);
        const done = await api.call('POST', '/import', document);
        expect(done.body.changes.map((one: { action: string }) => one.action)).toEqual(['create']);
        expect((await api.call('GET', at(host))).status).toBe(200);
        expect((await api.call('GET', at(`new-${host}`))).body).not.toHaveProperty('reqActiveLength');
      });

      it('with faults is refused as a whole, with all of them', async () => {
        const document = {
          cjsProxy: 1,
          routes: { 'a b': { strategy: 'RANDOM' }, [host]: { strategy: 'ODD' } },
          tiers: { t: { points: 0 } },
        };
        const { status, body } = await api.call('POST', '/import', document);
        expect(status).toBe(400);
        expect(body.errors.map((fault: { pointer: string }) => fault.pointer).sort()).toEqual([
          '/routes/a b/vHost',
          `/routes/${host}/strategy`,
          '/tiers/t/points',
        ]);
        expect((await api.call('POST', '/import', 'a: &x [1]\nb: [*x, *x]', { 'content-type': 'application/yaml' })).status).toBe(
          400,
        );
      });
    });

    describe('statistics (D.6, 32 and 33)', () => {
      it('are zeros of a route that nobody has asked for, and 404 of none', async () => {
        await make();
        const { status, body } = await api.call('GET', `/stats/${host}`);
        expect([status, body.requestsTotal, body.latencyMs, body.backends]).toEqual([200, 0, { p50: 0, p95: 0, p99: 0 }, {}]);
        const missing = await api.call('GET', '/stats/nobody.example.com');
        expect([missing.status, missing.body.error]).toEqual([404, 'Stats not found']);
        expect((await api.call('GET', '/stats')).body).toMatchObject({ requestsTotal: 0, routes: {} });
      });
    });

    describe('events', () => {
      /** Listens while something is done, until all that is awaited was told; gives the text of the stream. */
      async function told(
        of: string,
        awaited: (text: string) => boolean,
        done: () => Promise<unknown>,
        headers: Readonly<Record<string, string>> = {},
      ): Promise<string> {
        const stop = new AbortController();
        const response = await fetch(`${api.url}/api/v1/events?of=${of}`, { signal: stop.signal, headers });
        expect(response.headers.get('content-type')).toBe('text/event-stream');
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        await done();
        while (!awaited(text)) {
          const { value, done: ended } = await reader.read();
          if (ended) throw new Error(`the stream ended: ${text}`);
          text += value;
        }
        stop.abort();
        return text;
      }

      it('tell every change, and who made it', async () => {
        const text = await told(
          'changed,history',
          (text) => text.includes('event: history') && text.includes(`"name":"by-hand.${host}"`),
          async () => {
            await make();
            await api.store.writeFrontend(`by-hand.${host}`, 'x', []);
          },
        );
        expect(text).toContain(`"target":"route ${host}"`);
      });

      it('begin with what was missed since the last one that was heard', async () => {
        await make();
        const [{ id }] = (await api.call('GET', '/history?limit=1')).body;
        await api.call('DELETE', at(host));
        await make();
        const text = await told(
          'history',
          (text) => text.includes('"target":"route late.example.com"'),
          () => api.call('PUT', at('late.example.com'), { ...route('late.example.com') }),
          { 'last-event-id': id },
        );
        const ids = [...text.matchAll(/^id: (\S+)$/gm)].map(([, told]) => told);
        const history = (await api.call('GET', '/history?limit=3')).body as { id: string }[];
        expect(ids).toEqual(history.map((entry) => entry.id).reverse());
        expect(text).not.toContain('event: reset');
      });

      it('are told as a reset where the last one that was heard is long gone', async () => {
        await told(
          'history',
          (text) => text.includes('event: reset'),
          async () => {},
          { 'last-event-id': '1-1' },
        );
      });

      it('of statistics come each second, with what nodes have published until then', async () => {
        const tally = new Tally();
        tally.frontend(new RouteCounts(), host).requests = 7;
        const counts = new NodeCounts();
        new ToldCounts([counts.merged]).hear(1, tally.collect());
        const now = Date.now();
        const head = { version: statsVersion, boot: 'b', since: now, at: now } as const;
        const text = await told(
          'stats',
          (text) => text.includes(`"${host}":{"requestsTotal":7`),
          () => api.store.writeStats('edge', head, counts.takeChanged()),
        );
        expect(text).toMatch(/^event: stats$/m);
      });
    });

    describe('registrations (B.2)', () => {
      const register = async (body: string, headers: Record<string, string> = {}, method = 'POST') => {
        const response = await fetch(`${api.url}/register`, { method, ...(method === 'GET' ? {} : { body }), headers });
        return { status: response.status, text: await response.text() };
      };

      it('are written as frontends of any host', async () => {
        const { status, text } = await register('{"prefix":"Test/","port":"4321","more":1}');
        expect([status, JSON.parse(text)]).toEqual([
          200,
          { message: 'Registered.', host: 'localhost', port: 4321, prefix: '/test' },
        ]);
        expect((await api.call('GET', at('*/test'))).body).toMatchObject({
          id: '/test',
          extra: { more: 1 },
          backends: [{ hostname: 'localhost', port: 4321 }],
        });
      });

      it('are refused in the order of the protocol, and to whom a proxy passes on', async () => {
        expect(await register('', {}, 'GET')).toEqual({ status: 405, text: '' });
        expect(await register('no json')).toEqual({ status: 400, text: '' });
        expect(await register('{"prefix":""}')).toEqual({ status: 400, text: '' });
        expect((await register('{"prefix":"a","port":1}', { 'x-forwarded-for': '1.2.3.4' })).status).toBe(403);
        expect((await register('{"prefix":"a","port":1}', { origin: 'http://evil.example' })).status).toBe(403);
      });
    });

    describe('calls', () => {
      it('of unknown resources and methods are refused', async () => {
        expect((await api.call('GET', '/nothing')).status).toBe(404);
        const { status, headers } = await api.call('PUT', '/routes', {});
        expect([status, headers.get('allow')]).toEqual([405, 'GET, POST']);
      });

      it('with another type of body are refused with 415', async () => {
        expect((await api.call('POST', '/routes', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(
          415,
        );
      });

      it('with a body that is too large are refused with 413', async () => {
        expect((await api.call('POST', '/routes', `"${'x'.repeat(1_100_000)}"`)).status).toBe(413);
      });
    });
  });
}
