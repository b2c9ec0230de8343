// Spans of OpenTelemetry, made by a real SDK: one for each request, one for each attempt, in the trace of the client.
import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { createProxy } from '../../src/proxy/create-proxy.js';
import type { Proxy as RunningProxy } from '../../src/proxy/proxy.js';
import { answering, ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { connectClient } from '../helpers/raw-client.js';
import { testConfig } from '../helpers/start-proxy.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const exporter = new InMemorySpanExporter();
let proxy: RunningProxy;
const backends: RawBackend[] = [];

afterEach(async () => {
  await proxy.close();
  trace.disable();
  exporter.reset();
  await Promise.all(backends.splice(0).map((backend) => backend.close()));
});

async function serve({ batched = false, sampler = undefined as Sampler | undefined } = {}): Promise<RawBackend> {
  const spanProcessors = [batched ? new BatchSpanProcessor(exporter) : new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors, ...(sampler === undefined ? {} : { sampler }) }));
  const backend = await startBackend(answering(ok()));
  backends.push(backend);
  proxy = await createProxy(testConfig());
  await proxy.store.writeFrontend('a.example', 'a', [`${backend.url}#id=one`]);
  return backend;
}

async function ask(target = '/', ...lines: readonly string[]): Promise<void> {
  const client = await connectClient(proxy.addresses[0]?.port ?? 0);
  client.send([`GET ${target} HTTP/1.1`, 'Host: a.example', ...lines, '', ''].join('\r\n'));
  await client.response();
  client.close();
}

function spans(kind: SpanKind): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => span.kind === kind);
}

/** Those of a request that has been answered. */
async function spansOfOne(): Promise<{ server: ReadableSpan; clients: ReadableSpan[] }> {
  const [server] = await eventually('the span of the request', () =>
    spans(SpanKind.SERVER).length > 0 ? spans(SpanKind.SERVER) : null,
  );
  return { server: server as ReadableSpan, clients: spans(SpanKind.CLIENT) };
}

/** What a backend was told. */
function told(backend: RawBackend, name: string): string[] {
  const lines = backend.requests.at(-1)?.head.split('\r\n') ?? [];
  return lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
}

describe('spans', () => {
  it('belong to the trace of the client; the backend is told of the span of its attempt', async () => {
    const backend = await serve();
    await ask('/a/b?c=d', `traceparent: 00-${traceId}-${parentId}-01`, 'tracestate: vendor=1', 'User-Agent: test');
    const { server, clients } = await spansOfOne();
    expect(server.spanContext().traceId).toBe(traceId);
    expect(server.parentSpanContext?.spanId).toBe(parentId);
    expect(clients).toHaveLength(1);
    const [client] = clients as [ReadableSpan];
    expect(client.parentSpanContext?.spanId).toBe(server.spanContext().spanId);
    expect(told(backend, 'traceparent')).toEqual([`00-${traceId}-${client.spanContext().spanId}-01`]);
    expect(told(backend, 'tracestate')).toEqual(['vendor=1']);
    const expected: Attributes = {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/a/b',
      'url.query': 'c=d',
      'server.address': 'a.example',
      'server.port': 80,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'test',
      'cjs_proxy.frontend': 'a.example',
      'cjs_proxy.request.id': told(backend, 'x-request-id')[0] as string,
    };
    expect(server.attributes).toEqual(expected);
    expect(server.name).toBe('GET');
    expect(server.status.code).toBe(SpanStatusCode.UNSET);
    expect(client.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.full': `${backend.url}/a/b?c=d`,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(backend.url).port),
      'network.protocol.version': '1.1',
      'cjs_proxy.backend': 'one',
    });
  });

  it('begin a trace of their own where the client tells of none, or of nonsense', async () => {
    const backend = await serve();
    await ask('/', 'traceparent: nonsense', 'tracestate: a=1');
    const { server, clients } = await spansOfOne();
    expect(server.parentSpanContext).toBeUndefined();
    expect(told(backend, 'traceparent')).toEqual([`00-${server.spanContext().traceId}-${clients[0]?.spanContext().spanId}-01`]);
    expect(told(backend, 'tracestate')).toEqual([]);
  });

  it('are one for each attempt, with what became of it', async () => {
    await serve();
    const nobody = await freePort();
    const answers = await startBackend(answering(ok()));
    backends.push(answers);
    await proxy.store.writeFrontend('a.example', 'a', [`http://127.0.0.1:${nobody}#id=gone`, `${answers.url}#id=there`]);
    // The strategy may begin with either.
    for (let at = 0; at < 2; at += 1) await ask();
    const clients = await eventually('an attempt that failed', () => {
      const found = spans(SpanKind.CLIENT);
      return found.some(({ status }) => status.code === SpanStatusCode.ERROR) ? found : null;
    });
    const failed = clients.find(({ status }) => status.code === SpanStatusCode.ERROR) as ReadableSpan;
    expect(failed.attributes).toMatchObject({ 'cjs_proxy.backend': 'gone', 'error.type': 'backend-refused' });
    const second = clients.find(({ attributes }) => attributes['http.request.resend_count'] === 1) as ReadableSpan;
    expect(second.attributes).toMatchObject({ 'cjs_proxy.backend': 'there', 'http.response.status_code': 200 });
    expect(second.parentSpanContext?.spanId).toBe(failed.parentSpanContext?.spanId);
    for (const server of spans(SpanKind.SERVER)) expect(server.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('say what is wrong where nothing answers, and hide what signs a URL', async () => {
    await serve();
    await proxy.store.writeFrontend('a.example', 'a', [`http://127.0.0.1:${await freePort()}#id=gone`]);
    await ask('/file?sig=secret&x=1&Signature=secret');
    const { server, clients } = await spansOfOne();
    expect(server.status.code).toBe(SpanStatusCode.ERROR);
    expect(server.attributes).toMatchObject({ 'http.response.status_code': 502, 'error.type': 'backend-refused' });
    for (const span of [server, ...clients]) expect(JSON.stringify(span.attributes)).not.toContain('secret');
    expect(server.attributes['url.query']).toBe('sig=REDACTED&x=1&Signature=REDACTED');
  });

  it('are not made of health checks of balancers, and methods that nobody knows are no names', async () => {
    await serve();
    const client = await connectClient(proxy.addresses[0]?.port ?? 0);
    client.send('GET / HTTP/1.1\r\nHost: __ping__\r\n\r\n');
    await client.response();
    client.send('BREW / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.response();
    client.close();
    const { server } = await spansOfOne();
    expect(spans(SpanKind.SERVER)).toHaveLength(1);
    expect(server.name).toBe('HTTP');
    expect(server.attributes).toMatchObject({ 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' });
  });

  it('are not recorded where the sampler says so, and the backend is told', async () => {
    const backend = await serve({ sampler: new AlwaysOffSampler() });
    await ask('/', `traceparent: 00-${traceId}-${parentId}-01`);
    expect(told(backend, 'traceparent')[0]).toMatch(new RegExp(`^00-${traceId}-(?!${parentId})[0-9a-f]{16}-00$`));
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('that an SDK holds back are handed over when the proxy ends', async () => {
    await serve({ batched: true });
    await ask();
    await proxy.close();
    expect(spans(SpanKind.SERVER)).toHaveLength(1);
  });
});
