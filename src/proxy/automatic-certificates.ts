// Wires automatic certificates: what every worker answers an authority, and the one worker that orders. Loaded where `acme.directory` is set.
import { AutomaticCertificates } from '../certs/acme/automatic-certificates.js';
import { CertificateWishes } from '../certs/acme/certificate-wishes.js';
import { ChallengeRecords } from '../certs/acme/challenge-records.js';
import type { CertificateCache } from '../certs/certificate-cache.js';
import { servesAlso } from '../certs/certificate-names.js';
import type { KeyVault } from '../certs/key-vault.js';
import { readAuthority } from '../certs/static-certificate.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { isMiss, type RouteCache } from '../routing/route-cache.js';
import type { Store } from '../store/store.js';

export interface CertificateAutomationParts {
  readonly config: Config;
  readonly store: Store;
  readonly routes: Pick<RouteCache, 'find'>;
  readonly vault: KeyVault;
  readonly certificates: CertificateCache;
  /** Whether a certificate of the configuration is made for a name. */
  readonly standardCovers: (name: string) => boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface CertificateAutomation {
  readonly orders: AutomaticCertificates;
  readonly challenges: ChallengeRecords;
  /** Null: clients cannot have names ordered. */
  readonly wishes: CertificateWishes | null;
}

/** @throws StartError when a file of `acme.ca` cannot be read */
export function createCertificateAutomation(parts: CertificateAutomationParts): CertificateAutomation {
  const { config, store, routes, vault, certificates, standardCovers, log, metrics } = parts;
  const { acme } = config;

  const served = async (name: string): Promise<boolean> => {
    const found = await routes.find(name, '/', true);
    return !isMiss(found) && found.frontend !== '*' && !found.frontend.startsWith('*/');
  };
  const covered = async (name: string): Promise<boolean> => {
    // A label stands for all those below a wildcard.
    const host = name.replace(/^\*/, 'label');
    const other = await certificates.find(host);
    return other === null ? standardCovers(host) : other.name !== '*' || servesAlso(other, host);
  };
  const ca = acme.ca.map((path) => readAuthority(path, 'acme.ca'));
  return {
    orders: new AutomaticCertificates({ config: acme, ca, store, vault, log, metrics, served, covered }),
    challenges: new ChallengeRecords(store),
    wishes: acme.onDemand ? new CertificateWishes({ store, served }) : null,
  };
}
