// Orders a certificate and puts it where all nodes find it; a failure is told once, and kept where the next attempt begins.
import { X509Certificate } from 'node:crypto';
import type { AcmeConfig } from '../../config/config.js';
import { type CertificatePair, parseCertificate } from '../../model/certificate.js';
import { fieldsOf, type StoredRecord } from '../../model/record-kind.js';
import type { Logger } from '../../observe/logger.js';
import type { Metrics } from '../../observe/metrics.js';
import type { Store } from '../../store/store.js';
import type { KeyVault } from '../key-vault.js';
import type { Account } from './account.js';
import { AcmeProblem } from './acme-problem.js';
import { kindsFor } from './challenge-kinds.js';
import { type IssuedPair, issueCertificate } from './issue.js';
import { freshState, type NameState, readNameState, writeNameState } from './name-state.js';
import { ownMark, ownPair } from './own-pair.js';
import type { Proofs } from './proofs.js';
import { retryDelay } from './renewal.js';
import { renewalId } from './x509.js';

export interface OrdersParts {
  readonly config: Pick<AcmeConfig, 'challenges' | 'retryDelay'>;
  readonly store: Pick<Store, 'readRecord' | 'writeRecord'>;
  readonly vault: KeyVault;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'certificates'>;
  readonly account: Account;
  readonly proofs: Proofs;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

export class Orders {
  readonly #parts: OrdersParts;
  /** Problems that were told, by name, until it gets its certificate. */
  readonly #told = new Map<string, Set<string>>();

  constructor(parts: OrdersParts) {
    this.#parts = parts;
  }

  /**
   * Orders, and waits for what comes of it. Rejects where the store cannot be asked.
   * @param old what is replaced; null: nothing
   * @returns when to look at the name again, in milliseconds since the epoch
   */
  async order(name: string, state: NameState, old: CertificatePair | null): Promise<number> {
    const { store, config, log, metrics, signal } = this.#parts;
    try {
      const pair = await this.#issue(name, state, old);
      await this.#put(name, pair, old);
    } catch (error) {
      if (signal.aborted) return Number.POSITIVE_INFINITY;
      return this.#failed(name, error);
    }
    this.#told.delete(name);
    metrics.certificates.issued++;
    log.info(`${old === null ? 'Got' : 'Renewed'} the certificate of ${name}`);
    // Whatever takes it away again and again must not have it ordered again and again.
    const retryAt = Date.now() + config.retryDelay;
    await writeNameState(store, name, { ...freshState, onDemand: state.onDemand, retryAt });
    return Date.now();
  }

  async #issue(name: string, state: NameState, old: CertificatePair | null): Promise<IssuedPair> {
    const { config, store, vault, account, proofs, signal } = this.#parts;
    const sealName = `acme:name:${name}`;
    let progress = { order: state.order, key: openOrForget(() => vault.open(sealName, state.key)) };
    const attempt = async (): Promise<IssuedPair> =>
      issueCertificate({
        client: await account.client(),
        name,
        kinds: kindsFor(config.challenges, name, state.failures),
        replaces: old === null ? '' : renewalId(new X509Certificate(old.certificate).raw),
        proofs,
        progress,
        save: async (made) => {
          progress = made;
          const key = made.key === '' ? '' : vault.seal(sealName, made.key);
          await writeNameState(store, name, { ...state, order: made.order, key });
        },
        signal,
      });
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AcmeProblem) || !(await account.mend(error))) throw error;
      return attempt();
    }
  }

  /** Puts it where all nodes find it, unless a person was faster. */
  async #put(name: string, { certificate, key }: IssuedPair, old: CertificatePair | null): Promise<void> {
    const { store, vault } = this.#parts;
    const fresh: StoredRecord = { values: ['certificate', certificate, 'key', key], fault: '' };
    const { pairs, faults, warnings } = parseCertificate(name, fresh, (_name, text) => text, Date.now());
    const pair = pairs[0];
    if (pair === undefined) throw new Error(`the authority sent something that cannot be served: ${faults.join('; ')}`);
    if (warnings.length > 0) throw new Error(`the authority sent something that clients refuse: ${warnings.join('; ')}`);
    const record = await store.readRecord('tls', name);
    const isThere = record.values.length > 0 || record.fault !== '';
    if (isThere && ownPair(name, record, vault)?.fingerprint !== old?.fingerprint)
      throw new Error('somebody has put another certificate in its place meanwhile');
    const fields = new Map(fieldsOf(record));
    for (const field of ['certificate2', 'key2']) fields.delete(field);
    fields
      .set('certificate', certificate)
      .set('key', vault.seal(`tls:${name}`, key))
      .set(ownMark, pair.fingerprint);
    await store.writeRecord('tls', name, [...fields].flat());
  }

  /** Tells once of each kind of failure, and waits longer after each. @returns when to look again */
  async #failed(name: string, error: unknown): Promise<number> {
    const { store, config, log, metrics } = this.#parts;
    metrics.certificates.failed++;
    const state = await readNameState(store, name);
    const failures = state.failures + 1;
    const asked = error instanceof AcmeProblem ? error.retryAfter : 0;
    const wait = retryDelay(failures, config.retryDelay, asked, Math.random());
    const problem = error instanceof Error ? error.message : String(error);
    if (this.#isNews(name, problem, state.problem))
      log.error(`No certificate for ${name}: ${problem}. Next attempt in ${Math.ceil(wait / 1_000)} s`);
    const retryAt = Math.round(Date.now() + wait);
    // An order that was refused is of no further use; one that may still come to an end is gone on with.
    const refused = error instanceof AcmeProblem && error.status !== 429 && error.status < 500;
    await writeNameState(store, name, { ...state, ...(refused ? { order: '', key: '' } : {}), failures, problem, retryAt });
    return retryAt;
  }

  /** @param last what the last failure of the name was, on whichever node */
  #isNews(name: string, problem: string, last: string): boolean {
    const told = this.#told.get(name) ?? new Set([essenceOf(last)]);
    this.#told.set(name, told);
    const essence = essenceOf(problem);
    if (told.has(essence)) return false;
    told.add(essence);
    return true;
  }
}

/** A problem without its tokens and numbers, which are others each time. */
function essenceOf(problem: string): string {
  return problem.replace(/[\w-]{16,}|\d+/g, '#');
}

/** A key of an order that nobody can read any more costs a new order, and no more. */
function openOrForget(open: () => string): string {
  try {
    return open();
  } catch {
    return '';
  }
}
