// The `healthcheck:` hash: PlanB's three fields, those beyond, and what is wrong with others.
import { describe, expect, it } from 'vitest';
import { parseHealthcheck } from '../../../src/model/healthcheck.js';

const read = (fields: Record<string, string>) => parseHealthcheck({ values: Object.entries(fields).flat(), fault: '' });

describe('a healthcheck record (D.4 requirement 20)', () => {
  it('that is absent asks for nothing', () => {
    expect(parseHealthcheck({ values: [], fault: '' })).toEqual({ check: null, faults: [] });
  });

  it('of the wrong type asks for nothing, and says so', () => {
    expect(parseHealthcheck({ values: [], fault: 'healthcheck:a has the wrong type' })).toEqual({
      check: null,
      faults: ['healthcheck:a has the wrong type'],
    });
  });

  it('as PlanB writes it is an HTTP check with the defaults', () => {
    expect(read({ path: 'health', status: '200', body: 'WORKING' })).toEqual({
      check: {
        type: 'http',
        method: 'GET',
        path: '/health',
        status: [[200, 200]],
        body: 'WORKING',
        host: undefined,
        interval: 10_000,
        timeout: 3_000,
        rise: 2,
        fall: 3,
      },
      faults: [],
    });
  });

  it('without a word about HTTP connects only', () => {
    expect(read({ interval: '5s' }).check).toMatchObject({ type: 'tcp', interval: 5_000 });
    expect(read({ type: 'http', interval: '5s' }).check).toMatchObject({ type: 'http', path: undefined });
    expect(read({ type: 'tcp', path: '/x' }).check).toMatchObject({ type: 'tcp' });
  });

  it('takes every field', () => {
    const fields = { path: '/a?b', method: 'OPTIONS', status: '2xx,301-308', host: 'example.com:8080', interval: '0.5' };
    expect(read({ ...fields, timeout: '200ms', rise: '1', fall: '7' })).toMatchObject({
      check: {
        path: '/a?b',
        method: 'OPTIONS',
        status: [
          [200, 299],
          [301, 308],
        ],
        host: 'example.com:8080',
        interval: 500,
        timeout: 200,
        rise: 1,
        fall: 7,
      },
      faults: [],
    });
  });

  it('takes an empty status and an empty body for any, as PlanB writes them', () => {
    expect(read({ path: '/', status: '', body: '' })).toMatchObject({ check: { status: [], body: '' }, faults: [] });
  });

  it.each([
    ['interval', 'often', 'interval is "often"; allowed: seconds from 0.1 to 86400, or text such as "30s", "500ms", "2m"'],
    ['rise', '0', 'rise is 0; allowed: a whole number from 1 to 100'],
    ['type', 'udp', 'type is "udp"; allowed: "http", "tcp"'],
    ['path', '/a b', 'path is "/a b"; allowed: a path of printable characters without spaces, such as "/health"'],
    ['path', '/a\r\nX: 1', 'path is'],
    ['host', 'a\r\nX: 1', 'host is'],
    ['host', 'a/b', 'host is "a/b"; allowed: a host with or without a port, such as "example.com"'],
    ['status', '99', 'status is "99"; allowed: statuses such as 200, "200-399", "5xx", "200,204", or a list of them'],
    ['status', '300-200', 'status is'],
    ['method', 'POST', 'method is "POST"; allowed: "GET", "HEAD", "OPTIONS"'],
    ['intervall', '5s', 'intervall is not a known field; the nearest known one is interval'],
  ])('with %s %j goes on with the default, and says what is wrong', (name, value, fault) => {
    const { check, faults } = read({ [name]: value });
    expect(check).toMatchObject({ interval: 10_000, rise: 2, fall: 3, method: 'GET' });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
    expect(faults[0]).not.toContain('\n');
  });

  it('cannot look into the body of an answer to HEAD', () => {
    expect(read({ method: 'HEAD', body: 'x' })).toMatchObject({
      check: { method: 'GET' },
      faults: [expect.stringContaining('HEAD')],
    });
  });
});
