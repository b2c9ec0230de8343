// Groups of backends that part the clients of a frontend among them: canary releases, tests of two versions.
import type { Backend } from '../model/backend.js';

/** A group as somebody asked for it. */
export interface GroupWish {
  readonly name: string;
  /** Share of new clients relative to the other groups; 0: none. */
  readonly weight: number;
  /** Ids of backends, besides those whose list entry names the group. */
  readonly backends: readonly string[];
}

/** A group and who belongs to it. */
export interface Group {
  readonly name: string;
  readonly weight: number;
  readonly members: ReadonlySet<Backend>;
}

/** What was chosen. */
export interface GroupChoice {
  /** Empty: none of the groups, but backends that belong to none. */
  readonly name: string;
  /** In the order given; never empty. */
  readonly candidates: readonly Backend[];
}

/** Finds the members of groups. A backend may belong to several, or to none. */
export function formGroups(wishes: readonly GroupWish[], backends: readonly Backend[]): readonly Group[] {
  return wishes.map(({ name, weight, backends: ids }) => ({
    name,
    weight,
    members: new Set(backends.filter((backend) => backend.group === name || ids.includes(backend.id))),
  }));
}

/**
 * Chooses a group that has a candidate: the one that is asked for, whatever its weight; else one by weight; else, where no
 * group with a weight can serve, the candidates that belong to no group.
 * @param wanted name of the group that the client is pinned to; one that is unknown or has no candidate counts as none
 * @param random gives numbers from 0 to below 1
 * @returns null: there is nobody to serve
 */
export function chooseGroup(
  groups: readonly Group[],
  candidates: readonly Backend[],
  wanted: string,
  random: () => number,
): GroupChoice | null {
  if (wanted !== '') {
    for (const group of groups) {
      if (group.name !== wanted) continue;
      const own = membersAmong(group, candidates);
      if (own.length > 0) return { name: wanted, candidates: own };
    }
  }
  let sum = 0;
  for (const group of groups) {
    if (serves(group, candidates)) sum += group.weight;
  }
  if (sum === 0) {
    const others = candidates.filter((candidate) => !groups.some(({ members }) => members.has(candidate)));
    return others.length === 0 ? null : { name: '', candidates: others };
  }
  let left = random() * sum;
  let chosen: Group | null = null;
  for (const group of groups) {
    if (group.weight === 0 || !serves(group, candidates)) continue;
    chosen = group;
    left -= group.weight;
    if (left < 0) break;
  }
  return chosen === null ? null : { name: chosen.name, candidates: membersAmong(chosen, candidates) };
}

function serves({ members }: Group, candidates: readonly Backend[]): boolean {
  for (const candidate of candidates) {
    if (members.has(candidate)) return true;
  }
  return false;
}

function membersAmong({ members }: Group, candidates: readonly Backend[]): readonly Backend[] {
  const own: Backend[] = [];
  for (const candidate of candidates) {
    if (members.has(candidate)) own.push(candidate);
  }
  return own;
}
