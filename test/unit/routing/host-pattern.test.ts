// Host patterns: Proxima's routes, by the numbers of its contract, and what is refused.
import { describe, expect, it } from 'vitest';
import { parseHostPatterns } from '../../../src/routing/host-pattern.js';
import { PatternList } from '../../../src/routing/pattern-list.js';

function listOf(...entries: readonly object[]): PatternList {
  return new PatternList({ values: entries.map((entry) => JSON.stringify(entry)), fault: '' });
}

/** Port of the backend, or name of the frontend, that a host is given to. */
function served(list: PatternList, host: string, secure = false): number | string | null {
  const target = list.match(host, secure)?.target;
  if (target === undefined) return null;
  return target.kind === 'frontend' ? target.name : (target.route.backends[0]?.port ?? null);
}

function matches(hostname: string, host: string): boolean {
  const list = listOf({ hostname, to: 1 });
  expect(list.faults).toEqual([]);
  return served(list, host) === 1;
}

/** What is said of an entry. */
function faultOf(entry: unknown): string {
  const parsed = parseHostPatterns(typeof entry === 'string' ? entry : JSON.stringify(entry));
  return parsed.kind === 'fault' ? parsed.text : '';
}

function backendOf(to: unknown): string {
  const parsed = parseHostPatterns(JSON.stringify({ hostname: 'a.com', to }));
  if (parsed.kind === 'fault') return parsed.text;
  const target = parsed.patterns[0]?.target;
  return target?.kind === 'backend' ? (target.route.backends[0]?.origin ?? '') : `frontend ${target?.name}`;
}

describe('what an entry leads to', () => {
  it.each([
    [8090, 'http://localhost:8090'],
    [{ port: 8091 }, 'http://localhost:8091'],
    [{ port: 8092, host: '127.0.0.1', secure: true }, 'http://127.0.0.1:8092'],
    [{ port: 8092, host: '::1' }, 'http://[::1]:8092'],
    ['/tmp/upstream1.sock', 'unix:/tmp/upstream1.sock'],
    [{ path: '/tmp/upstream2.sock' }, 'unix:/tmp/upstream2.sock'],
    ['http://10.0.0.1:3000', 'http://10.0.0.1:3000'],
    ['https://app.internal', 'https://app.internal:443'],
    ['10.0.0.1:3000', 'http://10.0.0.1:3000'],
    ['frontend:*.example.com', 'frontend *.example.com'],
  ])('A1-A3: %j is %s', (to, backend) => {
    expect(backendOf(to)).toBe(backend);
  });

  it.each([
    [0, 'port'],
    [65_536, 'port'],
    [1.5, 'port'],
    [{ port: '80' }, 'port'],
    [{ port: 80, path: '/x' }, 'one of "port" and "path"'],
    [{}, 'one of "port" and "path"'],
    [{ port: 80, host: 'localhost' }, 'no IPv4 or IPv6 address'],
    [{ path: 'x.sock' }, 'path of a socket'],
    [{ port: 80, secure: 'yes' }, '"secure"'],
    [{ port: 80, hots: '::1' }, '"hots"'],
    ['', 'no "to"'],
    [null, 'no "to"'],
    ['ftp://x', 'scheme ftp'],
    ['frontend:', 'without the name'],
  ])('A2: %j is refused', (to, reason) => {
    expect(faultOf({ hostname: 'a.com', to })).toContain(reason);
  });

  it('is a route with one backend and nothing else', () => {
    const target = listOf({ hostname: 'a.com', to: 8090 }).match('a.com', false)?.target;
    expect(target?.kind === 'backend' ? target.route : null).toMatchObject({
      frontend: 'pattern:a.com',
      policy: null,
      fault: '',
    });
  });
});

describe('which entry decides', () => {
  it('A4: an entry with "secure" is for clients by TLS, or for all others', () => {
    const list = listOf(
      { hostname: 'a.com', to: 1 },
      { hostname: 'a.com', secure: true, to: 2 },
      { hostname: '*', secure: false, to: 3 },
    );
    expect([served(list, 'a.com', true), served(list, 'a.com'), served(list, 'b.com'), served(list, 'b.com', true)]).toEqual([
      2,
      3,
      3,
      null,
    ]);
    expect(list.asksSecure).toBe(true);
    expect(listOf({ hostname: 'a.com', to: 1 }).asksSecure).toBe(false);
  });

  it('A4: "secure" may stand with the endpoint', () => {
    const list = listOf({ hostname: 'a.com', to: { port: 1, secure: true } });
    expect([served(list, 'a.com', true), served(list, 'a.com')]).toEqual([1, null]);
  });

  it('A5: the last that matches', () => {
    const list = listOf(
      { hostname: '*.com', to: 1 },
      { hostname: 'a.com', to: 2 },
      { hostname: 'a.*', to: 3 },
      { hostname: 'b.com', to: 4 },
    );
    expect(['a.com', 'b.com', 'c.com', 'a.org', 'c.org'].map((host) => served(list, host))).toEqual([3, 4, 1, 3, null]);
    expect(served(listOf({ hostname: 'a.*', to: 1 }, { hostname: 'a.com', to: 2 }), 'a.com')).toBe(2);
    expect(served(listOf({ hostname: 'a.com', to: 1 }, { hostname: 'a.com', to: 2 }), 'a.com')).toBe(2);
  });

  it('A6: a list of names is one pattern each', () => {
    const list = listOf({ hostname: ['e?f.com', 'g.?', 'h.*'], to: 8093 }, { pattern: 'i.com', to: 1 });
    expect(['e1f.com', 'g.com', 'h.a.b', 'e.f.com', 'i.com'].map((host) => served(list, host))).toEqual([
      8093,
      8093,
      8093,
      null,
      1,
    ]);
  });

  it('A13: a catch-all is consulted in its turn', () => {
    expect(served(listOf({ hostname: 'a.com', to: 1 }, { hostname: '*', to: 2 }), 'a.com')).toBe(2);
    expect(served(listOf({ hostname: '*', to: 2 }, { hostname: 'a.com', to: 1 }), 'a.com')).toBe(1);
  });
});

