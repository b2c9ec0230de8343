// The public keys of an issuer (RFC 7517), fetched when they are needed and again when they are old or one is missing.
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import type { ServiceCalls } from './service-call.js';
import type { AuthClock } from './verdict-cache.js';

/** The key for a token. Rejects with a JOSE error where there is none, with KeysAway where they cannot be fetched. */
export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/** The keys cannot be had; no word about the token. */
export class KeysAway extends Error {}

/** Where keys are fetched and how often, in milliseconds. */
export interface RemoteKeys {
  readonly url: string;
  readonly maxAge: number;
  readonly cooldown: number;
  readonly timeout: number;
}

/** Milliseconds between attempts while there are no keys at all. */
const retryAfter = 1000;

/** Keys of a URL. What was fetched once is used until there is something newer, also while the issuer is away. */
export function createRemoteKeys(settings: RemoteKeys, calls: ServiceCalls, clock: AuthClock): FindKey {
  let known: FindKey | null = null;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  let failure: KeysAway | null = null;

  async function fetchKeys(): Promise<void> {
    triedAt = clock.now;
    const { status, body } = await calls.get({
      url: new URL(settings.url),
      headers: ['Accept', 'application/jwk-set+json, application/json'],
      timeout: settings.timeout,
      wantsBody: (code) => code === 200,
    });
    if (status !== 200) throw new KeysAway(`the keys cannot be fetched: ${new URL(settings.url).origin} answers ${status}`);
    known = createLocalJWKSet(JSON.parse(body.toString('utf8')) as JSONWebKeySet);
    fetchedAt = clock.now;
  }

  /** One fetch at a time, whoever needs it. */
  function refreshed(): Promise<void> {
    running ??= fetchKeys().finally(() => {
      running = null;
    });
    return running;
  }

  const mayTry = (pause: number): boolean => running !== null || clock.now - triedAt >= pause;

  /** The first keys. Where they could not be fetched a moment ago, not everybody who asks waits for that again. */
  async function first(): Promise<FindKey> {
    if (failure !== null && !mayTry(Math.min(settings.cooldown, retryAfter))) throw failure;
    try {
      await refreshed();
      failure = null;
    } catch (error) {
      failure = error instanceof KeysAway ? error : new KeysAway(`the keys cannot be fetched: ${reason(error)}`);
      throw failure;
    }
    return known as FindKey | null as FindKey;
  }

  return async (header, token) => {
    let find = known;
    if (find === null) find = await first();
    // Nobody waits for newer keys while those that are known will do.
    else if (clock.now - fetchedAt >= settings.maxAge && mayTry(settings.cooldown)) refreshed().catch(() => {});
    try {
      return await find(header, token);
    } catch (error) {
      // The issuer may have taken a new key into use. Invented key names must not become a flood of fetches.
      if (!(error instanceof errors.JWKSNoMatchingKey) || !mayTry(settings.cooldown)) throw error;
      await refreshed().catch(() => {});
      return await (known ?? find)(header, token);
    }
  };
}

function reason(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof errors.JOSEError) return 'the answer is no JWKS';
  return error instanceof Error ? error.message : String(error);
}
