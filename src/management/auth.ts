// Who may call the management API: bearer tokens, of which only the SHA-256 is known here.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiRole, ApiToken } from '../config/config.js';
import { Problem } from './problem.js';

/** Who calls. */
export interface Identity {
  readonly name: string;
  readonly role: ApiRole;
  /** Hosts that it is for; empty: all. */
  readonly hosts: readonly string[];
}

const ranks: Readonly<Record<ApiRole, number>> = { read: 0, write: 1, admin: 2 };
const window = 60_000;
/** Addresses of which failures are counted; more of them are an attack that is spread, and each counts by itself anyway. */
const mostAddresses = 10_000;

interface Failures {
  count: number;
  readonly since: number;
}

export class Authenticator {
  readonly #tokens: readonly { readonly token: ApiToken; readonly digest: Buffer }[];
  readonly #mostFailures: number;
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;

  /**
   * @param tokens none: whoever reaches the address may do everything
   * @param mostFailures of an address in a minute
   * @param now milliseconds
   */
  constructor(tokens: readonly ApiToken[], mostFailures: number, now: () => number = Date.now) {
    this.#tokens = tokens.map((token) => ({ token, digest: Buffer.from(token.sha256, 'hex') }));
    this.#mostFailures = mostFailures;
    this.#now = now;
  }

  /** Whether anybody is asked for a token. */
  get asks(): boolean {
    return this.#tokens.length > 0;
  }

  /**
   * @param header `Authorization`, or undefined
   * @param address of the socket
   * @param shown what the client's certificate says it is called; empty: it showed none
   * @throws Problem `unauthenticated` or `too-many-failures`
   */
  identify(header: string | undefined, address: string, shown: string): Identity {
    if (!this.asks) return { name: shown === '' ? 'local' : shown, role: 'admin', hosts: [] };
    const failures = this.#failuresOf(address);
    if (failures !== undefined && failures.count >= this.#mostFailures) {
      const seconds = Math.ceil((failures.since + window - this.#now()) / 1000);
      throw new Problem('too-many-failures', `Too many refused tokens from this address; try again in ${seconds} s`, [], {
        retryAfter: seconds,
      });
    }
    const text = /^Bearer +([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1];
    const token = text === undefined ? null : this.#find(text);
    if (token !== null) return { name: token.name, role: token.role, hosts: token.hosts };
    // Who sends none has tried nothing.
    if (header !== undefined) this.#count(address, failures);
    throw new Problem(
      'unauthenticated',
      header === undefined ? 'A token is needed: Authorization: Bearer TOKEN' : 'The token is not known',
    );
  }

  /** Compares with all of them, in the same time whichever is right. */
  #find(text: string): ApiToken | null {
    const digest = createHash('sha256').update(text).digest();
    let found: ApiToken | null = null;
    for (const known of this.#tokens) if (timingSafeEqual(known.digest, digest)) found = known.token;
    return found;
  }

  #failuresOf(address: string): Failures | undefined {
    const failures = this.#failures.get(address);
    if (failures === undefined || failures.since + window > this.#now()) return failures;
    this.#failures.delete(address);
    return undefined;
  }

  #count(address: string, failures: Failures | undefined): void {
    if (failures !== undefined) {
      failures.count += 1;
      return;
    }
    if (this.#failures.size >= mostAddresses) this.#failures.delete(this.#failures.keys().next().value as string);
    this.#failures.set(address, { count: 1, since: this.#now() });
  }
}

/** @throws Problem `forbidden` where a role is not enough, or a token for some hosts is used for what concerns all */
export function authorise({ role, hosts, name }: Identity, needed: ApiRole, scoped: boolean): void {
  if (ranks[role] < ranks[needed]) throw new Problem('forbidden', `${name} has the role ${role}; this needs ${needed}`);
  if (hosts.length > 0 && !scoped) throw new Problem('forbidden', `${name} is for some hosts only; this concerns all of them`);
}

/** Whether a token for some hosts is for a frontend, or for the certificate of a host. */
export function isFor(hosts: readonly string[], frontend: string): boolean {
  const host = (frontend.split('/', 1)[0] as string).replace(/:\d+$/, '');
  return hosts.some((one) => host === one || (one.startsWith('*.') && host.endsWith(one.slice(1)) && host.length >= one.length));
}
