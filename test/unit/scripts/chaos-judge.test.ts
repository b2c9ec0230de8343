import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../scripts/chaos/answer.js';
import { AnswerReader } from '../../../scripts/chaos/answer.js';
import { FaultLog } from '../../../scripts/chaos/fault-log.js';
import type { FaultName } from '../../../scripts/chaos/faults.js';
import { type Asked, judge } from '../../../scripts/chaos/judge.js';

const content = Buffer.from('what was asked for');

function asked(more: Partial<Asked> = {}): Asked {
  const now = performance.now();
  return {
    kind: 'get',
    expected: content,
    cutAt: 0,
    endsByClose: false,
    node: 'n1',
    fresh: false,
    connectedAt: now - 1_000,
    sentAt: now,
    endedAt: now + 10,
    ...more,
  };
}

function answer(more: Partial<Answer> = {}): Answer {
  return { kind: 'whole', status: 200, code: '', body: content, keeps: true, detail: '', ...more };
}

function error(code: string): Answer {
  return answer({ status: 502, code, body: Buffer.from('sorry') });
}

/** What is said while some faults last. */
function verdict(request: Partial<Asked>, given: Answer, ...faults: readonly (readonly [FaultName, string])[]): string {
  const log = new FaultLog();
  for (const [name, place] of faults) log.begin(name, place);
  return judge(asked(request), given, log).kind;
}

const everything: readonly (readonly [FaultName, string])[] = [
  ['backend killed', 'b1'],
  ['backend frozen', 'b2'],
  ['redis killed', 'redis'],
  ['node killed', 'n2'],
];

describe('the judge of the chaos', () => {
  it('calls the answer that was asked for right', () => {
    expect(verdict({}, answer())).toBe('right');
    expect(verdict({ kind: 'cut', cutAt: 4 }, answer({ kind: 'cut', body: content.subarray(0, 3) }))).toBe('right');
    expect(verdict({ kind: 'unknown' }, { ...error('unknown-frontend'), status: 400 })).toBe('right');
  });

  it.each<[string, Partial<Asked>, Answer]>([
    ['a wrong byte', {}, answer({ body: Buffer.from('what was asked fox') })],
    ['a wrong byte in what was cut', {}, answer({ kind: 'cut', body: Buffer.from('whet') })],
    ['a byte too many', {}, answer({ body: Buffer.concat([content, Buffer.from('!')]) })],
    ['bytes behind the answer', {}, answer({ detail: '3 bytes behind the answer' })],
    ['a hang', {}, answer({ kind: 'hung', status: 0 })],
    ['a cut answer that looks whole', {}, answer({ body: content.subarray(0, 5) })],
    ['a cut answer that was asked for and looks whole', { kind: 'cut', cutAt: 5 }, answer({ body: content.subarray(0, 5) })],
    ['a lost backend of an idempotent request', {}, error('backend-closed')],
    ['a refused connection', { kind: 'post' }, error('backend-refused')],
    ['a known host that is called unknown', {}, error('unknown-frontend')],
    ['a known host without its store', {}, error('store-away')],
    ['silence where attempts have a limit', { kind: 'patient' }, error('backend-timeout')],
    ['a connection that its node gave up', {}, answer({ kind: 'closed', status: 0 })],
    ['a node that refuses', {}, answer({ kind: 'refused', status: 0 })],
  ])('calls %s a fault, whatever else happens', (_what, request, given) => {
    expect(verdict(request, given, ...everything)).toBe('fault');
  });

  it.each<[string, Partial<Asked>, Answer, FaultName, string]>([
    ['a body that its backend broke off', {}, answer({ kind: 'cut', body: content.subarray(0, 5) }), 'backend killed', 'b1'],
    ['a silent backend', {}, error('backend-timeout'), 'backend frozen', 'b1'],
    ['a POST whose backend was lost', { kind: 'post' }, error('backend-closed'), 'backend resets', 'b1'],
    ['a request of a worker that was killed', {}, answer({ kind: 'closed', status: 0 }), 'worker killed', 'n1'],
    ['a node that is not there', {}, answer({ kind: 'refused', status: 0 }), 'node killed', 'n1'],
    ['a stranger while Redis is away', { kind: 'unknown' }, error('store-away'), 'redis frozen', 'redis'],
  ])('permits the loss of %s, and only then', (_what, request, given, name, place) => {
    expect(verdict(request, given, [name, place])).toBe('permitted');
    expect(verdict(request, given)).toBe('fault');
  });

  it('permits no loss on a connection that was made after the kill', () => {
    const now = performance.now() + 500;
    const later = { connectedAt: now, sentAt: now, endedAt: now + 1 };
    expect(verdict(later, answer({ kind: 'closed', status: 0 }), ['worker killed', 'n1'])).toBe('fault');
  });
});

describe('the reader of answers', () => {
  const read = (text: string, end?: string): Answer => {
    const reader = new AnswerReader();
    let whole: Answer | null = null;
    for (const byte of Buffer.from(text, 'latin1')) whole ??= reader.take(Buffer.from([byte]));
    return whole ?? reader.end(end ?? '');
  };

  it('knows when an answer is whole, and when it was cut', () => {
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')).toMatchObject({ kind: 'whole', keeps: true });
    expect(read('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab')).toMatchObject({ kind: 'cut' });
    expect(read('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')).toMatchObject({ kind: 'whole' });
    expect(read('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')).toMatchObject({ kind: 'cut' });
    expect(read('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc')).toMatchObject({ kind: 'whole', keeps: false });
    expect(read('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc', 'ECONNRESET')).toMatchObject({ kind: 'cut' });
    expect(read('')).toMatchObject({ kind: 'closed', status: 0 });
    expect(
      read('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nX-Cjs-Proxy-Error: draining\r\nContent-Length: 0\r\n\r\n'),
    ).toMatchObject({
      ...{ kind: 'whole', status: 503, code: 'draining' },
    });
  });
});
