// What the management API does, whatever the store: one text, run against Redis and against memory.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