describe('a pattern', () => {
  it.each([
    ['/^re\\d+\\.x$/i', 're12.x', true],
    ['/^RE\\d+\\.X$/', 're12.x', true],
    ['/example/', 'an.example.com', true],
    ['/^(?:www|api)\\.a\\.com$/g', 'api.a.com', true],
    ['/^a/', 'ba.com', false],
  ])('A7: %s is an expression: %s %s', (hostname, host, expected) => {
    expect(matches(hostname, host)).toBe(expected);
    expect(matches(hostname, host)).toBe(expected);
  });

  it.each([
    ['q.?.com', 'q.z.com', true],
    ['q.?.com', 'q..com', true],
    ['q.?.com', 'q.z.y.com', false],
    ['q.?', 'q.a:b', false],
    ['*.b.com', 'x.y.b.com', true],
    ['*.b.com', 'b.com', false],
    ['c*d.com', 'cd.com', true],
    ['c*d.com', 'c.x.d.com', true],
    ['a.com', 'axcom', false],
    ['a+(b).com', 'a+(b).com', true],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'abd', false],
    ['a*a', 'a', false],
  ])('A8: %s matches %s: %s', (hostname, host, expected) => {
    expect(matches(hostname, host)).toBe(expected);
  });

  it.each([
    ['a.com', 'xa.com.evil'],
    ['a.com', 'xa.com'],
    ['a.?.com', 'a.b.com.evil'],
    ['*.b.com', 'a.b.com.evil'],
  ])('A9: %s is anchored and does not match %s', (hostname, host) => {
    expect(matches(hostname, host)).toBe(false);
  });

  it('A10: knows no case and no trailing dot', () => {
    expect(matches('A.Com.', 'a.com')).toBe(true);
    expect(matches('*.EXAMPLE.com', 'a.example.com')).toBe(true);
  });

  it('A11: is for a host without its port; addresses have brackets or none', () => {
    expect(matches('[::1]', '[::1]')).toBe(true);
    expect(matches('::1', '[::1]')).toBe(true);
    expect(matches('2001:db8:*', '[2001:db8::7]')).toBe(true);
    expect(faultOf({ hostname: 'a.com:99', to: 1 })).toContain('write the name alone');
  });

  it('A12: may match a request without a host', () => {
    expect(matches('*', '')).toBe(true);
    expect(matches('?', '')).toBe(true);
    expect(matches('a*', '')).toBe(false);
  });
});

describe('an expression that could take exponential time', () => {
  it.each(['/^(a+)+$/', '/(a|a)*$/', '/^(\\w+\\.?)*x/i', '/([a-z]+)*\\.com/'])('%s is refused', (hostname) => {
    expect(faultOf({ hostname, to: 1 })).toMatch(/exponential time|can match nothing/);
  });

  it.each([
    ['/(?=a)/', 'look-ahead'],
    ['/(a)\\1/', 'reference back'],
    ['/(/', 'without mistakes'],
    ['/a/y', 'flag y'],
    [`/${'a'.repeat(999)}/`, '1000 characters'],
  ])('and %s is, too', (hostname, reason) => {
    expect(faultOf({ hostname, to: 1 })).toContain(reason);
  });
});

describe('a list', () => {
  it('loses its faulty entries, and says which and why', () => {
    const list = new PatternList({
      values: [
        '{',
        '[]',
        '{"to":1}',
        '{"hostname":"a.com","to":1}',
        '{"hostname":"b.com","to":1,"secur":true}',
        '{"hostname":5,"to":1}',
        '{"hostname":[],"to":1}',
      ],
      fault: '',
    });
    expect(served(list, 'a.com')).toBe(1);
    expect(served(list, 'b.com')).toBeNull();
    expect(list.faults).toEqual([
      'patterns: entry 0 is not JSON',
      expect.stringContaining('patterns: entry 1 is not an object'),
      expect.stringContaining('patterns: entry 2 has a hostname that is no text'),
      expect.stringContaining('patterns: entry 4 has the unknown member "secur"'),
      expect.stringContaining('patterns: entry 5 has a hostname that is no text'),
      expect.stringContaining('patterns: entry 6 has to have one of'),
    ]);
  });

  it('of the wrong type has no patterns and one fault', () => {
    const list = new PatternList({ values: [], fault: 'patterns has the wrong type' });
    expect([list.match('a.com', false), list.faults]).toEqual([null, ['patterns has the wrong type']]);
  });

  it('of 10,000 single hosts is not walked', () => {
    const list = listOf(...Array.from({ length: 10_000 }, (_, at) => ({ hostname: `host-${at}.com`, to: (at % 60_000) + 1 })));
    expect(served(list, 'host-77.com')).toBe(78);
    expect(served(list, 'other.com')).toBeNull();
  });
});
