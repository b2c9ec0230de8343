// Clients that a policy sends to HTTPS or to another host.
import { expect } from 'vitest';
import { ok } from '../../helpers/backend.js';
import { echo, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head, withBody } from './world.js';

const behindBalancer = { trustedProxies: ['127.0.0.0/8'] };
const httpsElsewhere = { server: { httpsPort: 8443 } };

export const redirectPolicyCases: CaseGroup = {
  title: 'redirects of a policy',
  cases: [
    {
      title: 'autoHttps sends plain requests to the same place over HTTPS with 308, whatever their method (D.2 10)',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { autoHttps: true, responseHeaders: { 'X-Own': '1' } });
        const answer = await world.get(host, '/a//b?c=%0d%0ad&e');
        expect(answer.status).toBe(308);
        expect(answer.fields.get('location')).toBe(`https://${host}/a//b?c=%0d%0ad&e`);
        expect(answer.fields.get('x-own')).toBe('1');
        const post = await world.exchange(withBody('POST', '/form', `${host}:8080`, 'a=b'), 'POST');
        expect([post.status, post.fields.get('location')]).toEqual([308, `https://${host}/form`]);
        expect(backend.requests).toEqual([]);
      },
    },
    {
      title: 'autoHttps names the port of HTTPS where it is not 443 (D.2 10)',
      settings: httpsElsewhere,
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        await world.policy(host, { autoHttps: true });
        expect((await world.get(host, '/x')).fields.get('location')).toBe(`https://${host}:8443/x`);
        const options = await world.exchange(head('OPTIONS', '*', host), 'OPTIONS');
        expect(options.fields.get('location')).toBe(`https://${host}:8443/`);
      },
    },
    {
      title: 'autoHttps leaves proofs for certificate authorities to the backend',
      async run(world) {
        const backend = await world.backend(ok('proof'));
        const host = await world.frontend(backend);
        await world.policy(host, { autoHttps: true, requireHttps: true });
        expect((await world.get(host, '/.well-known/acme-challenge/token')).text).toBe('proof');
      },
    },
    {
      title: 'autoHttps believes a trusted proxy that the client came over HTTPS, and no stranger',
      settings: behindBalancer,
      async run(world) {
        const host = await world.frontend(await world.backend(ok()));
        await world.policy(host, { autoHttps: true });
        expect((await world.get(host, '/', 'X-Forwarded-Proto: https')).status).toBe(200);
        expect((await world.get(host, '/', 'X-Forwarded-Proto: http')).status).toBe(308);
      },
    },
    {
      title: 'autoHttps does not believe a stranger',
      async run(world) {
        const host = await world.frontend(await world.backend(ok()));
        await world.policy(host, { autoHttps: true });
        expect((await world.get(host, '/', 'X-Forwarded-Proto: https')).status).toBe(308);
      },
    },
    {
      title: 'requireHttps refuses plain requests with 403 where there is no HTTPS to send them to (B.6)',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { requireHttps: true });
        const answer = await world.get(host);
        expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual([403, 'https-required']);
        expect(backend.requests).toEqual([]);
      },
    },
    {
      title: 'requireHttps sends plain requests to HTTPS and refuses upgrades with 403 (B.6)',
      settings: httpsElsewhere,
      async run(world) {
        const backend = await world.backend(echo);
        const host = await world.frontend(backend);
        await world.policy(host, { requireHttps: true });
        const answer = await world.get(host, '/x');
        expect([answer.status, answer.fields.get('location')]).toEqual([308, `https://${host}:8443/x`]);
        expect((await world.get(host, '/chat', ...webSocket)).status).toBe(403);
        expect(backend.requests).toEqual([]);
      },
    },
    {
      title: 'redirectTo sends to another host and keeps path and query',
      async run(world) {
        const host = await world.frontend();
        await world.policy(host, { redirectTo: 'apex.example.com' });
        const answer = await world.get(host, '/a?b=c');
        expect([answer.status, answer.fields.get('location')]).toEqual([308, 'http://apex.example.com/a?b=c']);
        for (const status of [301, 302, 307, 308]) {
          await world.policy(host, { redirectTo: { to: 'https://apex.example.com:444/new/', status } });
          const moved = await world.get(host, '/a?b=c');
          expect([moved.status, moved.fields.get('location')]).toEqual([status, 'https://apex.example.com:444/new/a?b=c']);
        }
        await world.policy(host, { redirectTo: { to: 'https://apex.example.com/closed', keepPath: false } });
        expect((await world.get(host, '/a?b=c')).fields.get('location')).toBe('https://apex.example.com/closed');
      },
    },
    {
      title: 'redirectTo never leads round in a circle',
      async run(world) {
        const host = await world.frontend(await world.backend(ok('here')));
        await world.policy(host, { redirectTo: host });
        expect((await world.get(host, '/x')).text).toBe('here');
        await world.policy(host, { redirectTo: `http://${host}/base` });
        expect((await world.get(host, '/x')).fields.get('location')).toBe(`http://${host}/base/x`);
        expect((await world.get(host, '/base/x')).text).toBe('here');
        await world.policy(host, { redirectTo: `https://${host}` });
        expect((await world.get(host, '/x')).fields.get('location')).toBe(`https://${host}/x`);
      },
    },
    {
      title: 'redirects lead to the host that was named and nowhere else, whatever path is asked for',
      async run(world) {
        const host = await world.frontend();
        await world.policy(host, { redirectTo: 'apex.example.com' });
        for (const target of ['//evil.example/x', '/\\evil.example', '/@evil.example', '/x?//evil.example', '/caf\xe9\x85']) {
          const location = (await world.get(host, target)).fields.get('location') ?? '';
          expect(new URL(location).host).toBe('apex.example.com');
          expect(location).toMatch(/^[\x21-\x7e]+$/);
        }
      },
    },
  ],
};
