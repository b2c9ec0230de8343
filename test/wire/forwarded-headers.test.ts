// What a backend is told about its client is this proxy's word: believed from trusted proxies, replaced from everybody else.
import { describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok, type RawBackend } from '../helpers/backend.js';
import { useProxy, type Wire } from './use-proxy.js';

const names = [
  'x-forwarded-for',
  'x-real-ip',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-port',
  'x-forwarded-host',
  'forwarded',
] as const;

/** What the backend was told, one value each (null: nothing); fails where a line is doubled. */
function told(backend: RawBackend): Record<string, string | null> {
  const { fields } = backend.requests.at(-1) as RawBackend['only'];
  return Object.fromEntries(
    names.map((name) => {
      expect(fields.all(name).length).toBeLessThanOrEqual(1);
      return [name, fields.get(name)];
    }),
  );
}

/** Sends a request with some lines and gives what the backend was told. */
async function send(
  wire: Wire,
  ...lines: readonly string[]
): Promise<{ told: Record<string, string | null>; backend: RawBackend; host: string }> {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  await world.get(host, '/', ...lines);
  return { told: told(backend), backend, host };
}

const forged = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-For: 7.7.7.7',
  'X-Real-IP: 6.6.6.6',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Protocol: https',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Host: evil.example.com',
  'Forwarded: for=6.6.6.6;host=evil.example.com;proto=https',
];

describe('a client that nobody trusts', () => {
  const wire = useProxy();

  it('has all of its lines replaced', async () => {
    const { told, host } = await send(wire, ...forged);
    expect(told).toEqual({
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-protocol': 'http',
      'x-forwarded-port': String(wire.world.proxy.port),
      'x-forwarded-host': host,
      forwarded: null,
    });
  });

  it('cannot slip lines in under other spellings', async () => {
    const { backend, told } = await send(
      wire,
      'x-FORWARDED-for: 6.6.6.6',
      'X_Forwarded_For: 6.6.6.6',
      'X-Forwarded_For: 6.6.6.6',
      'X_Real_IP: 6.6.6.6',
      'x_request_id: evil',
      'X_Forwarded_Host: evil.example.com',
      'Content_Length: 5',
      'Transfer_Encoding: chunked',
    );
    expect(told['x-forwarded-for']).toBe('127.0.0.1');
    expect(backend.only.head).not.toMatch(/evil|6\.6\.6\.6|_/);
  });

  it('cannot have lines removed by naming them in Connection', async () => {
    const named = [...names, 'host', 'x-request-id', 'authorization', 'cookie'].join(', ');
    const { backend, told, host } = await send(
      wire,
      `Connection: keep-alive, ${named}`,
      'Authorization: Bearer x',
      'Cookie: a=b',
    );
    expect(told['x-forwarded-for']).toBe('127.0.0.1');
    expect(told['x-forwarded-host']).toBe(host);
    expect(told['x-real-ip']).toBe('127.0.0.1');
    for (const name of ['host', 'x-request-id', 'authorization', 'cookie']) expect(backend.only.fields.all(name).length).toBe(1);
  });

  it('cannot choose the id of its request', async () => {
    const { backend } = await send(wire, 'X-Request-Id: mine');
    expect(backend.only.fields.all('x-request-id')).toEqual([
      expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    ]);
  });

  it('is told about anew with each request of its connection, whatever the host', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const hosts = [await world.frontend(backend), await world.frontend(backend)];
    const client = await world.client();
    const seen: unknown[] = [];
    const ids = new Set<string | null>();
    for (const authority of [hosts[0], hosts[1], `${hosts[0]}:8080`, hosts[0], `${hosts[1]?.toUpperCase()}`]) {
      client.send(head('GET', '/', authority as string));
      await client.response();
      const { fields } = backend.requests.at(-1) as RawBackend['only'];
      expect(fields.get('x-forwarded-host')).toBe(authority);
      expect(fields.get('host')).toBe(authority);
      ids.add(fields.get('x-request-id'));
      seen.push(authority);
    }
    expect(ids.size).toBe(seen.length);
    expect(backend.connections.length).toBe(1);
  });

  it('gets what it asks for in absolute form told as host, without a second Host line', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    await world.exchange(`GET http://${host}/x HTTP/1.0\r\n\r\n`);
    expect(backend.only.fields.all('host')).toEqual([host]);
    expect(backend.only.fields.get('x-forwarded-host')).toBe(host);
    expect(backend.only.target).toBe('/x');
  });
});

describe('a trusted proxy', () => {
  const wire = useProxy({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });

  it('has its lines kept and its address added to the chain', async () => {
    const { told } = await send(wire, ...forged.filter((line) => !line.includes('7.7.7.7')), 'X-Request-Id: theirs-1');
    expect(told).toEqual({
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-real-ip': '6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-forwarded-protocol': 'https',
      'x-forwarded-port': '443',
      'x-forwarded-host': 'evil.example.com',
      forwarded: 'for=6.6.6.6;host=evil.example.com;proto=https',
    });
  });

  it('has several lines of the chain joined in their order, and is asked for no further than the first that is not trusted', async () => {
    const { told } = await send(wire, 'X-Forwarded-For: 1.1.1.1, 203.0.113.5', 'X-Forwarded-For: 10.0.0.1');
    expect(told['x-forwarded-for']).toBe('1.1.1.1, 203.0.113.5, 10.0.0.1, 127.0.0.1');
    // The first from the right that is not one of ours; what stands before it anybody may have written.
    expect(told['x-real-ip']).toBe('203.0.113.5');
  });

  it('gets lines made for it where it sends none', async () => {
    const { told, host } = await send(wire);
    expect(told).toEqual({
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-protocol': 'http',
      'x-forwarded-port': String(wire.world.proxy.port),
      'x-forwarded-host': host,
      forwarded: null,
    });
  });

  it('may give the id of the request, if it looks like one', async () => {
    const { backend } = await send(wire, 'X-Request-Id: abc/DEF-1.2:3');
    expect(backend.only.fields.all('x-request-id')).toEqual(['abc/DEF-1.2:3']);
    const other = await send(wire, 'X-Request-Id: a b<script>');
    expect(other.backend.only.fields.all('x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    const long = await send(wire, `X-Request-Id: ${'a'.repeat(200)}`);
    expect(long.backend.only.fields.all('x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });
});

describe('legacyForwardedHeaders', () => {
  const wire = useProxy({ server: { legacyForwardedHeaders: true } });

  it('adds lines as Hipache did, IPv4 in its long form, with the real port', async () => {
    const { told } = await send(wire);
    expect(told).toEqual({
      'x-forwarded-for': '::ffff:127.0.0.1',
      'x-real-ip': '::ffff:127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-protocol': 'http',
      'x-forwarded-port': String(wire.world.proxy.port),
      'x-forwarded-host': null,
      forwarded: null,
    });
  });

  it('leaves lines alone that are there, whoever sent them', async () => {
    const { told } = await send(wire, 'X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https');
    expect(told['x-forwarded-for']).toBe('6.6.6.6');
    expect(told['x-forwarded-proto']).toBe('https');
    expect(told['x-real-ip']).toBe('::ffff:127.0.0.1');
  });

  it('drops aliases with underscores all the same', async () => {
    const { backend } = await send(wire, 'X_Forwarded_For: 6.6.6.6');
    expect(backend.only.head).not.toContain('6.6.6.6');
  });
});
