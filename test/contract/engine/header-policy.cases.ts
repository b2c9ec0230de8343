// Headers that the policy of a frontend sets, adds and removes, for the backend and for the client.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so variables are written in headers
import { expect } from 'vitest';
import { ok, response } from '../../helpers/backend.js';
import { echo, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head } from './world.js';

export const headerPolicyCases: CaseGroup = {
  title: 'headers of a policy',
  cases: [
    {
      title: "sets a header for the backend in place of the client's, whatever its case (D.2 9)",
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { headers: { 'X-Tenant': 'acme', 'X-Gone': null } });
        await world.get(host, '/', 'x-tenant: mine', 'X-TENANT: too', 'x-gone: 1', 'X-Kept: 2');
        const { fields } = backend.only;
        expect(fields.all('x-tenant')).toEqual(['acme']);
        expect(fields.all('x-gone')).toEqual([]);
        expect(fields.get('x-kept')).toBe('2');
      },
    },
    {
      title: "adds a header beside the client's, and lets later changes win (D.2 9)",
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, {
          headers: [
            { add: 'X-A', value: 'lost' },
            { set: 'X-A', value: 'one' },
            { add: 'X-A', value: 'two' },
            { add: 'X-B', value: 'more' },
            { set: 'X-C', value: 'x' },
            { remove: 'x-c' },
          ],
        });
        await world.get(host, '/', 'X-A: mine', 'X-B: mine', 'X-C: mine');
        expect(backend.only.fields.all('x-a')).toEqual(['one', 'two']);
        expect(backend.only.fields.all('x-b')).toEqual(['mine', 'more']);
        expect(backend.only.fields.all('x-c')).toEqual([]);
      },
    },
    {
      title: 'fills variables in (D.2 9)',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        const names = [
          'client_ip',
          'host',
          'authority',
          'scheme',
          'method',
          'path',
          'query',
          'request_id',
          'frontend',
          'backend',
        ];
        const headers = Object.fromEntries(names.map((name) => [`X-${name.replace('_', '-')}`, `<\${${name}}>`]));
        await world.policy(host, { headers: { ...headers, 'X-Literal': '$${host} $ ${method}${method}' } });
        await world.exchange(head('GET', '/a%20b?c=d&e', `${host}:8080`));
        const { fields } = backend.only;
        const values = Object.fromEntries(names.map((name) => [name, fields.get(`X-${name.replace('_', '-')}`)]));
        expect(values).toEqual({
          client_ip: '<127.0.0.1>',
          host: `<${host}>`,
          authority: `<${host}:8080>`,
          scheme: '<http>',
          method: '<GET>',
          path: '</a%20b>',
          query: '<c=d&e>',
          request_id: expect.stringMatching(/^<[0-9a-f-]{36}>$/),
          frontend: `<${host}>`,
          backend: `<${backend.url}>`,
        });
        expect(fields.get('x-literal')).toBe('${host} $ GETGET');
      },
    },
    {
      title: 'names the backend of the attempt that reaches it',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(world.refusing[0], backend);
        await world.policy(host, { headers: [{ add: 'X-To', value: '${backend}' }] });
        for (let round = 0; round < 2; round++) expect((await world.get(host)).status).toBe(200);
        for (const request of backend.requests) expect(request.fields.all('x-to')).toEqual([backend.url]);
      },
    },
    {
      title: 'sends no header whose value comes out empty, and none of the client either',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { headers: { 'X-Query': '${query}', 'X-Empty': '' } });
        await world.get(host, '/', 'X-Query: mine', 'X-Empty: mine');
        expect(backend.only.fields.names.filter((name) => /^x-(query|empty)$/i.test(name))).toEqual([]);
      },
    },
    {
      title: "puts a forwarded header of the policy in place of the proxy's own (D.2 8)",
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': null } });
        await world.get(host);
        const { fields } = backend.only;
        expect(fields.all('x-forwarded-proto')).toEqual(['https']);
        expect(fields.all('x-forwarded-for')).toEqual([]);
        expect(fields.all('x-real-ip')).toEqual(['127.0.0.1']);
      },
    },
    {
      title: 'sends bytes beyond ASCII of a policy as UTF-8',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { headers: { 'X-Name': 'Zürich €' }, responseHeaders: { 'X-Name': 'Zürich €' } });
        const answer = await world.get(host);
        for (const fields of [backend.only.fields, answer.fields])
          expect(Buffer.from(fields.get('x-name') ?? '', 'latin1').toString('utf8')).toBe('Zürich €');
      },
    },
    {
      title: 'sets, adds and removes headers of an answer (D.2 9)',
      async run(world) {
        const backend = await world.backend(
          response('200 OK', 'body', 'Server: nosy', 'X-Powered-By: it', 'Cache-Control: a', 'Vary: A'),
        );
        const host = await world.frontend(backend);
        await world.policy(host, {
          headers: { 'res:X-Powered-By': null },
          responseHeaders: [
            { remove: 'server' },
            { set: 'cache-control', value: 'no-store' },
            { add: 'Vary', value: 'B' },
            { set: 'X-To', value: '${backend}' },
          ],
        });
        const answer = await world.get(host);
        expect(answer.fields.all('server')).toEqual([]);
        expect(answer.fields.all('x-powered-by')).toEqual([]);
        expect(answer.fields.all('cache-control')).toEqual(['no-store']);
        expect(answer.fields.all('vary')).toEqual(['A', 'B']);
        expect(answer.fields.get('x-to')).toBe(backend.url);
        expect(answer.text).toBe('body');
        expect(backend.only.fields.get('x-powered-by')).toBeNull();
      },
    },
    {
      title: 'sets headers of answers that the proxy makes, once however many attempts there were',
      async run(world) {
        const host = await world.frontend(world.refusing[0], world.refusing[1]);
        await world.policy(host, {
          responseHeaders: { 'Strict-Transport-Security': 'max-age=1', 'X-Who': '${frontend}${backend}' },
        });
        const answer = await world.get(host);
        expect(answer.status).toBe(502);
        expect(answer.fields.all('strict-transport-security')).toEqual(['max-age=1']);
        expect(answer.fields.get('x-who')).toContain(host);
      },
    },
    {
      title: 'sets headers once when the answer of a backend could not be relayed',
      async run(world) {
        const backend = await world.backend('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
        const host = await world.frontend(backend);
        await world.policy(host, { responseHeaders: { 'X-Once': '${request_id}' } });
        const client = await world.client();
        client.send(head('GET', '/', host));
        const answer = await client.head();
        // node:http hands a head over before it has looked at what follows.
        expect(answer.startLine).toContain(world.engine === 'wire' ? '502' : '200');
        expect(answer.fields.all('x-once')).toHaveLength(1);
      },
    },
    {
      title: 'changes the heads of upgrades both ways',
      async run(world) {
        const backend = await world.backend(echo);
        const host = await world.frontend(backend);
        await world.policy(host, { headers: { 'X-In': '${method}' }, responseHeaders: { 'X-Out': 'o' }, hostHeader: 'backend' });
        const client = await world.client();
        client.send(head('GET', '/', host, ...webSocket, 'X-In: mine'));
        const answer = await client.head();
        expect(answer.startLine).toContain('101');
        expect(answer.fields.all('x-out')).toEqual(['o']);
        expect(backend.only.fields.all('x-in')).toEqual(['GET']);
        expect(backend.only.fields.all('host')).toEqual([`127.0.0.1:${backend.port}`]);
      },
    },
    {
      title: 'passes Host on, or the address of the backend, or a host of the policy',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host);
        await world.policy(host, { hostHeader: 'backend' });
        await world.get(host);
        await world.policy(host, { hostHeader: 'app.internal:8080' });
        await world.get(host);
        await world.policy(host, { hostHeader: 'pass' });
        await world.get(host);
        const hosts = backend.requests.map(({ fields }) => fields.all('host'));
        expect(hosts).toEqual([[host], [`127.0.0.1:${backend.port}`], ['app.internal:8080'], [host]]);
        expect(backend.requests.map(({ fields }) => fields.get('x-forwarded-host'))).toEqual([host, host, host, host]);
      },
    },
    {
      title: 'serves with heads unchanged when the field cannot be understood',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { headers: { 'X-A': 'a\r\nX-Evil: 1' }, responseHeaders: { Connection: 'close' } });
        const answer = await world.get(host);
        expect(answer.status).toBe(200);
        expect(backend.only.fields.names.filter((name) => /^x-(a|evil)$/i.test(name))).toEqual([]);
      },
    },
  ],
};
