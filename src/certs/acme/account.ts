// The account that certificates are ordered with: one for all nodes, its key in the store, encrypted where there is a secret.
import { createHash } from 'node:crypto';
import type { AcmeConfig } from '../../config/config.js';
import { fieldsOf } from '../../model/record-kind.js';
import type { Store } from '../../store/store.js';
import type { KeyVault } from '../key-vault.js';
import { AcmeClient } from './acme-client.js';
import type { AcmeHttp } from './acme-http.js';
import { AcmeProblem } from './acme-problem.js';
import { newPrivateKey } from './x509.js';

export interface AccountParts {
  readonly config: Pick<AcmeConfig, 'directory' | 'contact' | 'eabKeyId' | 'eabKey'>;
  readonly store: Pick<Store, 'readRecord' | 'writeRecord'>;
  readonly vault: KeyVault;
  readonly http: AcmeHttp;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/** To be used by one process at a time: whoever has the lease. */
export class Account {
  readonly #parts: AccountParts;
  readonly #record: string;
  #opening: Promise<AcmeClient> | null = null;

  constructor(parts: AccountParts) {
    this.#parts = parts;
    const { directory, eabKeyId } = parts.config;
    this.#record = `account:${createHash('sha256').update(`${directory} ${eabKeyId}`).digest('hex').slice(0, 16)}`;
  }

  /** A client that is registered. Rejects with an AcmeProblem or an Error in one line; asked again, it tries again. */
  client(): Promise<AcmeClient> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /**
   * Mends an account that the authority does not know any more, or has closed: the next `client` is registered anew.
   * @returns false: the problem is another one
   */
  async mend(problem: AcmeProblem): Promise<boolean> {
    if (problem.type === 'accountDoesNotExist') {
      const client = await this.client();
      await this.#register(client, await this.#key());
      return true;
    }
    if (problem.type !== 'unauthorized') return false;
    const client = await this.client();
    // RFC 8555 section 7.3.6: everything that a closed account asks for is unauthorized, the account itself included.
    const closed = await client.look(client.accountUrl).then(
      ({ fields }) => fields.status !== 'valid',
      (error: unknown) => error instanceof AcmeProblem && error.type === 'unauthorized',
    );
    if (!closed) return false;
    this.#parts.log.warn(`The account ${client.accountUrl} was closed; a new one is registered`);
    await this.#parts.store.writeRecord('acme', this.#record, []);
    this.#opening = null;
    return true;
  }

  async #open(): Promise<AcmeClient> {
    const { http, config, store } = this.#parts;
    const url = fieldsOf(await store.readRecord('acme', this.#record)).get('url') ?? '';
    const key = (await this.#key()) || newPrivateKey();
    const client = new AcmeClient(http, config.directory, key, url);
    if (url === '') await this.#register(client, key);
    return client;
  }

  async #register(client: AcmeClient, key: string): Promise<void> {
    const { config, store, vault, log } = this.#parts;
    const { contact, eabKeyId, eabKey, directory } = config;
    await client.register({ contact, external: eabKeyId === '' ? null : { keyId: eabKeyId, key: eabKey } });
    const sealed = vault.seal(`acme:${this.#record}`, key);
    await store.writeRecord('acme', this.#record, ['directory', directory, 'url', client.accountUrl, 'key', sealed]);
    log.info(`Registered with ${directory} as ${client.accountUrl}`);
  }

  /** Empty: there is none yet. */
  async #key(): Promise<string> {
    const { store, vault } = this.#parts;
    const record = await store.readRecord('acme', this.#record);
    if (record.fault !== '') throw new Error(record.fault);
    const key = fieldsOf(record).get('key') ?? '';
    try {
      return vault.open(`acme:${this.#record}`, key);
    } catch (error) {
      throw new Error(`acme:${this.#record}: key ${error instanceof Error ? error.message : 'cannot be decrypted'}`);
    }
  }
}
