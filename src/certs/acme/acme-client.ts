// The protocol of certificate authorities (RFC 8555): what is asked and how it is signed. Which certificates are wanted, and when, is
// not known here.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, FlattenedSign, type JWK } from 'jose';
import { type AcmeHttp, type AcmeReply, retryAfterOf } from './acme-http.js';
import { AcmeProblem, problemOf } from './acme-problem.js';

/** What an authority offers (section 7.1.1). */
export interface AcmeDirectory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** RFC 9773; empty: it gives no advice on renewals. */
  readonly renewalInfo: string;
  readonly termsOfService: string;
  readonly externalAccountRequired: boolean;
}

/** An object that the authority keeps, with its address and how long it wants us to wait before the next look, in milliseconds. */
export interface AcmeObject {
  readonly url: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly retryAfter: number;
}

/** The binding to an account that a person has with the authority already (section 7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** base64url. */
  readonly key: string;
}

export interface NewAccount {
  /** Mail addresses. */
  readonly contact: readonly string[];
  readonly external: ExternalAccount | null;
}

/** A nonce may be refused for no fault of ours (section 6.5); so many in a row are no accident. */
const mostNonces = 12;

export class AcmeClient {
  readonly #http: AcmeHttp;
  readonly #directoryUrl: string;
  readonly #key: KeyObject;
  readonly #jwk: JWK;
  #directory: AcmeDirectory | null = null;
  #nonces: string[] = [];
  /** URL of the account, which signs requests; empty: it is not known. */
  accountUrl: string;

  /**
   * @param key PEM of an ECDSA key on P-256
   * @param accountUrl empty: not registered yet
   */
  constructor(http: AcmeHttp, directoryUrl: string, key: string, accountUrl: string) {
    this.#http = http;
    this.#directoryUrl = directoryUrl;
    this.#key = createPrivateKey(key);
    this.#jwk = createPublicKey(this.#key).export({ format: 'jwk' }) as JWK;
    this.accountUrl = accountUrl;
  }

