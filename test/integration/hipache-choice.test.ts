// Which backend a request goes to, and what happens when that one fails: selection, retries, and what is never done twice.
import { beforeEach, describe, expect, it } from 'vitest';
import { head, withBody } from '../contract/engine/world.js';
import { ok, type RawBackend, type Script } from '../helpers/backend.js';
import { refusing, type Site, useHipache } from '../helpers/hipache.js';
import { inChunks } from '../helpers/http-reader.js';

const hipache = useHipache();
let site: Site;
let host: string;

beforeEach(async () => {
  site = await hipache.site();
  host = hipache.host();
});

const serves = (...entries: readonly string[]) => site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);
const urls = (backends: readonly RawBackend[]) => backends.map((backend) => backend.url);
const backends = (...scripts: readonly (Script | string)[]) => Promise.all(scripts.map((script) => hipache.backend(script)));

/** Reads the request to its end, then resets: a backend that may have acted on it. */
const resetting: Script = async (request, connection) => {
  await request.whole();
  connection.reset();
};

describe('ROUND_ROBIN', () => {
  it('takes the backends in the order of the list, beginning with the first', async () => {
    await serves(...urls(await backends(ok('0'), ok('1'), ok('2'))));
    expect(await site.bodies(host, 7)).toEqual(['0', '1', '2', '0', '1', '2', '0']);
  });

  it('leaves dead ones out and keeps the order of the others', async () => {
    await serves(...urls(await backends(ok('0'), ok('1'), ok('2'), ok('3'))));
    await site.cli('sadd', `dead:${host}`, '1', '2');
    const bodies = await site.bodies(host, 6);
    expect(new Set(bodies)).toEqual(new Set(['0', '3']));
    for (let at = 1; at < bodies.length; at++) expect(bodies[at]).not.toBe(bodies[at - 1]);
  });

  it('counts for each frontend by itself', async () => {
    const other = hipache.host();
    const pair = urls(await backends(ok('0'), ok('1')));
    await serves(...pair);
    await site.cli('rpush', `frontend:${other}`, 'another', ...pair);
    expect(await site.bodies(host, 1)).toEqual(['0']);
    expect(await site.bodies(other, 2)).toEqual(['0', '1']);
    expect(await site.bodies(host, 1)).toEqual(['1']);
  });
});

describe('RANDOM', () => {
  beforeEach(async () => {
    site = await hipache.site({ server: { strategy: 'RANDOM' } });
  });

  /** 900 requests on one connection. */
  async function shares(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const body of await site.bodies(host, 900)) counts[body] = (counts[body] ?? 0) + 1;
    return counts;
  }

  it('gives every backend its share, without affinity of a connection', async () => {
    await serves(...urls(await backends(ok('0'), ok('1'), ok('2'))));
    const counts = await shares();
    expect(Object.keys(counts).sort()).toEqual(['0', '1', '2']);
    // 300 each; seven standard deviations are 99.
    for (const count of Object.values(counts)) expect(Math.abs(count - 300)).toBeLessThan(100);
  });

  it('gives the share of a dead backend to the others, evenly', async () => {
    await serves(...urls(await backends(ok('0'), ok('1'), ok('2'))));
    await site.cli('sadd', `dead:${host}`, '0');
    const counts = await shares();
    expect(Object.keys(counts).sort()).toEqual(['1', '2']);
    for (const count of Object.values(counts)) expect(Math.abs(count - 450)).toBeLessThan(106);
  });

  it('is no turn: the order of picks is not that of the list', async () => {
    await serves(...urls(await backends(ok('0'), ok('1'))));
    const bodies = await site.bodies(host, 100);
    const repeats = bodies.filter((body, at) => at > 0 && body === bodies[at - 1]).length;
    expect(repeats).toBeGreaterThan(10);
    expect(repeats).toBeLessThan(90);
  });
});

