// The providers by name: records of the store turned into checks, and the functions of a program that uses the library.
import { BoundedMap } from '../base/bounded-map.js';
import { type AuthSettings, parseAuthProvider, plainCallback } from '../model/auth-provider.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { LiveRecords, type RecordSource } from '../store/live-records.js';
import type { StoreListener } from '../store/store.js';
import { createBasicCheck } from './basic.js';
import { createBearerCheck } from './bearer.js';
import { type AuthCallback, type AuthCallbacks, createCallbackCheck } from './callback.js';
import { createForwardAuth } from './forward-auth.js';
import { createLateJwtCheck } from './late-jwt.js';
import { OwnedNames } from './owned-names.js';
import { PasswordChecks } from './password-checks.js';
import { type PassRules, Provider } from './provider.js';
import { ServiceCalls } from './service-call.js';
import type { Check } from './verdict.js';
import { type AuthClock, VerdictCache } from './verdict-cache.js';

/** What a name stands for; `unknown`: nothing, `faulty`: a record that cannot be used. */
export type FoundProvider =
  | { readonly kind: 'provider'; readonly provider: Provider }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'faulty' };

export interface AuthProvidersOptions {
  readonly store: RecordSource;
  readonly callbacks: AuthCallbacks;
  readonly clock: AuthClock;
  readonly log: { warn(text: string): void; info(text: string): void };
  /** PEM certificates to trust besides the system's, when services are asked. */
  readonly ca: readonly string[];
  readonly checks?: PasswordChecks;
}

/** A record, and what was made of it. */
interface Made {
  readonly values: readonly string[];
  readonly found: FoundProvider;
  /** The name of the function that it needs, or empty, and the one that it was made with. */
  readonly needs: string;
  readonly callback: AuthCallback | undefined;
}

const unknown: FoundProvider = Object.freeze({ kind: 'unknown' });
const faulty: FoundProvider = Object.freeze({ kind: 'faulty' });

/** A token that is listed is so until the record changes, and everything made of the record goes with it. */
const listedTokens = { ttl: 3_600_000, refusedTtl: 2_000 };

const mostProviders = 10_000;
const cachedVerdicts = 10_000;

export class AuthProviders implements StoreListener {
  readonly #options: AuthProvidersOptions;
  readonly #records: LiveRecords<Made>;
  readonly #calls: ServiceCalls;
  readonly #checks: PasswordChecks;
  /** What was made last, so that a record which is read again unchanged keeps its verdicts and keys. */
  readonly #last = new BoundedMap<string, Made>(mostProviders);

  constructor(options: AuthProvidersOptions) {
    this.#options = options;
    this.#calls = new ServiceCalls(options.ca);
    this.#checks = options.checks ?? new PasswordChecks();
    this.#records = new LiveRecords(options.store, 'auth', (name, record) => this.#take(name, record), mostProviders);
  }

  /** A promise only when the store must be asked; it rejects when that fails and nothing is known of the name. */
  get(name: string): FoundProvider | Promise<FoundProvider> {
    const made = this.#records.getSoon(name);
    return made instanceof Promise ? made.then((later) => this.#current(name, later)) : this.#current(name, made);
  }

  /** Frontends are no concern of it. */
  changed(): void {}

  recordChanged(kind: RecordKind, name: string): void {
    this.#records.recordChanged(kind, name);
  }

  everythingChanged(): void {
    this.#records.everythingChanged();
  }

  close(): void {
    this.#calls.close();
  }

  /** A function may have been given, or replaced, since the record was read. */
  #current(name: string, made: Made): FoundProvider {
    if (made.needs === '' || this.#options.callbacks.get(made.needs) === made.callback) return made.found;
    const last = this.#last.get(name);
    const known = last !== undefined && last.callback === this.#options.callbacks.get(made.needs) ? last : undefined;
    return (known ?? this.#make(name, made.values)).found;
  }

  #take(name: string, record: StoredRecord): Made {
    const last = this.#last.get(name);
    if (last !== undefined && record.fault === '' && sameTexts(last.values, record.values)) return last;
    return this.#make(name, record.values, record.fault);
  }

  #make(name: string, values: readonly string[], fault = ''): Made {
    const made = this.#compile(name, values, fault);
    // As the newest: what was made long ago is forgotten first.
    this.#last.delete(name);
    // A record of the wrong type has no values to tell it by.
    if (fault === '') this.#last.set(name, made);
    return made;
  }

  #compile(name: string, values: readonly string[], fault: string): Made {
    const { callbacks, log } = this.#options;
    const parsed = parseAuthProvider({ values, fault });
    switch (parsed.kind) {
      case 'absent': {
        const callback = callbacks.get(name);
        if (callback === undefined) log.warn(`auth:${name}: there is no such record; requests are answered 503 until there is`);
        const found = callback === undefined ? unknown : this.#provider(name, plainCallback, callback);
        return { values, found, needs: name, callback };
      }
      case 'faulty':
        log.warn(`auth:${name}: ${parsed.faults.slice(0, 3).join('; ')}; requests are answered 502 until this is mended`);
        return { values, found: faulty, needs: '', callback: undefined };
      case 'settings': {
        const { settings } = parsed;
        const needs = settings.type === 'callback' ? (settings.callback ?? name) : '';
        const callback = needs === '' ? undefined : callbacks.get(needs);
        if (needs !== '' && callback === undefined)
          log.warn(`auth:${name}: this program has no function ${needs}; requests are answered 503 until it has`);
        return { values, found: this.#provider(name, settings, callback), needs, callback };
      }
    }
  }

  #provider(name: string, settings: AuthSettings, callback: AuthCallback | undefined): FoundProvider {
    const { clock, log } = this.#options;
    const check = this.#check(name, settings, callback);
    if (check === null) return unknown;
    const { ttl, refusedTtl } = settings.type === 'bearer' ? listedTokens : settings;
    const cache = new VerdictCache(clock, { ttl, refusedTtl, entries: cachedVerdicts });
    return { kind: 'provider', provider: new Provider({ name, check, cache, log, ...passRules(settings) }) };
  }

  #check(name: string, settings: AuthSettings, callback: AuthCallback | undefined): Check | null {
    const { clock, log } = this.#options;
    switch (settings.type) {
      case 'basic': {
        const { check, faults } = createBasicCheck(settings, this.#checks);
        if (faults.length > 0) log.warn(`auth:${name}: ${faults.slice(0, 3).join('; ')}`);
        return check;
      }
      case 'bearer':
        return createBearerCheck(settings);
      case 'jwt':
        return createLateJwtCheck(settings, this.#calls, clock);
      case 'http':
        return createForwardAuth(settings, this.#calls);
      case 'callback':
        return callback === undefined ? null : createCallbackCheck(settings, callback);
    }
  }
}

/** What the settings of each type name as headers for the backend. */
function passRules(settings: AuthSettings): PassRules {
  const names: string[] = [];
  if ('userHeader' in settings && settings.userHeader !== undefined) names.push(settings.userHeader);
  if ('copyHeaders' in settings) names.push(...settings.copyHeaders);
  if ('claimHeaders' in settings) names.push(...Object.values(settings.claimHeaders));
  return { owned: new OwnedNames(names), stripAuthorization: settings.stripAuthorization };
}

function sameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, at) => text === others[at]);
}
