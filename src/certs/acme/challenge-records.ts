// What an authority is answered while a name is being proved: written by the node that orders, read by whichever node is asked.
import { fieldsOf } from '../../model/record-kind.js';
import type { Store } from '../../store/store.js';

/** The certificate of a handshake for `acme-tls/1`. PEM. */
export interface ChallengePair {
  readonly certificate: string;
  readonly key: string;
}

/** Longer than any authority takes. */
const lasts = 3_600_000;
/** RFC 8555 section 8.3: base64url, with at least 128 bits. */
const tokenForm = /^[\w-]{22,256}$/;

/** Whether a text may be the token of a challenge: what is none is asked of nobody. */
function isToken(text: string): boolean {
  return tokenForm.test(text);
}

export class ChallengeRecords {
  readonly #store: Pick<Store, 'readRecord' | 'writeRecord'>;

  constructor(store: Pick<Store, 'readRecord' | 'writeRecord'>) {
    this.#store = store;
  }

  putAuthorization(token: string, authorization: string): Promise<void> {
    return this.#store.writeRecord('acme', `http:${token}`, ['authorization', authorization], lasts);
  }

  dropAuthorization(token: string): Promise<void> {
    return this.#store.writeRecord('acme', `http:${token}`, []);
  }

  putPair(name: string, { certificate, key }: ChallengePair): Promise<void> {
    return this.#store.writeRecord('acme', `alpn:${name}`, ['certificate', certificate, 'key', key], lasts);
  }

  dropPair(name: string): Promise<void> {
    return this.#store.writeRecord('acme', `alpn:${name}`, []);
  }

  /** Null: nobody here is proving by that token. Rejects while the store is away. */
  async authorization(token: string): Promise<string | null> {
    if (!isToken(token)) return null;
    return fieldsOf(await this.#store.readRecord('acme', `http:${token}`)).get('authorization') ?? null;
  }

  /** Null: nobody here is proving that name by TLS. Rejects while the store is away. */
  async pair(name: string): Promise<ChallengePair | null> {
    const fields = fieldsOf(await this.#store.readRecord('acme', `alpn:${name}`));
    const [certificate, key] = [fields.get('certificate'), fields.get('key')];
    return certificate === undefined || key === undefined ? null : { certificate, key };
  }
}
