// Names of backends as a sticky cookie holds them: the same on every node, telling nothing, and not to be made up.
import { createHmac } from 'node:crypto';
import { BoundedMap } from '../base/bounded-map.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';

/**
 * The secret where `server.stickySecret` is not set. Known to everybody, on purpose: a secret that each node made for itself
 * would let nodes undo each other's choices, and one taken from the Redis password would do so as soon as two nodes have
 * different accounts. Who makes a cookie with it chooses among the backends that may serve the site anyway, no more.
 */
const standardSecret = 'cjs-proxy: sticky sessions without server.stickySecret';

/** 128 bits: none can be guessed. */
const tokenBytes = 16;

/** Frontends whose tokens are kept; made again when they are needed again. */
const mostFrontends = 10_000;

/** Makes and reads tokens. One a worker. */
export class StickyTokens {
  readonly #secret: string;
  readonly #owners = new WeakMap<Route, ReadonlyMap<string, Backend>>();
  /** By frontend, then by id: routes are compiled anew with each dead mark, ids stay. */
  readonly #tokens = new BoundedMap<string, Map<string, string>>(mostFrontends);

  /** @param secret `server.stickySecret`; empty: the documented one */
  constructor(secret: string) {
    this.#secret = secret === '' ? standardSecret : secret;
  }

  /** What names a backend: a keyed hash of frontend and backend id, in letters that a cookie may have. */
  tokenOf({ frontend }: Route, { id }: Backend): string {
    const tokens = this.#tokens.getOrAdd(frontend, newTokens);
    const known = tokens.get(id);
    if (known !== undefined) return known;
    const text = JSON.stringify([frontend, id]);
    const token = createHmac('sha256', this.#secret).update(text).digest().subarray(0, tokenBytes).toString('base64url');
    tokens.set(id, token);
    return token;
  }

  /** The backend of a route that a token names, dead or alive; null where it names none: made up, or from before a change of the list. */
  owner(route: Route, token: string): Backend | null {
    return this.#ownersOf(route).get(token) ?? null;
  }

  #ownersOf(route: Route): ReadonlyMap<string, Backend> {
    const known = this.#owners.get(route);
    if (known !== undefined) return known;
    this.#prune(route);
    const owners = new Map(route.backends.map((backend) => [this.tokenOf(route, backend), backend]));
    this.#owners.set(route, owners);
    return owners;
  }

  /** Forgets the tokens of backends that left a list, once there are more of them than backends. */
  #prune({ frontend, backends }: Route): void {
    const tokens = this.#tokens.get(frontend);
    if (tokens !== undefined && tokens.size > 2 * backends.length) tokens.clear();
  }
}

function newTokens(): Map<string, string> {
  return new Map();
}
