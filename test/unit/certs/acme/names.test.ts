import { describe, expect, it } from 'vitest';
import { kindsFor } from '../../../../src/certs/acme/challenge-kinds.js';
import { HourlyCap } from '../../../../src/certs/acme/hourly-cap.js';
import { isPublicName, nameOfFrontend } from '../../../../src/certs/acme/public-name.js';

describe('a name', () => {
  it.each(['example.com', 'a.b.example.co.uk', '*.example.com', 'xn--bcher-kva.example.org', 'localhost.de'])(
    'is public: %s',
    (name) => expect(isPublicName(name)).toBe(true),
  );
  it.each([
    ...['localhost', 'printer.local', 'a.test', 'site.example', 'b.internal', 'router.home.arpa', 'x.onion', 'lan'],
    ...['10.0.0.1', '1.2.3', '::1', '', '*', '*.com', 'a..b.com', '-a.example.com', 'a_b.example.com', `${'a'.repeat(64)}.com`],
  ])('is not public: %s', (name) => expect(isPublicName(name)).toBe(false));

  it('of a frontend has neither port nor path', () => {
    expect(
      ['A.example.com', 'a.example.com:8443', 'a.example.com/api/v1', '*.example.com', '*', '*/api'].map(nameOfFrontend),
    ).toEqual([...['a.example.com', 'a.example.com', 'a.example.com', '*.example.com', '', '']]);
  });
});

it('each failure gives another way to prove a name its turn, and wildcards have one way', () => {
  const all = ['http-01', 'tls-alpn-01', 'dns-01'] as const;
  expect([0, 1, 2, 3].map((failures) => kindsFor(all, 'a.example.com', failures)[0])).toEqual([...all, 'http-01']);
  expect(kindsFor(all, '*.example.com', 2)).toEqual(['dns-01']);
  expect(kindsFor(['http-01'], '*.example.com', 0)).toEqual([]);
});

it('so many begin within any hour, and no more', () => {
  const cap = new HourlyCap(2);
  const hour = 3_600_000;
  expect([0, 10, 20, hour - 1].map((now) => cap.takes(now))).toEqual([true, true, false, false]);
  expect(cap.freeAt(20)).toBe(hour);
  expect([hour, hour + 5, hour + 10].map((now) => cap.takes(now))).toEqual([true, false, true]);
});
