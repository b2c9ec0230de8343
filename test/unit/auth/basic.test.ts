import { describe, expect, it } from 'vitest';
import { createBasicCheck, parseBasic } from '../../../src/auth/basic.js';
import { PasswordChecks } from '../../../src/auth/password-checks.js';
import { hashPassword, type PasswordHash } from '../../../src/auth/password-hash.js';
import type { BasicSettings } from '../../../src/model/auth-provider.js';
import { parseAuthProvider } from '../../../src/model/auth-provider.js';
import { basicQuestion, question } from '../../helpers/auth-question.js';

const cheap = { ln: 10, r: 8, p: 1 };

function settings(...fields: readonly string[]): BasicSettings {
  const parsed = parseAuthProvider({ values: ['type', 'basic', ...fields], fault: '' });
  if (parsed.kind !== 'settings' || parsed.settings.type !== 'basic') throw new Error(JSON.stringify(parsed));
  return parsed.settings;
}

const alice = await hashPassword('correct horse', cheap);
const check = (...fields: readonly string[]) => createBasicCheck(settings(...fields), new PasswordChecks(1, 1)).check;

describe('D.5 22: Basic', () => {
  it('passes a user with the right password, and nobody else', async () => {
    const basic = check('user:alice', alice);
    expect(await basic.check(basicQuestion('alice', 'correct horse'))).toEqual({ kind: 'passed', headers: [] });
    for (const [user, password] of [
      ['alice', 'wrong'],
      ['alice', ''],
      ['Alice', 'correct horse'],
      ['bob', 'correct horse'],
      ['__proto__', 'x'],
    ] as const)
      expect(await basic.check(basicQuestion(user, password))).toMatchObject({ kind: 'refused' });
  });

  it('asks for credentials with the realm escaped', async () => {
    const basic = check('user:alice', alice, 'realm', 'a "b" \\ c');
    expect(await basic.check(question())).toEqual({
      kind: 'refused',
      challenge: 'Basic realm="a \\"b\\" \\\\ c", charset="UTF-8"',
    });
  });

  it('tells the backend the name where a header is set for it, fit for a header line', async () => {
    const basic = check('user:alice', alice, 'user:jörg 1', alice, 'userHeader', 'X-User');
    expect(await basic.check(basicQuestion('alice', 'correct horse'))).toEqual({ kind: 'passed', headers: ['X-User', 'alice'] });
    expect(await basic.check(basicQuestion('jörg 1', 'correct horse'))).toEqual({
      kind: 'passed',
      headers: ['X-User', 'j%C3%B6rg%201'],
    });
  });

  it('takes a colon in a password, and UTF-8', async () => {
    const basic = check('user:alice', await hashPassword('a:b:ü', cheap));
    expect(await basic.check(basicQuestion('alice', 'a:b:ü'))).toMatchObject({ kind: 'passed' });
  });

  it.each([
    ['another scheme', 'Bearer abc'],
    ['no base64', 'Basic !!!'],
    ['no colon', `Basic ${Buffer.from('alice').toString('base64')}`],
    ['an empty name', `Basic ${Buffer.from(':x').toString('base64')}`],
    ['a control character', `Basic ${Buffer.from('alice:a\r\nX: y').toString('base64')}`],
    ['two credentials', `Basic ${Buffer.from('a:b').toString('base64')}, Basic ${Buffer.from('c:d').toString('base64')}`],
    ['nothing behind the scheme', 'Basic '],
  ])('reads no credentials from %s', (_what, text) => {
    expect(parseBasic(text)).toBeNull();
  });

  it('locks only the user out whose hash is wrong, and names it without the hash', async () => {
    const { check: basic, faults } = createBasicCheck(
      settings('user:alice', alice, 'user:bob', 'plain-secret'),
      new PasswordChecks(1, 1),
    );
    expect(faults).toEqual([expect.stringMatching(/^user:bob is no password hash/)]);
    expect(faults.join()).not.toContain('plain-secret');
    expect(await basic.check(basicQuestion('alice', 'correct horse'))).toMatchObject({ kind: 'passed' });
    expect(await basic.check(basicQuestion('bob', 'plain-secret'))).toMatchObject({ kind: 'refused' });
  });

  it('is busy where too many wait', async () => {
    const basic = createBasicCheck(settings('user:alice', alice), new PasswordChecks(1, 0)).check;
    const first = basic.check(basicQuestion('alice', 'one'));
    expect(basic.check(basicQuestion('alice', 'two'))).toEqual({ kind: 'busy' });
    await first;
  });

  it('does the same work for an unknown name as for a known one, so that the time tells nothing', async () => {
    const hashed: unknown[] = [];
    class Watched extends PasswordChecks {
      override verify(password: string, known: PasswordHash): Promise<boolean> | 'busy' {
        const { salt, hash, ...cost } = known;
        hashed.push({ ...cost, salt: salt.length, hash: hash.length });
        return super.verify(password, known);
      }
    }
    const users = settings('user:alice', await hashPassword('x', { ln: 11, r: 8, p: 2 }));
    const basic = createBasicCheck(users, new Watched(1, 1)).check;
    await basic.check(basicQuestion('alice', 'wrong'));
    await basic.check(basicQuestion('nobody', 'wrong'));
    expect(hashed).toHaveLength(2);
    expect(hashed[1]).toEqual(hashed[0]);
  });
});
