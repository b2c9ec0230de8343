import { describe, expect, it } from 'vitest';
import { OwnedNames } from '../../../src/auth/owned-names.js';
import { Provider } from '../../../src/auth/provider.js';
import type { AuthQuestion, ShownCredential, Verdict } from '../../../src/auth/verdict.js';
import { VerdictCache } from '../../../src/auth/verdict-cache.js';
import { HandClock, question } from '../../helpers/auth-question.js';
import { recordingLogger } from '../../helpers/recording-logger.js';

const passed: Verdict = { kind: 'passed', headers: [] };

/** A provider whose checks end when the test says so. */
function setUp() {
  const clock = new HandClock();
  const { logger, lines } = recordingLogger();
  const asked: { question: AuthQuestion; end: (verdict: Verdict) => void }[] = [];
  const provider = new Provider({
    name: 'p',
    check: {
      keyOf: ({ authorization }) => authorization,
      check: (one) => new Promise((end) => asked.push({ question: one, end })),
    },
    cache: new VerdictCache(clock, { ttl: 10_000, refusedTtl: 2_000, entries: 100 }),
    log: logger,
    owned: new OwnedNames([]),
    stripAuthorization: false,
  });
  const ask = (credential: string, shown: ShownCredential | null = null) =>
    provider.decide(question(['Authorization', credential], { shown }));
  return { clock, lines, asked, ask };
}

describe('D.5 23: a provider', () => {
  it('keeps the digest of a credential with its connection, and makes another one for another credential', async () => {
    const { asked, ask } = setUp();
    const shown = { text: '', digest: '' };
    const first = ask('a', shown);
    asked[0]?.end(passed);
    await first;
    const { digest } = shown;
    expect(shown.text).toBe('a');
    expect(digest).not.toBe('');
    expect(ask('a', shown)).toBe(passed);
    expect(shown.digest).toBe(digest);
    // Another credential on the same connection is another question.
    expect(ask('b', shown)).toBeInstanceOf(Promise);
    expect(shown.digest).not.toBe(digest);
    expect(ask('a', { text: '', digest: '' })).toBe(passed);
    const long = 'x'.repeat(3000);
    expect(ask(long, shown)).toBeInstanceOf(Promise);
    expect(shown.text).toBe('b');
  });

  it('checks equal credentials once, however many ask at the same time, and then answers without a promise', async () => {
    const { asked, ask, clock } = setUp();
    const all = [ask('a'), ask('a'), ask('b'), ask('a')];
    expect(asked.map(({ question: { authorization } }) => authorization)).toEqual(['a', 'b']);
    asked[0]?.end(passed);
    asked[1]?.end({ kind: 'refused', challenge: '' });
    expect((await Promise.all(all)).map(({ kind }) => kind)).toEqual(['passed', 'passed', 'refused', 'passed']);
    expect(ask('a')).toBe(passed);
    expect(ask('b')).toMatchObject({ kind: 'refused' });
    clock.forward(10_000);
    expect(ask('a')).toBeInstanceOf(Promise);
    expect(asked).toHaveLength(3);
  });

  it('asks for each who came without a credential', () => {
    const { asked, ask } = setUp();
    ask('');
    ask('');
    expect(asked).toHaveLength(2);
  });

  it('gives an answer that was made for one client to nobody else', async () => {
    const { asked, ask } = setUp();
    const answer = { status: 302, contentType: '', headers: ['Set-Cookie', 'state=1'], body: Buffer.alloc(0) };
    const [first, second] = [ask('a'), ask('a')];
    asked[0]?.end({ kind: 'answered', answer });
    expect(await first).toMatchObject({ kind: 'answered' });
    await Promise.resolve();
    expect(asked).toHaveLength(2);
    asked[1]?.end(passed);
    expect(await second).toBe(passed);
  });

  it('keeps nothing of a check that failed, and says so once, and when it is over', async () => {
    const { asked, ask, lines } = setUp();
    for (let round = 0; round < 3; round += 1) {
      const pending = ask('a');
      asked[round]?.end({ kind: 'away', detail: 'nobody answers' });
      expect(await pending).toMatchObject({ kind: 'away' });
    }
    const pending = ask('a');
    asked[3]?.end(passed);
    await pending;
    expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      'warn auth:p: nobody answers; requests are answered 503 until this is mended',
      'info auth:p: credentials can be checked again',
    ]);
  });
});
