// The certificates of routes, by the name that a client asks for in its TLS greeting (SNI).
import type { SecureContext } from 'node:tls';

/** Exact names first, then `*.` in place of the first label, then `*`. */
export class RouteCertificates {
  readonly #contexts = new Map<string, SecureContext>();

  set(host: string, context: SecureContext): void {
    this.#contexts.set(host, context);
  }

  delete(host: string): void {
    this.#contexts.delete(host);
  }

  find(name: string): SecureContext | undefined {
    const host = name.toLowerCase();
    const dot = host.indexOf('.');
    const wildcard = dot === -1 ? undefined : this.#contexts.get(`*${host.slice(dot)}`);
    return this.#contexts.get(host) ?? wildcard ?? this.#contexts.get('*');
  }

  /** For a TLS server: an unknown name gets its default certificate, or a failed handshake where it has none. */
  readonly answer = (name: string, done: (error: Error | null, context?: SecureContext) => void): void => {
    done(null, this.find(name));
  };
}
