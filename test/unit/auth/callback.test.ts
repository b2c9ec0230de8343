import { describe, expect, it } from 'vitest';
import { type AuthCallback, type AuthCallbackQuestion, createCallbackCheck } from '../../../src/auth/callback.js';
import type { Verdict } from '../../../src/auth/verdict.js';
import { parseAuthProvider } from '../../../src/model/auth-provider.js';
import { basicQuestion, question } from '../../helpers/auth-question.js';

async function decide(callback: AuthCallback, asked = basicQuestion('alice', 'pw'), ...fields: string[]): Promise<Verdict> {
  const parsed = parseAuthProvider({ values: ['type', 'callback', ...fields], fault: '' });
  if (parsed.kind !== 'settings' || parsed.settings.type !== 'callback') throw new Error(JSON.stringify(parsed));
  return await createCallbackCheck(parsed.settings, callback).check(asked);
}

const answering =
  (answer: unknown): AuthCallback =>
  () =>
    answer as boolean;

describe('D.5 23: a function of the program', () => {
  it('is told who asks for what', async () => {
    let told: AuthCallbackQuestion | undefined;
    const tell: AuthCallback = (asked) => {
      told = asked;
      return true;
    };
    await decide(tell);
    expect(told).toMatchObject({
      username: 'alice',
      password: 'pw',
      token: '',
      method: 'GET',
      host: 'example.com',
      url: '/page?x=1',
    });
    await decide(tell, question(['Authorization', 'Bearer t', 'X-A', '1', 'x-a', '2', '__proto__', 'x']));
    expect(told).toMatchObject({ username: '', password: '', token: 't' });
    expect({ ...told?.headers }).toMatchObject({ authorization: 'Bearer t', 'x-a': '1, 2' });
  });

  it.each([
    ['true', true],
    ['a name', 'alice'],
    ['an object', {}],
    ['a promise', Promise.resolve(true)],
  ])('lets pass with %s', async (_what, answer) => {
    expect(await decide(answering(answer))).toEqual({ kind: 'passed', headers: [] });
  });

  it.each([
    ['false', false],
    ['null', null],
    ['nothing', undefined],
    ['an empty name', ''],
    ['a number', 1],
    ['a user that is no text', { user: 5 }],
    ['a promise of null', Promise.resolve(null)],
  ])('lets nobody pass with %s', async (_what, answer) => {
    expect(await decide(answering(answer))).toEqual({
      kind: 'refused',
      challenge: 'Basic realm="restricted", charset="UTF-8"',
    });
  });

  it('lets nobody pass when it throws or rejects', async () => {
    const thrower: AuthCallback = () => {
      throw new Error('the password is pw');
    };
    for (const callback of [thrower, () => Promise.reject(new Error('no'))])
      expect(await decide(callback, undefined, 'challenge', 'bearer')).toEqual({
        kind: 'refused',
        challenge: 'Bearer realm="restricted"',
      });
  });

  it('lets nobody pass when it does not answer in time', async () => {
    expect(await decide(() => new Promise(() => {}), undefined, 'timeout', '50ms')).toMatchObject({ kind: 'away' });
  });

  it('may name the user and give the headers that the record allows, fit for header lines', async () => {
    const answer = { user: 'ü', headers: { 'x-role': 'a\r\nb', 'X-Evil': '1' } };
    expect(await decide(answering(answer), undefined, 'userHeader', 'X-User', 'copyHeaders', 'X-Role X-Absent')).toEqual({
      kind: 'passed',
      headers: ['X-User', '%C3%BC', 'X-Role', 'a%0D%0Ab'],
    });
  });
});
