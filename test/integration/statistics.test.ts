// What a worker counts of frontends and backends, as exchanges of each kind pass.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FleetCounts, type FleetStats } from '../../src/observe/fleet-counts.js';
import { NodeCounts } from '../../src/observe/node-counts.js';
import { ToldCounts } from '../../src/observe/told-counts.js';
import { ask } from '../helpers/ask.js';
import { answering, ok, type RawBackend, response, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { startHeldBackend } from '../helpers/held-backend.js';
import { connectClient } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

let started: StartedProxy;
let node: NodeCounts;
let told: ToldCounts;
let fields: Map<string, Buffer>;
const backends: RawBackend[] = [];

beforeEach(async () => {
  started = await startProxy();
  node = new NodeCounts();
  told = new ToldCounts([node.merged]);
  fields = new Map();
});
afterEach(async () => {
  await started.close();
  await Promise.all(backends.splice(0).map((backend) => backend.close()));
});

/** What has been counted, as the fleet would show it. */
function stats(): FleetStats {
  told.hear(1, started.proxy.collectCounts());
  for (const [name, value] of node.takeChanged()) fields.set(name, value);
  const fleet = new FleetCounts();
  fleet.add({ fields, at: Date.now(), alive: true });
  return fleet.all();
}

async function frontend(host: string, ...scripts: readonly string[]): Promise<readonly RawBackend[]> {
  const made = await Promise.all(scripts.map((script) => startBackend(answering(script))));
  backends.push(...made);
  const { store } = started.proxy;
  await store.writeFrontend(
    host,
    host,
    made.map(({ url }, at) => `${url}#id=b${at}`),
  );
  return made;
}

describe('what is counted', () => {
  it('of plain requests: how many, bytes, statuses, latencies, by frontend and by backend', async () => {
    await frontend('a.example', ok('hello'), response('404 Not Found', 'no'));
    await frontend('*.example', ok('other'));
    for (let at = 0; at < 6; at++) await ask(started.port, 'a.example');
    await ask(started.port, 'b.example');
    await ask(started.port, 'c.example');
    const all = stats();
    expect(all).toMatchObject({ requestsTotal: 8, hits: 8, requestsActive: 0, activeLength: 0, errorsTotal: 0 });
    const a = all.routes['a.example'];
    expect(a).toMatchObject({
      requestsTotal: 6,
      codes: { 200: 3, 404: 3 },
      classes: { '2xx': 3, '4xx': 3 },
      requestsPerSec: 0.6,
    });
    expect(a?.backends).toMatchObject({ b0: { hits: 3, codes: { 200: 3 } }, b1: { hits: 3, codes: { 404: 3 } } });
    expect(a?.bytesIn).toBeGreaterThan(6 * 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'.length - 1);
    expect(a?.bytesOut).toBeGreaterThan(3 * 'HTTP/1.1 200 OK\r\n\r\nhello'.length);
    expect(a?.latencyMs.p50).toBeGreaterThan(0);
    expect(a?.backends.b0?.latencyMs.p99).toBeGreaterThan(0);
    expect(all.routes['*.example']?.requestsTotal).toBe(2);
  });

  it('goes on where it was when a frontend is changed', async () => {
    await frontend('a.example', ok('one'));
    await ask(started.port, 'a.example');
    await frontend('a.example', ok('two'), ok('three'));
    await ask(started.port, 'a.example');
    await ask(started.port, 'a.example');
    expect(stats().routes['a.example']).toMatchObject({ requestsTotal: 3, backends: { b0: { hits: 2 }, b1: { hits: 1 } } });
  });

  it('of requests that nobody serves', async () => {
    await ask(started.port, 'nobody.example');
    expect(stats()).toMatchObject({
      requestsTotal: 1,
      hits: 0,
      codes: { 400: 1 },
      errors: { 'unknown-frontend': 1 },
      routes: {},
    });
  });

  it('of attempts that fail, and of those after them', async () => {
    const [gone, there] = await frontend('a.example', ok(), ok('there'));
    await gone?.close();
    expect(there).toBeDefined();
    for (let at = 0; at < 2; at++) expect((await ask(started.port, 'a.example')).body).toBe('there');
    expect(stats().routes['a.example']).toMatchObject({
      requestsTotal: 2,
      hits: 2,
      retriesTotal: 1,
      errorsTotal: 0,
      activeLength: 0,
      backends: { b0: { hits: 1, errors: { 'backend-refused': 1 }, activeLength: 0 }, b1: { hits: 2, errorsTotal: 0 } },
    });
  });

  it('of what the queue and the limits turn away', async () => {
    const held = await startHeldBackend();
    const { store } = started.proxy;
    await store.writeFrontend('q.example', 'q', [held.url]);
    await store.writeRecord('route', 'q.example', ['reqActiveLength', '1', 'reqQueueLength', '1']);
    const first = ask(started.port, 'q.example');
    await held.waiting(1);
    const second = ask(started.port, 'q.example');
    await eventually('one that waits', () => stats().routes['q.example']?.queueLength === 1);
    expect((await ask(started.port, 'q.example')).status).toBe(503);
    held.release();
    await first;
    await held.waiting(1);
    held.release();
    await second;
    await held.close();
    expect(stats().routes['q.example']).toMatchObject({
      ...{ requestsTotal: 3, hits: 2, misses: 1, queuedTotal: 1, queueLength: 0, queueLengthMax: 1 },
      ...{ activeLength: 0, activeLengthMax: 1, requestsActive: 0, codes: { 200: 2, 503: 1 } },
    });

    await frontend('l.example', ok());
    await store.writeRecord('tier', 'small', ['points', '1', 'duration', '3600']);
    await store.writeRecord('route', 'l.example', ['tier', 'small']);
    await ask(started.port, 'l.example');
    expect((await ask(started.port, 'l.example')).status).toBe(429);
    expect(stats().routes['l.example']).toMatchObject({ requestsTotal: 2, hits: 1, limitedTotal: 1 });
    expect(started.proxy.readFigures().counters).toMatchObject({
      'rate_limit_decisions_total\tsmall\tadmitted': 1,
      'rate_limit_decisions_total\tsmall\trefused': 1,
    });
  });

  it('of clients that leave: nothing of theirs runs on', async () => {
    const held = await startHeldBackend();
    await started.proxy.store.writeFrontend('h.example', 'h', [held.url]);
    const client = await connectClient(started.port);
    client.send('GET / HTTP/1.1\r\nHost: h.example\r\n\r\n');
    await held.waiting(1);
    await eventually('one that runs', () => stats().routes['h.example']?.activeLength === 1);
    client.reset();
    await eventually('none that runs', () => stats().routes['h.example']?.requestsActive === 0);
    held.release();
    await held.close();
    const shown = stats().routes['h.example'];
    expect(shown).toMatchObject({ requestsTotal: 1, activeLength: 0 });
    expect(Object.values(shown?.backends ?? {})[0]?.activeLength).toBe(0);
  });
});
