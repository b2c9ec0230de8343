// A provider in use: its check behind a cache of verdicts, and one check at a time for equal questions.

import type { OwnedNames } from './owned-names.js';
import type { AuthQuestion, Check, ShownCredential, Verdict } from './verdict.js';
import { credentialDigest, isShareable, type VerdictCache } from './verdict-cache.js';

/** What a request that passes loses and keeps. */
export interface PassRules {
  /** Headers that only this provider may set: the client's own are always removed. */
  readonly owned: OwnedNames;
  readonly stripAuthorization: boolean;
}

export interface ProviderParts extends PassRules {
  readonly name: string;
  readonly check: Check;
  readonly cache: VerdictCache;
  readonly log: { warn(text: string): void; info(text: string): void };
}

export class Provider implements PassRules {
  readonly owned: OwnedNames;
  readonly stripAuthorization: boolean;
  readonly #parts: ProviderParts;
  readonly #flights = new Map<string, Promise<Verdict>>();
  /** Whether the last check could not be made; told once, not for each request. */
  #away = false;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
    this.owned = parts.owned;
    this.stripAuthorization = parts.stripAuthorization;
  }

  /** A promise only where somebody must be asked or a password hashed; never rejects. */
  decide(question: AuthQuestion): Verdict | Promise<Verdict> {
    const key = this.#parts.check.keyOf(question);
    if (key === '') return this.#ask(question);
    const digest = digestOf(key, question.shown);
    return this.#parts.cache.get(digest) ?? this.#decideOnce(digest, question);
  }

  #decideOnce(digest: string, question: AuthQuestion): Verdict | Promise<Verdict> {
    const flight = this.#flights.get(digest);
    if (flight !== undefined) return flight.then((verdict) => (isForAll(verdict) ? verdict : this.#ask(question)));
    const result = this.#ask(question);
    if (!(result instanceof Promise)) {
      this.#parts.cache.put(digest, result);
      return result;
    }
    const own = result.then((verdict) => {
      this.#flights.delete(digest);
      this.#parts.cache.put(digest, verdict);
      return verdict;
    });
    this.#flights.set(digest, own);
    return own;
  }

  #ask(question: AuthQuestion): Verdict | Promise<Verdict> {
    const result = this.#parts.check.check(question);
    return result instanceof Promise ? result.then((verdict) => this.#noted(verdict)) : result;
  }

  #noted(verdict: Verdict): Verdict {
    const { name, log } = this.#parts;
    if (verdict.kind === 'away') {
      if (!this.#away) log.warn(`auth:${name}: ${verdict.detail}; requests are answered 503 until this is mended`);
      this.#away = true;
    } else if (this.#away && verdict.kind !== 'busy') {
      this.#away = false;
      log.info(`auth:${name}: credentials can be checked again`);
    }
    return verdict;
  }
}

/** Longest text that is kept with a connection. */
const longestShown = 2048;

function digestOf(key: string, shown: ShownCredential | null): string {
  if (shown === null || key.length > longestShown) return credentialDigest(key);
  if (shown.text !== key) {
    shown.digest = credentialDigest(key);
    shown.text = key;
  }
  return shown.digest;
}

/** Those who wait for the same check may have its result, also that it failed: asking again at once would not help. */
function isForAll(verdict: Verdict): boolean {
  return verdict.kind === 'away' || verdict.kind === 'busy' || isShareable(verdict);
}
