// Functions of a program that uses the library, asked by name whether a request may pass.
import type { CallbackSettings } from '../model/auth-provider.js';
import { parseBasic } from './basic.js';
import { parseBearer } from './bearer.js';
import { basicChallenge, bearerChallenge } from './challenge.js';
import { headerText, passedAs } from './header-text.js';
import type { AuthQuestion, Check, Verdict } from './verdict.js';

/** What a function is told of a request. */
export interface AuthCallbackQuestion {
  /** Of Basic; empty where nothing of the kind was sent. */
  readonly username: string;
  readonly password: string;
  /** Of Bearer, or empty. */
  readonly token: string;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  /** Path and query. */
  readonly url: string;
  readonly clientAddress: string;
  /** By name in lower case; several lines of one name joined. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * `true`, a user name or an object: passed. `false`, `null`, `undefined`, or a rejection: 401. Headers are for the backend, and
 * only those that `copyHeaders` of the provider's record names.
 */
export type AuthCallbackAnswer =
  | boolean
  | string
  | null
  | undefined
  | { readonly user?: string; readonly headers?: Readonly<Record<string, string>> };

export type AuthCallback = (question: AuthCallbackQuestion) => AuthCallbackAnswer | Promise<AuthCallbackAnswer>;

/** Functions by name; may be added to at any time. */
export type AuthCallbacks = Pick<ReadonlyMap<string, AuthCallback>, 'get'>;

export function createCallbackCheck(settings: CallbackSettings, callback: AuthCallback): Check {
  const { realm, challenge, userHeader, copyHeaders, timeout } = settings;
  const refused: Verdict = Object.freeze({
    kind: 'refused',
    challenge: challenge === 'basic' ? basicChallenge(realm) : bearerChallenge(realm),
  });
  const cached = settings.ttl > 0 || settings.refusedTtl > 0;

  function verdictOf(answer: AuthCallbackAnswer): Verdict {
    if (answer === false || answer === null || answer === undefined || answer === '') return refused;
    if (answer === true) return passedAs('', userHeader);
    if (typeof answer === 'string') return passedAs(answer, userHeader);
    // What is neither is a mistake of a program that is not checked for types, and nobody passes by a mistake.
    if (typeof answer !== 'object' || !['string', 'undefined'].includes(typeof answer.user)) return refused;
    const lines = passedAs(answer.user ?? '', userHeader);
    if (lines.kind !== 'passed' || answer.headers === undefined) return lines;
    const given = new Map(Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]));
    const copied = copyHeaders.flatMap((name) => {
      const value = given.get(name.toLowerCase());
      return value === undefined ? [] : [name, headerText(value)];
    });
    return { kind: 'passed', headers: [...lines.headers, ...copied] };
  }

  return {
    // The function sees all of the request, so all of it may count.
    keyOf: ({ method, scheme, host, target, clientAddress, headerText: lines }) =>
      cached ? [method, scheme, host, target, clientAddress, lines].join('\n') : '',
    async check(question) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, timeout, 'late');
      });
      try {
        const answer = await Promise.race([Promise.resolve(callback(questionFor(question))), late]);
        return answer === 'late'
          ? { kind: 'away', detail: `the function did not answer within ${timeout} ms` }
          : verdictOf(answer);
      } catch {
        // Its message may hold what was shown to it.
        return refused;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function questionFor(question: AuthQuestion): AuthCallbackQuestion {
  const { authorization, method, scheme, host, target, clientAddress } = question;
  const basic = parseBasic(authorization);
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  const pairs = question.headerPairs();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = (pairs[at] as string).toLowerCase();
    headers[name] ??= question.header(name);
  }
  return {
    username: basic?.user ?? '',
    password: basic?.password ?? '',
    token: parseBearer(authorization) ?? '',
    method,
    scheme,
    host,
    url: target,
    clientAddress,
    headers,
  };
}
