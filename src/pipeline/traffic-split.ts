// The traffic split of a frontend on the path of a request: what pins its client to a group, and the cookie that keeps it there.
import { chooseGroup, formGroups, type Group } from '../balancing/split.js';
import type { Exchange } from '../exchange/exchange.js';
import { cookieValue } from '../http1/cookies.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { Split } from '../model/policy/split.js';

const nobody: readonly Backend[] = [];

export class TrafficSplit {
  readonly #random: () => number;
  /** By route, so that a changed split or list of backends has its groups formed anew. */
  readonly #groups = new WeakMap<Route, readonly Group[]>();

  /** @param random gives numbers from 0 to below 1; a test passes its own */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Leaves the candidates of one group and notes it in `exchange.group`. A further attempt stays in the group while that has
   * an untried backend; an empty result means that there is nobody to serve.
   * @param session the candidate that the client has a session with, or null: its group goes before the draw of one
   */
  among(
    exchange: Exchange,
    route: Route,
    split: Split,
    candidates: readonly Backend[],
    session: Backend | null = null,
  ): readonly Backend[] {
    const { headers } = exchange.head;
    const groups = this.#groupsOf(route, split);
    const asked =
      split.header === undefined || !headers.hasName(split.header) ? '' : firstKnown(groups, headers.values(split.header));
    const cookie = split.cookie === undefined ? '' : cookieValue(headers, split.cookie.name);
    const kept = isKnown(groups, cookie) ? cookie : '';
    const held = session === null ? '' : (groups.find(({ members }) => members.has(session))?.name ?? '');
    const choice = chooseGroup(groups, candidates, exchange.group?.name || asked || kept || held, this.#random);
    if (choice === null) return nobody;
    const { name } = choice;
    // Who asks by a header does so again; backends outside of the groups are a makeshift that nobody should stay with.
    exchange.group = { name, tell: split.cookie !== undefined && asked === '' && name !== '' && name !== kept };
    return choice.candidates;
  }

  /** The answer of a group is about to be passed on: sets the cookie where the client has another one or none. */
  tell(exchange: Exchange, { cookie }: Split): void {
    const { group } = exchange;
    if (cookie === undefined || group === null || !group.tell) return;
    const age = cookie.ttl === undefined ? '' : `; Max-Age=${Math.ceil(cookie.ttl / 1000)}`;
    const secure = exchange.scheme === 'https' ? '; Secure' : '';
    exchange.responseLines += `Set-Cookie: ${cookie.name}=${group.name}; Path=/${age}; HttpOnly; SameSite=Lax${secure}\r\n`;
  }

  #groupsOf(route: Route, split: Split): readonly Group[] {
    let groups = this.#groups.get(route);
    if (groups === undefined) {
      groups = formGroups(split.groups, route.backends);
      this.#groups.set(route, groups);
    }
    return groups;
  }
}

function firstKnown(groups: readonly Group[], names: readonly string[]): string {
  for (const name of names) {
    if (isKnown(groups, name)) return name;
  }
  return '';
}

function isKnown(groups: readonly Group[], name: string): boolean {
  for (const group of groups) {
    if (group.name === name) return true;
  }
  return false;
}
