import { describe, expect, it, test } from 'vitest';
import { parsePolicy, standardPolicy } from '../../../../src/model/policy/policy.js';
import { createAuthority, selfSigned } from '../../../helpers/certs.js';

const read = (...pairs: readonly string[]) => parsePolicy(pairs);

test('nothing is asked of clients, and nothing said about HTTPS, unless a policy says so', () => {
  expect(standardPolicy).toMatchObject({ clientAuth: 'none', clientCa: undefined, hsts: undefined });
});

describe('clientAuth and clientCa', () => {
  const { cert } = createAuthority('one');
  const { cert: other } = createAuthority('two');

  it('are a word and authorities in PEM', () => {
    const { policy, faults } = read('clientAuth', 'require', 'clientCa', `text before\n${cert}\n${other}`);
    expect(faults).toEqual([]);
    expect(policy).toMatchObject({ clientAuth: 'require', clientCa: { id: expect.stringMatching(/^[0-9a-f]{32}$/) } });
    expect(policy.clientCa?.pem.match(/BEGIN/g)).toHaveLength(2);
  });

  it('have the same id for the same authorities, however they are written', () => {
    const id = (text: string) => read('clientCa', text).policy.clientCa?.id;
    expect(id(cert)).toBe(id(`\n\n${cert}\n`));
    expect(id(cert)).not.toBe(id(other));
  });

  it.each([
    ['clientAuth', 'yes', 'clientAuth is "yes"; allowed: "none", "optional", "require"'],
    ['clientCa', '/etc/ca.pem', 'in PEM form'],
    ['clientCa', selfSigned('x').cert, "one of these is not an authority's"],
    ['clientCa', cert.replace(/\n(.{20})/, '\nAAAA$1'), 'one of these is damaged'],
  ])('keep everybody out where they cannot be understood: %s', (field, value, reason) => {
    expect(read(field, value).refusal).toContain(reason);
  });
});

describe('hsts', () => {
  it.each([
    ['true', 'max-age=31536000'],
    ['false', ''],
    ['0', 'max-age=0'],
    ['600', 'max-age=600'],
    ['365d', 'max-age=31536000'],
    ['{"maxAge": "2h"}', 'max-age=7200'],
    ['{"includeSubDomains": true}', 'max-age=31536000; includeSubDomains'],
    ['{"maxAge": 63072000, "includeSubDomains": true, "preload": true}', 'max-age=63072000; includeSubDomains; preload'],
  ])('%s', (written, value) => {
    expect(read('hsts', written)).toMatchObject({ policy: { hsts: value }, faults: [] });
  });

  it.each(['-1', '"soon"', '{"maxage": 1}', '{"preload": "yes"}', '1.5', '99999999999'])('cannot be %s', (written) => {
    const { faults, refusal } = read('hsts', written);
    expect(faults[0]).toMatch(/^hsts is .*; allowed: true, seconds/);
    expect(refusal).toBe('');
  });
});