  /** Asked for once. */
  async directory(): Promise<AcmeDirectory> {
    if (this.#directory !== null) return this.#directory;
    const reply = await this.#http.send('GET', this.#directoryUrl);
    const fields = fieldsOf(reply);
    const meta = (typeof fields.meta === 'object' && fields.meta !== null ? fields.meta : {}) as Record<string, unknown>;
    const directory = {
      newNonce: textOf(fields.newNonce),
      newAccount: textOf(fields.newAccount),
      newOrder: textOf(fields.newOrder),
      renewalInfo: textOf(fields.renewalInfo),
      termsOfService: textOf(meta.termsOfService),
      externalAccountRequired: meta.externalAccountRequired === true,
    };
    if (directory.newNonce === '' || directory.newAccount === '' || directory.newOrder === '')
      throw new Error(`${this.#directoryUrl} is no directory of an ACME server`);
    this.#directory = directory;
    return directory;
  }

  /** Registers the key, or finds the account that it has already (section 7.3). */
  async register({ contact, external }: NewAccount): Promise<void> {
    const { newAccount, externalAccountRequired } = await this.directory();
    if (externalAccountRequired && external === null)
      throw new AcmeProblem('externalAccountRequired', 'the authority wants acme.eabKeyId and acme.eabKey', 0);
    const payload = {
      termsOfServiceAgreed: true,
      ...(contact.length > 0 ? { contact: contact.map((address) => `mailto:${address}`) } : {}),
      ...(external === null ? {} : { externalAccountBinding: await this.#bind(newAccount, external) }),
    };
    const { url } = await this.#post(newAccount, payload, true);
    if (url === newAccount) throw new Error('the authority did not say where the account is');
    this.accountUrl = url;
  }

  /**
   * Orders a certificate for one name (section 7.4).
   * @param replaces id of the certificate that it takes the place of (RFC 9773 section 5); empty: none, or not to be told
   */
  async order(name: string, replaces: string): Promise<AcmeObject> {
    const { newOrder, renewalInfo } = await this.directory();
    const payload = { identifiers: [{ type: 'dns', value: name }] };
    return this.#post(newOrder, replaces === '' || renewalInfo === '' ? payload : { ...payload, replaces });
  }

  /** Looks at an order, an authorization or a challenge (POST-as-GET, section 6.3). */
  async look(url: string): Promise<AcmeObject> {
    return { ...(await this.#post(url, null)), url };
  }

  /** Says that a challenge may be looked for (section 7.5.1). */
  async answer(challengeUrl: string): Promise<void> {
    await this.#post(challengeUrl, {});
  }

  /** @param request DER of a PKCS #10 request */
  finalize(finalizeUrl: string, request: Buffer): Promise<AcmeObject> {
    return this.#post(finalizeUrl, { csr: request.toString('base64url') });
  }

  /** PEM: the certificate, then its issuers (section 7.4.2). */
  async download(certificateUrl: string): Promise<string> {
    return (await this.#send(certificateUrl, null, false)).text;
  }

  /** What is served or signed to prove that a name is ours (section 8.1). */
  async keyAuthorization(token: string): Promise<string> {
    return `${token}.${await calculateJwkThumbprint(this.#jwk)}`;
  }

  /** Advice on a certificate (RFC 9773 section 4.1). Null: the authority gives none. */
  async renewalInfo(id: string): Promise<AcmeObject | null> {
    const { renewalInfo } = await this.directory();
    if (renewalInfo === '') return null;
    const url = `${renewalInfo.replace(/\/$/, '')}/${id}`;
    const reply = await this.#http.send('GET', url);
    return { url, fields: fieldsOf(reply), retryAfter: retryAfterOf(reply.headers) };
  }

  async #bind(url: string, { keyId, key }: ExternalAccount): Promise<object> {
    const payload = Buffer.from(JSON.stringify(this.#jwk));
    return new FlattenedSign(payload)
      .setProtectedHeader({ alg: 'HS256', kid: keyId, url })
      .sign(Buffer.from(key.replaceAll('=', ''), 'base64url'));
  }

  async #post(url: string, payload: object | null, byKey = false): Promise<AcmeObject> {
    const reply = await this.#send(url, payload, byKey);
    return { url: reply.headers.location ?? url, fields: fieldsOf(reply), retryAfter: retryAfterOf(reply.headers) };
  }

  /** @param byKey signed in the name of the key, not of the account */
  async #send(url: string, payload: object | null, byKey: boolean): Promise<AcmeReply> {
    const bytes = Buffer.from(payload === null ? '' : JSON.stringify(payload));
    for (let attempt = 1; ; attempt++) {
      const signer = byKey ? { jwk: this.#jwk } : { kid: this.accountUrl };
      const signed = await new FlattenedSign(bytes)
        .setProtectedHeader({ alg: 'ES256', nonce: await this.#nonce(), url, ...signer })
        .sign(this.#key);
      const reply = await this.#http.send('POST', url, JSON.stringify(signed));
      this.#keepNonce(reply);
      if (reply.status < 400) return reply;
      const problem = problemOf(readJson(reply.text), reply.status, retryAfterOf(reply.headers));
      if (problem.type !== 'badNonce' || attempt >= mostNonces) throw problem;
    }
  }

  async #nonce(): Promise<string> {
    const kept = this.#nonces.pop();
    if (kept !== undefined) return kept;
    const reply = await this.#http.send('HEAD', (await this.directory()).newNonce);
    this.#keepNonce(reply);
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new Error('the authority gives no nonce');
    return nonce;
  }

  /** The newest one is used first: old ones are forgotten by the authority. */
  #keepNonce({ headers }: AcmeReply): void {
    const nonce = headers['replay-nonce'];
    if (typeof nonce !== 'string') return;
    this.#nonces.push(nonce);
    this.#nonces = this.#nonces.slice(-4);
  }
}

function fieldsOf(reply: AcmeReply): Readonly<Record<string, unknown>> {
  const value = readJson(reply.text);
  if (reply.status >= 300) throw problemOf(value, reply.status, retryAfterOf(reply.headers));
  if (typeof value !== 'object' || value === null) throw new Error('the authority sent something that is no JSON object');
  return value as Record<string, unknown>;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
