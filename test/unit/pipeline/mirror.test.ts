import { beforeEach, describe, expect, it } from 'vitest';
import type { AttemptReport, Engine } from '../../../src/engine/engine.js';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { Exchange } from '../../../src/exchange/exchange.js';
import { RequestBody } from '../../../src/exchange/request-body.js';
import { chunked, type RequestHead } from '../../../src/http1/message.js';
import { parseRequestHead } from '../../../src/http1/request-head.js';
import type { Mirroring } from '../../../src/model/policy/mirror.js';
import { parsePolicy } from '../../../src/model/policy/policy.js';
import { createMetrics } from '../../../src/observe/metrics.js';
import { Mirrors } from '../../../src/pipeline/mirror.js';
import { eventually } from '../../helpers/eventually.js';
import { route } from '../health/routes.js';

/** An engine whose attempts end when the test says so. */
class HeldEngine implements Engine {
  readonly sent: { exchange: Exchange; report: AttemptReport; fresh: boolean; cut: boolean }[] = [];

  send(exchange: Exchange, _backend: unknown, fresh: boolean, report: AttemptReport): void {
    const attempt = { exchange, report, fresh, cut: false };
    exchange.upstream = {
      resume() {},
      cut() {
        attempt.cut = true;
        exchange.upstream = null;
      },
    };
    this.sent.push(attempt);
  }

  close(): void {}
}

const limits = { maxHeadBytes: 32_768, maxHeaderCount: 100, maxLineBytes: 16_384 };
const source = { pauseBody() {}, resumeBody() {} };
const client = {
  address: '10.1.1.1',
  trusted: false,
  secure: false,
  localPort: 80,
  ends: {},
  episode: 0,
  http2: false,
  lastAuthority: '',
  shown: { text: '', digest: '' },
  tls: null,
  forwardedStart: '',
};
const downstream = {
  begun: false,
  bytesSent: 0,
  bodyBytesSent: 0,
  interim() {},
  begin: () => true,
  write: () => true,
  end() {},
  switchProtocols() {},
  cut() {},
  released() {},
};

function exchangeOf(text: string, body: 'none' | 'open' = 'none'): Exchange {
  const bytes = Buffer.from(`${text}\r\nHost: example.com\r\n\r\n`, 'latin1');
  const head = parseRequestHead(bytes, 0, bytes.length, limits) as RequestHead;
  const exchange = new Exchange(head, new RequestBody(body === 'none' ? 0 : chunked, source, 1000), client, downstream, 0);
  exchange.route = route(1);
  return exchange;
}

describe('the copies of a worker', () => {
  let engine: HeldEngine;
  let metrics: ReturnType<typeof createMetrics>;
  let mirrors: Mirrors;

  beforeEach(() => {
    engine = new HeldEngine();
    metrics = createMetrics();
    mirrors = new Mirrors({ engine, metrics });
  });

  const mirror = (changes: object = {}): Mirroring => {
    const { policy } = parsePolicy(['mirror', JSON.stringify({ to: 'http://10.0.0.9', ...changes })]);
    if (policy.mirror === undefined) throw new Error('the mirror is wrong');
    return policy.mirror;
  };
  const counts = () => [metrics.mirrored, metrics.mirrorFailures, metrics.mirrorsSkipped];

  it('are counted, and their failures in the metrics alone', () => {
    for (let turn = 0; turn < 3; turn++) mirrors.copy(exchangeOf('GET / HTTP/1.1'), mirror());
    expect(mirrors.active).toBe(3);
    const [first, second] = engine.sent;
    first?.report.ended(first.exchange, mirror().to);
    second?.report.failed(second.exchange, mirror().to, new ProxyError('backend-refused'));
    expect(mirrors.active).toBe(1);
    expect(counts()).toEqual([3, 1, 0]);
  });

  it('beyond the number that may be under way are left out, a frontend for itself', () => {
    for (let turn = 0; turn < 5; turn++) mirrors.copy(exchangeOf('GET / HTTP/1.1'), mirror({ maxActive: 2 }));
    const other = exchangeOf('GET / HTTP/1.1');
    other.route = route(1, { frontend: 'other.example.com' });
    mirrors.copy(other, mirror({ maxActive: 2 }));
    expect(engine.sent).toHaveLength(3);
    expect(counts()).toEqual([3, 0, 3]);
    for (const { exchange, report } of engine.sent) report.ended(exchange, mirror().to);
    mirrors.copy(exchangeOf('GET / HTTP/1.1'), mirror({ maxActive: 2 }));
    expect(mirrors.active).toBe(1);
  });

  it('are made anew once where the mirror had closed the connection', () => {
    mirrors.copy(exchangeOf('GET / HTTP/1.1'), mirror());
    const [first] = engine.sent;
    first?.report.failed(first.exchange, mirror().to, new ProxyError('backend-stale'));
    expect(engine.sent.map(({ fresh }) => fresh)).toEqual([false, true]);
    first?.report.failed(first.exchange, mirror().to, new ProxyError('backend-stale'));
    expect(engine.sent).toHaveLength(2);
    expect(counts()).toEqual([1, 1, 0]);
    expect(mirrors.active).toBe(0);
  });

  it('are given up when their time is over, and all of them when the proxy closes', async () => {
    mirrors.copy(exchangeOf('GET / HTTP/1.1'), mirror({ timeout: '20ms' }));
    mirrors.copy(exchangeOf('GET / HTTP/1.1'), mirror());
    await eventually('the first to be given up', () => mirrors.active === 1);
    expect(engine.sent.map(({ cut }) => cut)).toEqual([true, false]);
    expect(counts()).toEqual([2, 1, 0]);
    mirrors.close();
    expect(mirrors.active).toBe(0);
    expect(engine.sent.map(({ cut }) => cut)).toEqual([true, true]);
  });

  it('hold nothing when a body is too large or is broken off', () => {
    const large = exchangeOf('PUT / HTTP/1.1\r\nTransfer-Encoding: chunked', 'open');
    mirrors.copy(large, mirror({ maxBody: 4 }));
    large.body.push(Buffer.from('12345'));
    expect(mirrors.active).toBe(0);
    const broken = exchangeOf('PUT / HTTP/1.1\r\nTransfer-Encoding: chunked', 'open');
    mirrors.copy(broken, mirror());
    broken.body.push(Buffer.from('123'));
    expect(mirrors.active).toBe(1);
    broken.end('client-gone');
    expect(mirrors.active).toBe(0);
    expect(engine.sent).toHaveLength(0);
    expect(counts()).toEqual([0, 0, 2]);
  });

  it('do not change with what is done to the request after them', () => {
    const exchange = exchangeOf('GET /a HTTP/1.1');
    exchange.changes.target = '/b';
    exchange.changes.set('X-Policy', 'yes');
    mirrors.copy(exchange, mirror());
    exchange.changes.target = '/c';
    const outgoing = engine.sent[0]?.exchange.outgoing;
    expect(outgoing?.target).toBe('/b');
    expect(outgoing?.lines).toBe('X-Policy: yes\r\nX-Mirrored: 1\r\n');
    expect(exchange.changes.lines).toBe('X-Policy: yes\r\n');
  });
});
