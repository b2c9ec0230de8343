// Ends TLS: for each certificate in use one server of Node that connections are given to, once it is known which name they ask for.
//
// Node's SNI callback takes over one pair of certificate and key of a context and nothing else. A server of its own has all of it:
// an ECDSA and an RSA pair, of which OpenSSL takes the one that the client can check; authorities of client certificates; a
// session context of its own, so that no session of one name, or of one set of authorities, can be resumed at another (RFC 6066
// section 3). None of these servers listens.

import { createHash } from 'node:crypto';
import tls from 'node:tls';
import { BoundedMap } from '../base/bounded-map.js';
import type { Certificate, CertificateCache } from './certificate-cache.js';

/** The authorities that the clients of a frontend must have their certificates from. */
export interface ClientAuthorities {
  /** The same text means the same authorities. */
  readonly id: string;
  /** PEM. */
  readonly pem: string;
}

/** A server that connections of one name are given to, by its event `connection`. */
export interface NameServer {
  readonly server: tls.Server;
  /** `id` of the authorities that client certificates are asked for and checked against; empty: none is asked for. */
  readonly authorities: string;
}

export interface NameServersOptions {
  readonly certificates: Pick<CertificateCache, 'findSoon'>;
  /** Protocols, ciphers and the like. */
  readonly options: tls.TlsOptions;
  /** The certificate of the configuration, for names that the store has none for; null: they are refused. */
  readonly standard: Pick<tls.TlsOptions, 'key' | 'cert' | 'passphrase'> | null;
  /** Whether the frontend of a name asks for client certificates. A promise only when the store must be asked. */
  readonly authoritiesFor: (host: string) => ClientAuthorities | null | Promise<ClientAuthorities | null>;
  /** Prepares a server that was made: who takes its connections. */
  readonly prepare: (server: tls.Server, authorities: string) => void;
  /** What proves a name to an authority while it is being proved; absent: nothing is. */
  readonly challenge?: ((host: string) => Promise<NameServer | null>) | undefined;
  /** Told of a host that the store has no certificate for. */
  readonly missing?: ((host: string) => void) | undefined;
  /** The keys of session tickets in force. */
  readonly ticketKeys: () => Buffer;
  /** Seconds that a session may be resumed. */
  readonly sessionTimeout: number;
  /** Protocols that may be chosen by ALPN, best first. */
  readonly protocols: readonly string[];
  /** The most servers that are kept. */
  readonly bound: number;
  readonly log: { error(text: string): void };
}

interface Made {
  readonly certificate: Certificate | null;
  readonly named: NameServer | null;
}

export class NameServers {
  readonly #options: NameServersOptions;
  /** By name of the record and authorities; those that were not asked for longest come first. */
  readonly #made: BoundedMap<string, Made>;

  constructor(options: NameServersOptions) {
    this.#options = options;
    this.#made = new BoundedMap(options.bound);
  }

  get size(): number {
    return this.#made.size;
  }

  /**
   * The server for a host; null: there is no certificate for it.
   * @param host lower case; empty for a client that names none
   */
  find(host: string): NameServer | null | Promise<NameServer | null> {
    const { certificates, authoritiesFor } = this.#options;
    const certificate = certificates.findSoon(host);
    const authorities = host === '' ? null : authoritiesFor(host);
    if (certificate instanceof Promise || authorities instanceof Promise)
      return Promise.all([certificate, authorities]).then(([one, other]) => this.#serve(host, one, other));
    return this.#serve(host, certificate, authorities);
  }

  /** The server for an authority that looks for the proof of a host; null: it is not being proved. */
  findChallenge(host: string): NameServer | null | Promise<NameServer | null> {
    const { challenge } = this.#options;
    return challenge === undefined ? this.find(host) : challenge(host);
  }

  /** New keys of session tickets are in force. */
  useTicketKeys(keys: Buffer): void {
    for (const { named } of this.#made.values()) named?.server.setTicketKeys(keys);
  }

  #serve(host: string, certificate: Certificate | null, authorities: ClientAuthorities | null): NameServer | null {
    if (certificate === null) {
      this.#options.missing?.(host);
      if (this.#options.standard === null) return null;
    }
    const key = `${certificate?.name ?? ''}|${authorities?.id ?? ''}`;
    const known = this.#made.get(key);
    this.#made.delete(key);
    if (known !== undefined && known.certificate === certificate) {
      this.#made.set(key, known);
      return known.named;
    }
    const made = { certificate, named: this.#make(key, certificate, authorities) };
    this.#made.set(key, made);
    return made.named;
  }

  #make(key: string, certificate: Certificate | null, authorities: ClientAuthorities | null): NameServer | null {
    const { options, standard, prepare, ticketKeys, sessionTimeout, protocols, log } = this.#options;
    const pairs = certificate?.pairs ?? [];
    const own = { cert: pairs.map((pair) => pair.certificate), key: pairs.map((pair) => pair.key) };
    try {
      const server = tls.createServer({
        ...options,
        ...(certificate === null ? standard : own),
        // Without authorities an empty list: those of the system vouch for no client.
        ca: authorities === null || authorities.pem === '' ? [] : authorities.pem,
        requestCert: authorities !== null,
        // A client without a good certificate is told so by a page, and may be served other frontends of the name.
        rejectUnauthorized: false,
        allowHalfOpen: true,
        noDelay: true,
        ALPNProtocols: [...protocols],
        ticketKeys: ticketKeys(),
        sessionTimeout,
        sessionIdContext: createHash('sha256').update(key).digest('hex').slice(0, 32),
      });
      const named = { server, authorities: authorities?.id ?? '' };
      prepare(server, named.authorities);
      return named;
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
      log.error(`TLS for ${certificate?.name || 'names without a certificate of their own'} cannot be served: ${reason}`);
      return null;
    }
  }
}
