// What a backend is told about the client: X-Forwarded-*, X-Real-IP, X-Request-Id and Host.
import { expect } from 'vitest';
import { ok } from '../../helpers/backend.js';
import { type CaseGroup, head } from './world.js';

const forged = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-For: 7.7.7.7',
  'x-forwarded-proto: https',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Protocol: https',
  'X-Real-IP: 6.6.6.6',
  'X-Request-Id: chosen',
  'Forwarded: for=6.6.6.6',
];

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const forwardedCases: CaseGroup = {
  title: 'forwarded lines',
  cases: [
    {
      title: 'tells a backend address, scheme, port and host of the client',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host);
        const { fields } = backend.only;
        expect(fields.all('x-forwarded-for')).toEqual(['127.0.0.1']);
        expect(fields.all('x-real-ip')).toEqual(['127.0.0.1']);
        expect(fields.all('x-forwarded-proto')).toEqual(['http']);
        expect(fields.all('x-forwarded-protocol')).toEqual(['http']);
        expect(fields.all('x-forwarded-port')).toEqual([String(world.proxy.port)]);
        expect(fields.all('x-forwarded-host')).toEqual([host]);
        expect(fields.get('x-request-id')).toMatch(uuid);
      },
    },
    {
      title: 'replaces forwarded lines of a client that is not trusted',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host, '/', ...forged);
        const { fields } = backend.only;
        expect(fields.all('x-forwarded-for')).toEqual(['127.0.0.1']);
        expect(fields.all('x-real-ip')).toEqual(['127.0.0.1']);
        expect(fields.all('x-forwarded-proto')).toEqual(['http']);
        expect(fields.all('x-forwarded-port')).toEqual([String(world.proxy.port)]);
        expect(fields.all('x-forwarded-host')).toEqual([host]);
        expect(fields.all('x-forwarded-protocol')).toEqual(['http']);
        expect(fields.get('x-request-id')).toMatch(uuid);
        expect(fields.all('forwarded')).toEqual([]);
      },
    },
    {
      title: 'believes a trusted proxy and adds its address',
      settings: { trustedProxies: ['127.0.0.0/8'] },
      async run(world) {
        const backend = await world.backend(ok());
        await world.get(await world.frontend(backend), '/', ...forged);
        const { fields } = backend.only;
        expect(fields.all('x-forwarded-for')).toEqual(['6.6.6.6, 7.7.7.7, 127.0.0.1']);
        expect(fields.all('x-real-ip')).toEqual(['7.7.7.7']);
        expect(fields.all('x-forwarded-proto')).toEqual(['https']);
        expect(fields.all('x-forwarded-port')).toEqual(['443']);
        expect(fields.all('x-forwarded-host')).toEqual(['evil.example']);
        expect(fields.all('x-request-id')).toEqual(['chosen']);
      },
    },
    {
      title: 'adds lines only where they are absent when asked to do as Hipache did',
      settings: { server: { legacyForwardedHeaders: true } },
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host, '/', 'X-Forwarded-For: 6.6.6.6', 'x-forwarded-proto: https');
        const { fields } = backend.only;
        expect(fields.all('x-forwarded-for')).toEqual(['6.6.6.6']);
        expect(fields.all('x-forwarded-proto')).toEqual(['https']);
        expect(fields.all('x-real-ip')).toEqual(['::ffff:127.0.0.1']);
        expect(fields.all('x-forwarded-port')).toEqual([String(world.proxy.port)]);
      },
    },
    {
      title: 'gives every request an id of its own',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 3; turn++) {
          client.send(head('GET', '/', host));
          await client.response();
        }
        expect(new Set(backend.requests.map((request) => request.fields.get('x-request-id'))).size).toBe(3);
      },
    },
    {
      title: 'leaves Host with its port and case as it is',
      async run(world) {
        const backend = await world.backend(ok());
        const sent = `${(await world.frontend(backend)).toUpperCase()}:8080`;
        await world.get(sent);
        expect(backend.only.fields.all('host')).toEqual([sent]);
        expect(backend.only.fields.all('x-forwarded-host')).toEqual([sent]);
      },
    },
  ],
};
