// Requests are followed from program to program by `traceparent` (W3C Trace Context): what comes goes on, and what is missing begins here.
import { afterEach, describe, expect, it } from 'vitest';
import type { TracingConfig } from '../../src/config/config.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import type { Proxy as RunningProxy } from '../../src/proxy/proxy.js';
import { answering, ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { connectClient } from '../helpers/raw-client.js';
import { testConfig } from '../helpers/start-proxy.js';

const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
let proxy: RunningProxy;
let backend: RawBackend;

afterEach(async () => {
  await proxy.close();
  await backend.close();
});

async function serve(newTraces: TracingConfig['newTraces']): Promise<void> {
  backend = await startBackend(answering(ok()));
  proxy = await createProxy({ ...testConfig(), tracing: { newTraces } });
  await proxy.store.writeFrontend('a.example', 'a', [backend.url]);
}

/** The lines of a request's head, as the backend has them, that tell of its trace and its id. */
async function told(...lines: readonly string[]): Promise<{ parents: string[]; states: string[]; id: string }> {
  const client = await connectClient(proxy.addresses[0]?.port ?? 0);
  client.send(['GET / HTTP/1.1', 'Host: a.example', ...lines, '', ''].join('\r\n'));
  await client.response();
  client.close();
  const head = backend.requests.at(-1)?.head.split('\r\n') ?? [];
  const values = (name: string) =>
    head.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
  return { parents: values('traceparent'), states: values('tracestate'), id: values('x-request-id')[0] ?? '' };
}

describe('a trace', () => {
  it('begins with a request that has none: its id is that of the request', async () => {
    await serve('sampled');
    const ids = new Set<string>();
    for (let at = 0; at < 3; at++) {
      const { parents, id } = await told();
      expect(parents).toHaveLength(1);
      expect(parents[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(parents[0]?.slice(3, 35)).toBe(id.replaceAll('-', ''));
      ids.add(id);
    }
    expect(ids.size).toBe(3);
  });

  it('of a client goes on as it is, with its state', async () => {
    await serve('sampled');
    expect(await told(`traceparent: ${valid}`, 'tracestate: a=1,b=2')).toMatchObject({ parents: [valid], states: ['a=1,b=2'] });
    const later = `01${valid.slice(2)}-more`;
    expect((await told(`TraceParent: ${later}`)).parents).toEqual([later]);
  });

  it.each([
    ['of another form', 'traceparent: nonsense'],
    ['with a trace of zeros', `traceparent: 00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['with a span of zeros', `traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
    ['of a version that is none', `traceparent: ff${valid.slice(2)}`],
    ['longer than its version allows', `traceparent: ${valid}-more`],
    ['told twice', `traceparent: ${valid}\r\ntraceparent: ${valid}`],
    ['that is missing though there is a state', 'X-Other: 1'],
  ])('%s is replaced, and its state dropped', async (_, line) => {
    await serve('sampled');
    const { parents, states } = await told(line, 'tracestate: a=1');
    expect(parents).toHaveLength(1);
    expect(parents[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(line).not.toContain(parents[0]);
    expect(states).toEqual([]);
  });

  it('that begins here is one that is not to be recorded, or none at all, where the settings say so', async () => {
    await serve('unsampled');
    expect((await told()).parents[0]).toMatch(/-00$/);
    await proxy.close();
    await backend.close();
    await serve('none');
    expect((await told()).parents).toEqual([]);
    expect((await told(`traceparent: ${valid}`)).parents).toEqual([valid]);
  });
});
