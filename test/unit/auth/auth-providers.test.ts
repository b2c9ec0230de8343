import { describe, expect, it } from 'vitest';
import { AuthProviders, type FoundProvider } from '../../../src/auth/auth-providers.js';
import type { AuthCallback } from '../../../src/auth/callback.js';
import { hashPassword } from '../../../src/auth/password-hash.js';
import type { StoredRecord } from '../../../src/model/record-kind.js';
import { basicQuestion, HandClock, question } from '../../helpers/auth-question.js';
import { recordingLogger } from '../../helpers/recording-logger.js';

const cheap = { ln: 10, r: 8, p: 1 };

function setUp() {
  const records = new Map<string, StoredRecord>();
  const callbacks = new Map<string, AuthCallback>();
  const { logger, lines } = recordingLogger();
  const state = { reads: 0, away: false };
  const store = {
    async readRecord(_kind: string, name: string): Promise<StoredRecord> {
      state.reads += 1;
      if (state.away) throw new Error('the store is away');
      return records.get(name) ?? { values: [], fault: '' };
    },
  };
  const providers = new AuthProviders({ store, callbacks, clock: new HandClock(), log: logger, ca: [] });
  const write = (name: string, ...values: string[]): void => {
    records.set(name, { values, fault: '' });
    providers.recordChanged('auth', name);
  };
  return { records, callbacks, lines, state, providers, write };
}

async function provider(found: FoundProvider | Promise<FoundProvider>) {
  const result = await found;
  if (result.kind !== 'provider') throw new Error(`it is ${result.kind}`);
  return result.provider;
}

describe('D.5 23: a provider by name', () => {
  it('is read once, and given without a promise after that, until its record changes', async () => {
    const { providers, write, state } = setUp();
    write('p', 'type', 'basic', 'user:alice', await hashPassword('one', cheap));
    const first = await provider(providers.get('p'));
    expect(await first.decide(basicQuestion('alice', 'one'))).toMatchObject({ kind: 'passed' });
    expect(await provider(providers.get('p'))).toBe(first);
    expect(providers.get('p')).not.toBeInstanceOf(Promise);
    expect(state.reads).toBe(1);

    write('p', 'type', 'basic', 'user:alice', await hashPassword('two', cheap));
    const second = await provider(providers.get('p'));
    // What was kept of the password that is no longer right is gone with it.
    expect(await second.decide(basicQuestion('alice', 'one'))).toMatchObject({ kind: 'refused' });
    expect(await second.decide(basicQuestion('alice', 'two'))).toMatchObject({ kind: 'passed' });
  });

  it('keeps its verdicts when the store is read anew and nothing has changed', async () => {
    const { providers, write, state } = setUp();
    write('p', 'type', 'basic', 'user:alice', await hashPassword('one', cheap));
    const first = await provider(providers.get('p'));
    await first.decide(basicQuestion('alice', 'one'));
    providers.everythingChanged();
    expect((await provider(providers.get('p'))).decide(basicQuestion('alice', 'one'))).toMatchObject({ kind: 'passed' });
    expect(state.reads).toBe(2);
  });

  it('is the last known one while the store is away, and none where nothing is known', async () => {
    const { providers, write, state } = setUp();
    write('p', 'type', 'basic', 'user:alice', await hashPassword('one', cheap));
    const first = await provider(providers.get('p'));
    state.away = true;
    providers.everythingChanged();
    expect(await provider(providers.get('p'))).toBe(first);
    await expect(providers.get('other')).rejects.toThrow('the store is away');
  });

  it('is unknown without a record, and after its record was deleted', async () => {
    const { providers, write, records, lines } = setUp();
    expect(await providers.get('p')).toEqual({ kind: 'unknown' });
    expect(lines.map(({ msg }) => msg)).toEqual(['auth:p: there is no such record; requests are answered 503 until there is']);
    write('p', 'type', 'bearer');
    expect((await providers.get('p')).kind).toBe('provider');
    records.delete('p');
    providers.recordChanged('auth', 'p');
    expect(await providers.get('p')).toEqual({ kind: 'unknown' });
  });

  it('cannot be used with a record of the wrong type or a wrong field, which is told without secrets', async () => {
    const { providers, write, records, lines } = setUp();
    records.set('wrong', { values: [], fault: 'auth:wrong has the wrong type' });
    expect(await providers.get('wrong')).toEqual({ kind: 'faulty' });
    write('p', 'type', 'bearer', 'token:my-secret-token', 'label');
    expect(await providers.get('p')).toEqual({ kind: 'faulty' });
    await providers.get('p');
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).toContain('auth:p: a token is no SHA-256');
    expect(JSON.stringify(lines)).not.toContain('my-secret-token');
  });

  it('may be a function of the program, with or without a record, given before or after', async () => {
    const { providers, callbacks, write } = setUp();
    expect(await providers.get('late')).toEqual({ kind: 'unknown' });
    callbacks.set('late', () => 'alice');
    expect(await (await provider(providers.get('late'))).decide(question())).toMatchObject({ kind: 'passed' });
    callbacks.set('late', () => null);
    expect(await (await provider(providers.get('late'))).decide(question())).toMatchObject({ kind: 'refused' });
    callbacks.delete('late');
    expect(await providers.get('late')).toEqual({ kind: 'unknown' });

    write('named', 'type', 'callback', 'callback', 'fn', 'userHeader', 'X-User');
    expect(await providers.get('named')).toEqual({ kind: 'unknown' });
    callbacks.set('fn', () => 'bob');
    expect(await (await provider(providers.get('named'))).decide(question())).toEqual({
      kind: 'passed',
      headers: ['X-User', 'bob'],
    });
  });

  it('is what its record says even where a function has its name', async () => {
    const { providers, callbacks, write } = setUp();
    callbacks.set('p', () => true);
    write('p', 'type', 'bearer');
    expect(await (await provider(providers.get('p'))).decide(question())).toMatchObject({ kind: 'refused' });
  });

  it('names the headers that only it may set', async () => {
    const { providers, write } = setUp();
    write('jwt', 'type', 'jwt', 'jwks', 'http://127.0.0.1:1/', 'userHeader', 'X-User', 'claimHeaders', '{"a":"X-A"}');
    write('http', 'type', 'http', 'url', 'http://127.0.0.1:1/', 'copyHeaders', 'X-B', 'stripAuthorization', 'true');
    const [jwt, http] = [await provider(providers.get('jwt')), await provider(providers.get('http'))];
    expect(['X-User', 'x-a', 'X-B'].map((name) => [jwt.owned.has(name), http.owned.has(name)])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
    expect([jwt.stripAuthorization, http.stripAuthorization]).toEqual([false, true]);
  });
});
