// Questions as a stage puts them to a check, and a clock that a test moves.
import type { AuthQuestion } from '../../src/auth/verdict.js';

/** A GET of `https://example.com/page?x=1` from 192.0.2.1, with headers as names and values in turn. */
export function question(pairs: readonly string[] = [], more: Partial<AuthQuestion> = {}): AuthQuestion {
  const valuesOf = (name: string): string[] =>
    pairs.filter((_, at) => at % 2 === 1 && pairs[at - 1]?.toLowerCase() === name.toLowerCase());
  return {
    authorization: valuesOf('authorization').join(', '),
    method: 'GET',
    scheme: 'https',
    host: 'example.com',
    target: '/page?x=1',
    clientAddress: '192.0.2.1',
    requestId: 'request-1',
    shown: null,
    headerText: pairs.join('\r\n'),
    header: (name) => valuesOf(name).join(name.toLowerCase() === 'cookie' ? '; ' : ', '),
    headerPairs: () => pairs,
    ...more,
  };
}

/** The value of Authorization for a name and a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

/** Such a question. */
export function basicQuestion(user: string, password: string): AuthQuestion {
  return question(['Authorization', basic(user, password)]);
}

/** Both scales of a clock, moved by a test. */
export class HandClock {
  now = 1_000;
  wall = Date.now();

  forward(milliseconds: number): void {
    this.now += milliseconds;
    this.wall += milliseconds;
  }
}
