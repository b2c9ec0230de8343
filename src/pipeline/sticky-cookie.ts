// The cookie that keeps a client with its backend: read from requests, set on the answers of another backend than it names.
import type { StickyTokens } from '../balancing/sticky.js';
import { hashText } from '../base/text-hash.js';
import type { Exchange } from '../exchange/exchange.js';
import { cookieValue } from '../http1/cookies.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { Sticky } from '../model/policy/balancing.js';
import type { Logger } from '../observe/logger.js';

/**
 * A backend is named by a keyed hash of its id. It is not renewed while its backend answers, so that answers stay fit for
 * caches and `ttl` counts from the first request; a client whose backend is dead is moved and told so.
 */
export class StickyCookies {
  readonly #tokens: StickyTokens;
  /** Names that are made of those of frontends. */
  readonly #names = new WeakMap<Sticky, string>();
  #warnOnce: Pick<Logger, 'warn'> | null;

  /** @param warnOnce told at the first cookie that it can be forged, where the secret is not set; else null */
  constructor(tokens: StickyTokens, warnOnce: Pick<Logger, 'warn'> | null = null) {
    this.#tokens = tokens;
    this.#warnOnce = warnOnce;
  }

  /** The backend that a request asks for by its cookie, dead or alive; null: none, or none that there is. Noted in `exchange.session`. */
  asked(exchange: Exchange, route: Route, sticky: Sticky): Backend | null {
    const token = cookieValue(exchange.head.headers, this.#nameOf(route, sticky));
    exchange.session = token === '' ? null : this.#tokens.owner(route, token);
    return exchange.session;
  }

  /** Adds the cookie to an answer unless the client has it already, which `asked` found out. */
  tell(exchange: Exchange, route: Route, sticky: Sticky, backend: Backend): void {
    if (exchange.session === backend) return;
    const token = this.#tokens.tokenOf(route, backend);
    this.#warnOnce?.warn(
      'sticky cookies can be forged while server.stickySecret is not set: set it to the same text on every node',
    );
    this.#warnOnce = null;
    exchange.responseLines += `Set-Cookie: ${this.#nameOf(route, sticky)}=${token}${attributes(sticky, exchange.scheme === 'https')}\r\n`;
  }

  /** Two frontends of one host (by path prefix) would take each other's cookie away if both were called the same. */
  #nameOf({ frontend }: Route, sticky: Sticky): string {
    if (sticky.cookie !== undefined) return sticky.cookie;
    let name = this.#names.get(sticky);
    if (name === undefined) {
      name = `cjs-proxy-${hashText(frontend, 0).toString(16).padStart(8, '0')}`;
      this.#names.set(sticky, name);
    }
    return name;
  }
}

/** RFC 6265 section 4.1.2. Scripts have no use for it, so it is always HttpOnly. */
function attributes({ ttl = 0, domain, path, secure, sameSite }: Sticky, https: boolean): string {
  const maxAge = ttl > 0 ? `; Max-Age=${Math.ceil(ttl / 1000)}` : '';
  const within = domain === undefined ? '' : `; Domain=${domain}`;
  return `; Path=${path}${within}${maxAge}; HttpOnly${(secure ?? https) ? '; Secure' : ''}${sameSite === undefined ? '' : `; SameSite=${sameSite}`}`;
}
