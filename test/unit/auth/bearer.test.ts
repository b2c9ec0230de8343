import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createBearerCheck, parseBearer } from '../../../src/auth/bearer.js';
import type { Check } from '../../../src/auth/verdict.js';
import { parseAuthProvider } from '../../../src/model/auth-provider.js';
import { question } from '../../helpers/auth-question.js';

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

function check(...fields: readonly string[]): Check {
  const parsed = parseAuthProvider({ values: ['type', 'bearer', ...fields], fault: '' });
  if (parsed.kind !== 'settings' || parsed.settings.type !== 'bearer') throw new Error(JSON.stringify(parsed));
  return createBearerCheck(parsed.settings);
}

const showing = (token: string) => question(['Authorization', `Bearer ${token}`]);

describe('D.5 22: Bearer', () => {
  it('passes a token that is listed by its SHA-256, and tells its label', () => {
    const bearer = check(`token:${digest('t0k3n')}`, 'ci', `token:${digest('other').toUpperCase()}`, '', 'userHeader', 'X-User');
    expect(bearer.check(showing('t0k3n'))).toEqual({ kind: 'passed', headers: ['X-User', 'ci'] });
    expect(bearer.check(showing('other'))).toEqual({ kind: 'passed', headers: [] });
  });

  it('refuses any other, and says which it was: none, or a wrong one (RFC 6750 section 3.1)', () => {
    const bearer = check(`token:${digest('t0k3n')}`, 'ci', 'realm', 'x"y');
    expect(bearer.check(question())).toEqual({ kind: 'refused', challenge: 'Bearer realm="x\\"y"' });
    for (const token of ['t0k3', 't0k3n0', digest('t0k3n')])
      expect(bearer.check(showing(token))).toEqual({ kind: 'refused', challenge: 'Bearer realm="x\\"y", error="invalid_token"' });
  });

  it('tells tokens apart whose digests begin alike', () => {
    const near = `${digest('t0k3n').slice(0, 63)}${digest('t0k3n').endsWith('0') ? '1' : '0'}`;
    expect(check(`token:${near}`, 'near').check(showing('t0k3n'))).toMatchObject({ kind: 'refused' });
    expect(check(`token:${near}`, 'near', `token:${digest('t0k3n')}`, 'it').check(showing('t0k3n'))).toMatchObject({
      kind: 'passed',
    });
  });

  it.each(['', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b', 'Bearer a, Bearer b', 'Bearer ü'])(
    'reads no token from "%s"',
    (text) => {
      expect(parseBearer(text)).toBeNull();
    },
  );
});
