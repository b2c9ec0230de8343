// Wires the ending of TLS: certificates of the store and of files, authorities of clients by the policy of a frontend, ticket keys.
import type { TlsOptions } from 'node:tls';
import { alpnServer } from '../certs/acme/alpn-servers.js';
import { CertificateCache } from '../certs/certificate-cache.js';
import { type KeyVault, openVault } from '../certs/key-vault.js';
import { type ClientAuthorities, NameServers } from '../certs/name-servers.js';
import { TicketKeys } from '../certs/ticket-keys.js';
import type { Config } from '../config/config.js';
import { prepareNameServer, type TlsNames } from '../listener/tls-handshake.js';
import type { Route } from '../model/frontend.js';
import type { Logger } from '../observe/logger.js';
import { listenerAuthorities } from '../pipeline/stages/client-certificate.js';
import { isMiss, type RouteCache, type RouteMiss } from '../routing/route-cache.js';
import type { Store, StoreListener } from '../store/store.js';
import type { CertificateAutomation } from './automatic-certificates.js';

/** What an address ends TLS with. */
export interface TerminatedBind {
  readonly port: number;
  /** Protocols and ciphers. */
  readonly options: TlsOptions;
  /** For names that the store has no certificate for; null: they are refused. */
  readonly standard: Pick<TlsOptions, 'key' | 'cert' | 'passphrase'> | null;
  /** PEM: authorities of client certificates for frontends that name none; empty: there are none. */
  readonly clientCa: string;
}

export interface TlsTerminationOptions {
  readonly config: Config;
  readonly store: Store;
  readonly routes: Pick<RouteCache, 'find'>;
  readonly log: Logger;
}

const mostNotes = 1_000;

export class TlsTermination {
  readonly certificates: CertificateCache;
  /** To be told of changes by the store. */
  readonly listeners: readonly StoreListener[];
  /** What private keys in the store are encrypted with. */
  readonly vault: KeyVault;
  readonly #options: TlsTerminationOptions;
  #automation: CertificateAutomation | null = null;
  readonly #tickets: TicketKeys;
  readonly #servers: NameServers[] = [];
  readonly #noted = new Set<string>();

  /** @throws StartError when the secrets of private keys cannot be had */
  constructor(options: TlsTerminationOptions) {
    this.#options = options;
    const { config, store, log } = options;
    const { https } = config;
    const vault = openVault(https.storeKeys, https.storeKeyFile);
    this.vault = vault;
    this.certificates = new CertificateCache({ store, vault, log, entries: https.certificateEntries });
    this.#tickets = new TicketKeys({
      // Nobody shares a store that lives in this process, and its file is no place for them.
      store: /^(memory|none):/.test(config.driver.write) ? null : store,
      vault,
      log,
      rotation: https.ticketRotation,
      use: (keys) => {
        for (const servers of this.#servers) servers.useTicketKeys(keys);
      },
    });
    const tickets: StoreListener = {
      changed: () => {},
      recordChanged: (kind) => {
        if (this.#servers.length > 0) this.#tickets.recordChanged(kind);
      },
      everythingChanged: () => {
        if (this.#servers.length > 0) this.#tickets.everythingChanged();
      },
    };
    this.listeners = [this.certificates, tickets];
  }

  /** Answers authorities, and tells of names without a certificate, at the addresses that come after. */
  automate(automation: CertificateAutomation): void {
    this.#automation = automation;
  }

  /** The names of an address. */
  names(bind: TerminatedBind): TlsNames {
    const { config, log } = this.#options;
    const { challenges, wishes = null } = this.#automation ?? {};
    const servers = new NameServers({
      certificates: this.certificates,
      options: bind.options,
      standard: bind.standard,
      authoritiesFor: (host) => this.#authoritiesFor(host, bind),
      prepare: prepareNameServer,
      challenge: challenges && ((host) => challenges.pair(host).then(alpnServer)),
      missing: wishes === null ? undefined : (host) => wishes.add(host),
      ticketKeys: () => this.#tickets.keys,
      sessionTimeout: config.https.ticketLifetime,
      protocols: config.https.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      bound: config.https.certificateEntries,
      log,
    });
    // The first address begins the search for the keys that all nodes share.
    if (this.#servers.push(servers) === 1) void this.#tickets.start();
    return servers;
  }

  close(): Promise<void> {
    return this.#tickets.close();
  }

  /** Asked before there is a request, so by the name alone: the policy of the host, not that of a path below it. */
  #authoritiesFor(host: string, bind: TerminatedBind): ClientAuthorities | null | Promise<ClientAuthorities | null> {
    const { port } = bind;
    const found = this.#options.routes.find(port === 443 || port === 0 ? host : `${host}:${port}`, '/', true);
    if (found instanceof Promise) return found.then((later) => this.#authoritiesOf(later, bind));
    return this.#authoritiesOf(found, bind);
  }

  #authoritiesOf(route: Route | RouteMiss, { clientCa }: TerminatedBind): ClientAuthorities | null {
    if (isMiss(route) || route.policy === null || route.policy.clientAuth === 'none') return null;
    const own = route.policy.clientCa;
    if (own !== undefined) return own;
    if (clientCa === '') this.#note(`route:${route.frontend}: clientAuth needs clientCa, or https.ca: no client can be let in`);
    return { id: listenerAuthorities, pem: clientCa };
  }

  #note(text: string): void {
    if (this.#noted.has(text) || this.#noted.size >= mostNotes) return;
    this.#noted.add(text);
    this.#options.log.warn(text);
  }
}
