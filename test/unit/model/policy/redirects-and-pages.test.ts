import { describe, expect, it } from 'vitest';
import { ownPage } from '../../../../src/model/policy/pages.js';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

function parsed(field: string, value: unknown) {
  return parsePolicy([field, typeof value === 'string' ? value : JSON.stringify(value)]);
}

describe('redirects of a policy', () => {
  it.each([
    ['example.com', { scheme: null, authority: 'example.com', base: '', status: 308, keepPath: true }],
    ['https://Example.com:8443/base/', { scheme: 'https', authority: 'example.com:8443', base: '/base', status: 308 }],
    [
      { to: 'http://[::1]:80', status: 301 },
      { scheme: 'http', authority: '[::1]:80', status: 301 },
    ],
    [
      { to: 'https://example.com/page/', keepPath: false },
      { base: '/page/', keepPath: false },
    ],
  ])('understands %j', (value, expected) => {
    expect(parsed('redirectTo', value)).toMatchObject({ policy: { redirectTo: expected }, faults: [] });
  });

  it.each([
    'ftp://example.com',
    'example.com/path',
    'https://user:secret@example.com',
    'https://example.com/?q=1',
    'https://example.com/#f',
    'https://example.com:99999',
    'https://example.com:0',
    'a b',
    'a\r\nSet-Cookie: x=1',
    '//example.com',
    'javascript:alert(1)',
    '',
    { to: 'example.com', status: 300 },
    { to: 'example.com', other: 1 },
    5,
  ])('refuses %j and goes on serving', (value) => {
    const { policy, faults, refusal } = parsed('redirectTo', value);
    expect(faults).toHaveLength(1);
    expect(refusal).toBe('');
    expect(policy.redirectTo).toBeUndefined();
  });

  it('does not serve a frontend whose requireHttps cannot be understood', () => {
    expect(parsed('requireHttps', 'yes')).toMatchObject({ refusal: 'requireHttps is "yes"; allowed: true or false' });
    expect(parsed('autoHttps', 'yes')).toMatchObject({ refusal: '', faults: ['autoHttps is "yes"; allowed: true or false'] });
  });
});

describe('pages of a policy', () => {
  it('finds a page by status, then by class, then the default', () => {
    const { policy, faults } = parsed('errorPages', { 404: 'four', '5xx': 'five', default: 'any' });
    expect(faults).toEqual([]);
    const page = (status: number) => ownPage(policy.errorPages ?? new Map(), status)?.toString();
    expect([404, 502, 403].map(page)).toEqual(['four', 'five', 'any']);
  });

  it('refuses other keys, other values and pages that are too large', () => {
    for (const wrong of [{ 200: 'x' }, { '3xx': 'x' }, { 404: 5 }, ['x'], 'x', { 500: 'x'.repeat(65_537) }])
      expect(parsed('errorPages', wrong).faults.join()).toMatch(/^errorPages is /);
    const five = Object.fromEntries([500, 501, 502, 503, 504].map((status) => [status, 'x'.repeat(65_000)]));
    expect(parsed('errorPages', five).faults.join()).toContain('262144 bytes together');
  });

  it('takes statuses of errors alone as replaceBackendErrors', () => {
    expect(parsed('replaceBackendErrors', [500, '502-504', '4xx'])).toMatchObject({ faults: [] });
    for (const wrong of [[200], ['5x'], '3xx', [{}]]) expect(parsed('replaceBackendErrors', wrong).faults).toHaveLength(1);
  });

  it('closes a frontend with true, a text or an object, and not at all with false', () => {
    expect(parsed('maintenance', true).policy.maintenance).toEqual({ page: null, html: false, retryAfter: 60 });
    expect(parsed('maintenance', 'Back soon').policy.maintenance).toMatchObject({ html: false, retryAfter: 60 });
    expect(parsed('maintenance', { page: '<p>no</p>', retryAfter: '10m' }).policy.maintenance).toMatchObject({
      html: true,
      retryAfter: 600,
    });
    expect(parsed('maintenance', false)).toMatchObject({ policy: { maintenance: null }, faults: [] });
  });

  it('lets nobody in because maintenance was misspelt', () => {
    for (const wrong of [5, null, { pages: 'x' }, { retryAfter: 'soon' }, ['x']])
      expect(parsed('maintenance', wrong).refusal).toMatch(/^maintenance is /);
    expect(parsed('maintenanceAllow', ['10.0.0.0/99'])).toMatchObject({ refusal: '', policy: {} });
  });

  it('reads sizes as maxBody', () => {
    expect(parsed('maxBody', '10M').policy.maxBody).toBe(10_485_760);
    expect(parsed('maxBody', 0).policy.maxBody).toBe(0);
    for (const wrong of [-1, 1.5, 'much', true]) expect(parsed('maxBody', wrong).faults.join()).toContain('maxBody is');
  });
});
