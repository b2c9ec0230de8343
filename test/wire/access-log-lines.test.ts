// One line for every exchange, in the format that was asked for, whatever a client puts into it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { head, pattern, World } from '../contract/engine/world.js';
import { ok, response } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { type ProxyOverrides, startProxy } from '../helpers/start-proxy.js';

const folder = mkdtempSync(join(tmpdir(), 'access-log-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** Runs `use` with a proxy that logs, and gives its lines. */
async function linesOf(
  accessLogFormat: 'hipache' | 'combined' | 'json',
  use: (world: World) => Promise<void>,
  overrides: ProxyOverrides = {},
): Promise<string[]> {
  files++;
  const file = join(folder, `${files}.log`);
  const proxy = await startProxy({ ...overrides, server: { accessLog: file, accessLogFormat, ...overrides.server } });
  const world = new World(proxy, 'wire');
  try {
    await use(world);
    await eventually('all exchanges to end', () => proxy.proxy.activeExchanges === 0);
  } finally {
    await world.close();
    await proxy.close();
  }
  const text = readFileSync(file, 'latin1');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

const number = String.raw`(?:0|[1-9]\d*)(?:\.\d{1,3})?`;
const hipacheLine = new RegExp(
  String.raw`^(\S+) - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "([A-Z-]+) (\S+) HTTP/(1\.[01])" (\d{3}) (\d+) "([^"]*)" "([^"]*)" "([^"]*)" (${number}) (${number})$`,
);
const combinedLine =
  /^(\S+) - - \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000)\] "([A-Z-]+) (\S+) HTTP\/(1\.[01])" (\d{3}) (\d+) "([^"]*)" "([^"]*)"$/;

describe("Hipache's format", () => {
  it('has address, time, request, status, bytes, referer, agent, identifier and two times', async () => {
    let bytes = 0;
    const lines = await linesOf('hipache', async (world) => {
      const host = await world.frontend(await world.backend(ok('hello')));
      const request = head('GET', '/a/b?x=1&y=2', host, 'Referer: http://from.example.com/', 'User-Agent: curl/8');
      const answer = await world.exchange(request);
      bytes = answer.head.length + answer.body.length;
    });
    expect(lines.length).toBe(1);
    const [, address, time, method, target, version, status, size, referer, agent, identifier] =
      hipacheLine.exec(lines[0] as string) ?? [];
    expect({ address, method, target, version, status, size, referer, agent }).toEqual({
      address: '::ffff:127.0.0.1',
      method: 'GET',
      target: '/a/b?x=1&y=2',
      version: '1.1',
      status: '200',
      size: String(bytes),
      referer: 'http://from.example.com/',
      agent: 'curl/8',
    });
    expect(identifier).toMatch(/^id-\d+$/);
    const [day, hour] = (time as string).replace(/\//g, ' ').split(/:(.*)/s);
    expect(Math.abs(Date.parse(`${day} ${(hour as string).replace(' +0000', ' GMT')}`) - Date.now())).toBeLessThan(60_000);
  });

  it('has a line for every kind of exchange but the ping', async () => {
    const lines = await linesOf('hipache', async (world) => {
      const backend = await world.backend(async (request, connection) => {
        await request.whole();
        connection.send(request.target === '/missing' ? response('404 Not Found', 'no') : ok('yes'));
      });
      const host = await world.frontend(backend);
      await world.get('__ping__');
      await world.get(host);
      await world.get(host, '/missing');
      await world.get('nobody.example.com');
      await world.get(await world.frontend(world.refusing[0]));
      await world.exchange('GET / HTTP/1.1\r\nbad header\r\n\r\n');
      await world.exchange(`GET /old HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
      await world.exchange(head('HEAD', '/', host), 'HEAD');
    });
    expect(lines.filter((line) => !hipacheLine.test(line))).toEqual([]);
    expect(lines.map((line) => hipacheLine.exec(line)?.slice(3, 7).join(' '))).toEqual([
      'GET / 1.1 200',
      'GET /missing 1.1 404',
      'GET / 1.1 400',
      'GET / 1.1 502',
      '- - 1.1 400',
      'GET /old 1.0 200',
      'HEAD / 1.1 200',
    ]);
  });

  it('lets no client forge a line, a quote or a control byte', async () => {
    const lines = await linesOf('hipache', async (world) => {
      const host = await world.frontend(await world.backend(ok()));
      const agent = 'User-Agent: x" 200 0 "" "" 0 0\\n\tb\xe9\xff';
      await world.exchange(head('GET', '/"quoted"\\back\xc3\xa9', host, agent, 'Referer: "\x80"'));
    });
    expect(lines.length).toBe(1);
    const match = hipacheLine.exec(lines[0] as string);
    expect(match?.[4]).toBe('/\\x22quoted\\x22\\x5Cback\\xC3\\xA9');
    expect(match?.[8]).toBe('\\x22\\x80\\x22');
    expect(match?.[9]).toBe('x\\x22 200 0 \\x22\\x22 \\x22\\x22 0 0\\x5Cn\\x09b\\xE9\\xFF');
    expect(lines[0]).toMatch(/^[\x20-\x7e]+$/);
  });

  it('escapes an identifier, which is anything that somebody wrote', async () => {
    const lines = await linesOf('hipache', async (world) => {
      const backend = await world.backend(ok());
      await world.proxy.proxy.store.writeFrontend('named.example.com', 'my "app"\n€', [backend.url]);
      await world.get('named.example.com');
    });
    expect(hipacheLine.exec(lines[0] as string)?.[10]).toBe('my \\x22app\\x22\\x0A\\xE2\\x82\\xAC');
  });

  it('counts the bytes of each exchange alone on a connection that is kept', async () => {
    const sizes: number[] = [];
    const lines = await linesOf('hipache', async (world) => {
      const body = pattern(200_000).toString('latin1');
      const host = await world.frontend(
        await world.backend(async (request, connection) => {
          await request.whole();
          if (request.target === '/chunks')
            connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
          else connection.send(ok(request.target === '/large' ? body : 'small'));
        }),
      );
      const client = await world.client();
      for (const target of ['/small', '/large', '/small', '/chunks', '/small']) {
        const before = client.queue.total;
        client.send(head('GET', target, host));
        await client.response();
        sizes.push(client.queue.total - before);
      }
    });
    expect(lines.map((line) => Number(hipacheLine.exec(line)?.[7]))).toEqual(sizes);
  });

  it('has the status of an answer that was cut, and the bytes that had left', async () => {
    const lines = await linesOf('hipache', async (world) => {
      const host = await world.frontend(
        await world.backend((_request, connection) => connection.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')),
      );
      await world.get(host).catch(() => {});
    });
    expect(lines.map((line) => hipacheLine.exec(line)?.[6])).toEqual(['200']);
  });

  it('has 499 for a client that left before an answer', async () => {
    const lines = await linesOf('hipache', async (world) => {
      const backend = await world.backend(() => new Promise<void>(() => {}));
      const client = await world.client();
      client.send(head('GET', '/', await world.frontend(backend)));
      await eventually('the request', () => backend.requests.length === 1);
      client.reset();
    });
    expect(lines.map((line) => hipacheLine.exec(line)?.slice(6, 8))).toEqual([['499', '0']]);
  });

  it('has the address that trusted proxies tell, from the right', async () => {
    const lines = await linesOf(
      'hipache',
      async (world) => {
        const host = await world.frontend(await world.backend(ok()));
        const chains = [
          ['X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3'],
          ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 203.0.113.10, 10.0.0.1'],
          ['X-Forwarded-For: 10.0.0.7, 10.0.0.8'],
          ['X-Forwarded-For: 2001:db8::7'],
          ['X-Forwarded-For: 203.0.113.11, nonsense, 10.0.0.1'],
          ['X-Real-IP: 203.0.113.12'],
          ['X-Real-IP: <script>'],
        ];
        for (const lines of chains) await world.get(host, '/', ...lines);
      },
      { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] },
    );
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      '::ffff:203.0.113.9',
      '::ffff:203.0.113.10',
      '::ffff:10.0.0.7',
      '2001:db8::7',
      '::ffff:10.0.0.1',
      '::ffff:203.0.113.12',
      '::ffff:127.0.0.1',
    ]);
  });

  it('has the address of the connection when nobody is trusted', async () => {
    const lines = await linesOf('hipache', async (world) => {
      await world.get(await world.frontend(await world.backend(ok())), '/', 'X-Forwarded-For: 6.6.6.6', 'X-Real-IP: 6.6.6.6');
    });
    expect(lines[0]?.split(' ')[0]).toBe('::ffff:127.0.0.1');
  });
});

describe('the combined format', () => {
  it('is what log analysers read, with the bytes of the body', async () => {
    let refusal = 0;
    const lines = await linesOf('combined', async (world) => {
      const host = await world.frontend(await world.backend(ok('12345')));
      await world.exchange(head('GET', '/x"y', host, 'User-Agent: agent "7"'));
      refusal = (await world.get('nobody.example.com', '/', 'Referer: http://a/', 'Accept: text/plain')).body.length;
    });
    expect(
      lines.map((line) =>
        combinedLine
          .exec(line)
          ?.slice(1)
          .filter((_, at) => at !== 1),
      ),
    ).toEqual([
      ['127.0.0.1', 'GET', '/x\\x22y', '1.1', '200', '5', '-', 'agent \\x227\\x22'],
      ['127.0.0.1', 'GET', '/', '1.1', '400', String(refusal), 'http://a/', '-'],
    ]);
  });
});

describe('the JSON format', () => {
  it('is one object a line, with everything that is known', async () => {
    let url = '';
    let requestId: string | null = null;
    const lines = await linesOf('json', async (world) => {
      const backend = await world.backend(ok('12345'));
      url = backend.url;
      const host = await world.frontend(world.refusing[0], backend);
      await world.exchange(head('PUT', '/p?q="\\\xe9', host, 'User-Agent: \xff', 'Content-Length: 0'));
      requestId = backend.only.fields.get('x-request-id');
      await world.get('nobody.example.com');
    });
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({
      client: '127.0.0.1',
      scheme: 'http',
      method: 'PUT',
      target: '/p?q="\\\xe9',
      protocol: 'HTTP/1.1',
      status: 200,
      bodyBytes: 5,
      referer: '',
      userAgent: '\xff',
      backend: url,
      requestId,
      outcome: 'forwarded',
      error: null,
    });
    expect(Math.abs(Date.parse(first?.time as string) - Date.now())).toBeLessThan(60_000);
    expect(first?.totalMs).toBeGreaterThanOrEqual(first?.backendMs as number);
    expect(second).toMatchObject({ status: 400, backend: '', backendMs: null, outcome: 'answered', error: 'unknown-frontend' });
    expect(lines.every((line) => /^[\x20-\x7e]+$/.test(line))).toBe(true);
  });
});
