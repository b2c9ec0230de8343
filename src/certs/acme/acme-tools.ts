// Wires what deals with an authority. Loaded late: it brings JSON Web Signatures and ASN.1.
import type { AcmeConfig } from '../../config/config.js';
import type { CertificatePair } from '../../model/certificate.js';
import type { Logger } from '../../observe/logger.js';
import type { Metrics } from '../../observe/metrics.js';
import type { Store } from '../../store/store.js';
import type { KeyVault } from '../key-vault.js';
import { Account } from './account.js';
import { AcmeHttp } from './acme-http.js';
import { type Advice, adviceOn } from './advice.js';
import { ChallengeRecords } from './challenge-records.js';
import { Orders } from './orders.js';
import { createProofs } from './proofs.js';

export interface AcmeToolParts {
  readonly config: AcmeConfig;
  /** PEM of the authorities of `config.ca`. */
  readonly ca: readonly string[];
  readonly store: Store;
  readonly vault: KeyVault;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'certificates'>;
}

/** What deals with the authority. */
export interface AcmeTools {
  readonly orders: Orders;
  adviceOn(pair: CertificatePair, before: Advice | null): Promise<Advice>;
  close(): void;
}

/** @param signal ends everything that is under way */
export function createAcmeTools({ config, ca, store, vault, log, metrics }: AcmeToolParts, signal: AbortSignal): AcmeTools {
  const http = new AcmeHttp(ca, signal);
  const account = new Account({ config, store, vault, http, log });
  const proofs = createProofs({ records: new ChallengeRecords(store), ...config, signal });
  return {
    orders: new Orders({ config, store, vault, log, metrics, account, proofs, signal }),
    adviceOn: (pair, before) => adviceOn(pair, before, () => account.client()),
    close: () => http.close(),
  };
}
