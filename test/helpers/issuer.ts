// An issuer of tokens: real keys, a real server that gives the public ones, and tokens signed with the current one.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

interface Pair {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export class Issuer {
  /** Requests for the keys so far. */
  fetches = 0;
  /** The status that requests for the keys are answered with; a text in place of the keys. */
  status = 200;
  text: string | null = null;
  readonly #server: Server;
  #pairs: Pair[] = [];

  constructor() {
    this.#server = createServer((_request, response) => {
      this.fetches += 1;
      response.statusCode = this.status;
      response.setHeader('content-type', 'application/json');
      response.end(this.text ?? JSON.stringify(this.keySet));
    });
  }

  async listen(): Promise<this> {
    await this.addKey('first');
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  get keySet(): { keys: JWK[] } {
    return { keys: this.#pairs.map(({ publicJwk }) => publicJwk) };
  }

  /** Signs with a new key from now on; the others stay public. */
  async addKey(kid: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
    this.#pairs = [{ kid, privateKey, publicJwk }, ...this.#pairs];
  }

  /** Takes all keys but the newest away. */
  dropOldKeys(): void {
    this.#pairs = this.#pairs.slice(0, 1);
  }

  /** A token of `https://issuer.example` for `app`, an hour long; `kid` null: it names no key. */
  token(claims: Readonly<Record<string, unknown>> = {}, kid: string | null = this.#pairs[0]?.kid ?? ''): Promise<string> {
    const pair = this.#pairs.find((one) => one.kid === kid) ?? (this.#pairs[0] as Pair);
    const payload = {
      sub: 'alice',
      iss: 'https://issuer.example',
      aud: 'app',
      exp: Math.floor(Date.now() / 1000) + 3600,
      ...claims,
    };
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', ...(kid === null ? {} : { kid }) }).sign(pair.privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

export function startIssuer(): Promise<Issuer> {
  return new Issuer().listen();
}