describe('retryOnError', () => {
  /** How many of `count` backends a GET reaches that no backend answers. */
  async function connects(count: number, settings: object): Promise<number> {
    site = await hipache.site({ server: settings });
    const all = await backends(...Array.from({ length: count }, () => resetting));
    await serves(...urls(all));
    const answer = await site.get(host);
    expect(answer.status).toBe(502);
    for (const backend of all) expect(backend.connections.length).toBeLessThanOrEqual(1);
    return all.reduce((sum, backend) => sum + backend.connections.length, 0);
  }

  it.each([
    [3, 6, 4],
    [0, 6, 1],
    [1, 6, 2],
    [5, 6, 6],
  ])('%i with %i backends that fail → %i connects, then 502', async (retryOnError, count, expected) => {
    expect(await connects(count, { retryOnError })).toBe(expected);
  });

  it('is 3 unless set → 4 connects', async () => {
    expect(await connects(6, {})).toBe(4);
  });

  it('beyond the number of backends ends when each was tried once', async () => {
    expect(await connects(3, { retryOnError: 100 })).toBe(3);
  });

  it('counts refused connections too: with 6 refused backends 4 are marked, then 502', async () => {
    const channel = await hipache.deadChannel();
    const entries = Array.from({ length: 6 }, (_, at) => `http://127.0.0.${at + 1}:1`);
    await serves(...entries);
    expect((await site.get(host)).status).toBe(502);
    await channel.many(4);
    await site.told();
    expect(channel.messages).toHaveLength(4);
    expect(new Set(channel.messages).size).toBe(4);
  });

  it('of a frontend with one backend is of no use: one connect', async () => {
    expect(await connects(1, {})).toBe(1);
  });
});

describe('a refused backend', () => {
  it('of two costs no request: the other one answers each', async () => {
    const [good] = await backends(ok('good'));
    await serves(refusing[0], (good as RawBackend).url);
    expect(await site.bodies(host, 20)).toEqual(Array.from({ length: 20 }, () => 'good'));
  });

  it('is followed by the others until one takes the request', async () => {
    const [good] = await backends(ok('good'));
    await serves(...refusing.slice(0, 3), (good as RawBackend).url);
    expect((await site.get(host)).text).toBe('good');
  });

  const body = 'name=value&'.repeat(5000);
  const requests: readonly (readonly [string, string])[] = [
    ['POST', withBody('POST', '/', 'HOST', body)],
    ['PATCH', withBody('PATCH', '/', 'HOST', body)],
    ['PUT', withBody('PUT', '/', 'HOST', body)],
    ['POST in chunks', `${head('POST', '/', 'HOST', 'Transfer-Encoding: chunked')}${inChunks(body, 1000).toString('latin1')}`],
  ];

  it.each(requests)('gets nothing of a %s, which reaches the next backend whole', async (_what, request) => {
    const [good] = await backends(ok('good'));
    await serves(...refusing.slice(0, 2), (good as RawBackend).url);
    expect((await site.exchange(request.replace('HOST', host))).text).toBe('good');
    expect((good as RawBackend).only.text).toBe(body);
  });

  it('gets nothing of a POST whose body comes later, and which reaches the next backend whole', async () => {
    const [good] = await backends(ok('good'));
    await serves(refusing[0], (good as RawBackend).url);
    const client = await site.client();
    client.send(head('POST', '/', host, `Content-Length: ${body.length}`));
    client.send(body);
    expect((await client.response()).text).toBe('good');
    expect((good as RawBackend).only.text).toBe(body);
  });
});

describe('a request that a backend may have seen', () => {
  it.each(['POST', 'PATCH', 'LOCK'])('is never sent twice when it is a %s → 502', async (method) => {
    const pair = await backends(resetting, resetting);
    await serves(...urls(pair));
    const answer = await site.exchange(withBody(method, '/', host, 'pay 10'));
    expect(answer.status).toBe(502);
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-closed');
    expect(pair.flatMap((backend) => backend.requests)).toHaveLength(1);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('is sent to another backend when it is a %s', async (method) => {
    const pair = await backends(resetting, ok());
    await serves(...urls(pair));
    const request = method === 'PUT' ? withBody(method, '/', host, 'all of it') : head(method, '/', host);
    expect((await site.exchange(request, method)).status).toBe(200);
    expect(pair.map((backend) => backend.requests.length)).toEqual([1, 1]);
    if (method === 'PUT') expect(pair.map((backend) => backend.only.text)).toEqual(['all of it', 'all of it']);
  });

  it('is not sent again because of a status: 500, 502 and 503 are the answer', async () => {
    for (const status of ['500 A', '502 B', '503 C']) {
      const other = hipache.host();
      const pair = await backends(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`, ok());
      await site.cli('rpush', `frontend:${other}`, 'an identifier', ...urls(pair));
      expect((await site.get(other)).status).toBe(Number(status.slice(0, 3)));
      expect(pair.map((backend) => backend.requests.length)).toEqual([1, 0]);
    }
  });

  it('is not sent again once its answer has begun: the client sees that it is incomplete', async () => {
    const pair = await backends(
      (_request, connection) => connection.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
      ok(),
    );
    await serves(...urls(pair));
    await expect(site.get(host)).rejects.toThrow('the connection ended');
    expect(pair.map((backend) => backend.requests.length)).toEqual([1, 0]);
  });
});
