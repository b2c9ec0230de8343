// Paths that a policy changes on the way to a backend.
import { expect } from 'vitest';
import { ok } from '../../helpers/backend.js';
import { echo, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head, withBody } from './world.js';

export const rewritingPolicyCases: CaseGroup = {
  title: 'rewriting by a policy',
  cases: [
    {
      title: 'stripPrefix takes a prefix off and tells the backend, which believes no stranger about it',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { stripPrefix: '/api' });
        for (const target of ['/api/v1?q=/api', '/API', '/other', '/api//evil'])
          await world.get(host, target, 'X-Forwarded-Prefix: /mine');
        expect(backend.requests.map(({ target, fields }) => [target, fields.all('x-forwarded-prefix')])).toEqual([
          ['/v1?q=/api', ['/api']],
          ['/', ['/api']],
          ['/other', []],
          ['/evil', ['/api']],
        ]);
      },
    },
    {
      title: 'stripPrefix takes the prefix of the frontend off, in whatever form it was asked for',
      async run(world) {
        const backend = await world.backend(ok());
        const name = `${await world.frontend(await world.backend(ok()))}/api`;
        await world.proxy.proxy.store.writeFrontend(name, 'id', [backend.url]);
        await world.policy(name, { stripPrefix: true });
        const host = name.slice(0, name.indexOf('/'));
        for (const target of ['/api/v1', '/API', '/%61pi//x', '/x/../api/y?z', '/apis']) await world.get(host, target);
        await world.policy(name, { stripPrefix: true, prefixMatch: 'string' });
        await world.get(host, '/apis?q');
        expect(backend.requests.map(({ target }) => target)).toEqual(['/v1', '/', '/x', '/y?z', '/s?q']);
      },
    },
    {
      title: 'stripPrefix adds to what a trusted proxy took off before',
      settings: { trustedProxies: ['127.0.0.0/8'] },
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { stripPrefix: '/api' });
        await world.get(host, '/api/v1', 'X-Forwarded-Prefix: /outer/');
        expect(backend.only.fields.all('x-forwarded-prefix')).toEqual(['/outer/api']);
      },
    },
    {
      title: "stripPrefix leaves a frontend of a whole host alone when it is to take off the frontend's own prefix",
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { stripPrefix: true });
        await world.get(host, '/api/v1');
        expect(backend.only.target).toBe('/api/v1');
      },
    },
    {
      title: 'rewrites by prefixes and patterns, the first that matches, and forwards everything else verbatim',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, {
          stripPrefix: '/app',
          rewrite: [
            { from: '/old', to: '/new' },
            { from: '^/user/(\\d+)/(.*)$', to: '/u/$2?id=$1' },
          ],
        });
        const targets = ['/old/x?y', '/app/old', '/user/7/a%2Fb?z', '/user/x/y', '/A//b/../c?d'];
        for (const target of targets) await world.get(host, target);
        expect(backend.requests.map(({ target }) => target)).toEqual([
          '/new/x?y',
          '/new',
          '/u/a%2Fb?id=7&z',
          '/user/x/y',
          '/A//b/../c?d',
        ]);
      },
    },
    {
      title: 'rewrites requests with a body, upgrades, and every attempt alike',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(world.refusing[0], backend);
        await world.policy(host, { rewrite: [{ from: '/a', to: '/b' }] });
        for (let round = 0; round < 2; round++) await world.exchange(withBody('POST', '/a/x', host, 'body'), 'POST');
        expect(backend.requests.map(({ target, text }) => [target, text])).toEqual([
          ['/b/x', 'body'],
          ['/b/x', 'body'],
        ]);
        const echoing = await world.backend(echo);
        const upgrades = await world.frontend(echoing);
        await world.policy(upgrades, { rewrite: [{ from: '^/(.*)$', to: '/ws/$1' }] });
        const client = await world.client();
        client.send(head('GET', '/chat', upgrades, ...webSocket));
        expect((await client.head()).startLine).toContain('101');
        expect(echoing.only.target).toBe('/ws/chat');
      },
    },
    {
      title: 'leaves OPTIONS * alone',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { stripPrefix: '/api', rewrite: [{ from: '/', to: '/x' }] });
        await world.exchange(head('OPTIONS', '*', host), 'OPTIONS');
        expect(backend.only.target).toBe('*');
      },
    },
  ],
};
