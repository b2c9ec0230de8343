import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/auth/verdict.js';
import { credentialDigest, isShareable, VerdictCache } from '../../../src/auth/verdict-cache.js';
import { HandClock } from '../../helpers/auth-question.js';

const passed: Verdict = { kind: 'passed', headers: [] };
const refused: Verdict = { kind: 'refused', challenge: 'Basic realm="x"' };
const answered = (...headers: string[]): Verdict => ({
  kind: 'answered',
  answer: { status: 401, contentType: 'text/plain', headers, body: Buffer.alloc(0) },
});

function setUp(entries = 100) {
  const clock = new HandClock();
  return { clock, cache: new VerdictCache(clock, { ttl: 10_000, refusedTtl: 2_000, entries }) };
}

describe('D.5 23: verdicts of a moment ago', () => {
  it('are kept for as long as their kind says, and no longer', () => {
    const { clock, cache } = setUp();
    cache.put('good', passed);
    cache.put('bad', refused);
    clock.forward(1_999);
    expect([cache.get('good'), cache.get('bad')]).toEqual([passed, refused]);
    clock.forward(1);
    expect([cache.get('good'), cache.get('bad')]).toEqual([passed, undefined]);
    clock.forward(7_999);
    expect(cache.get('good')).toBe(passed);
    clock.forward(1);
    expect(cache.get('good')).toBeUndefined();
  });

  it('are not kept beyond their own end', () => {
    const { clock, cache } = setUp();
    cache.put('token', { ...passed, until: clock.wall + 3_000 });
    clock.forward(2_999);
    expect(cache.get('token')).toBeDefined();
    clock.forward(1);
    expect(cache.get('token')).toBeUndefined();
  });

  it('are replaced by a newer one of the other kind', () => {
    const { cache } = setUp();
    cache.put('x', passed);
    cache.put('x', refused);
    expect(cache.get('x')).toBe(refused);
    cache.put('x', passed);
    expect(cache.get('x')).toBe(passed);
    expect(cache.size).toBe(1);
  });

  it('are bounded, and a flood of wrong credentials forgets no right ones', () => {
    const { cache } = setUp(8);
    for (let at = 0; at < 8; at += 1) cache.put(`good ${at}`, passed);
    for (let at = 0; at < 1_000; at += 1) cache.put(`bad ${at}`, refused);
    expect(cache.size).toBe(10);
    expect(cache.get('good 0')).toBe(passed);
    cache.put('good 8', passed);
    expect(cache.get('good 0')).toBeUndefined();
    expect(cache.size).toBe(10);
  });

  it('are not kept at all with a time of 0', () => {
    const cache = new VerdictCache(new HandClock(), { ttl: 0, refusedTtl: 0, entries: 8 });
    cache.put('x', passed);
    cache.put('y', refused);
    expect(cache.size).toBe(0);
  });

  it('are not shared where the answer was made for one client, or there is none', () => {
    expect([passed, refused, answered('WWW-Authenticate', 'x')].map(isShareable)).toEqual([true, true, true]);
    for (const verdict of [answered('Set-Cookie', 'a=1'), answered('location', '/login')])
      expect(isShareable(verdict)).toBe(false);
    expect(isShareable({ kind: 'away', detail: '' })).toBe(false);
    expect(isShareable({ kind: 'busy' })).toBe(false);
    const { cache } = setUp();
    cache.put('x', answered('Set-Cookie', 'a=1'));
    cache.put('y', { kind: 'away', detail: '' });
    expect(cache.size).toBe(0);
  });

  it('are known by a digest that holds nothing of the credential', () => {
    const digest = credentialDigest('Basic c2VjcmV0OnNlY3JldA==');
    expect(digest).toHaveLength(32);
    expect(digest).toBe(credentialDigest('Basic c2VjcmV0OnNlY3JldA=='));
    expect(digest).not.toBe(credentialDigest('Basic c2VjcmV0OnNlY3JldA='));
    const { cache } = setUp();
    cache.put(digest, passed);
    expect(inspect(cache, { depth: 9, showHidden: true })).not.toContain('c2VjcmV0');
  });
});
