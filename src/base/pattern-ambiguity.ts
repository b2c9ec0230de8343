// Whether an expression could keep an engine busy that tries one way after the other: the time for a text would grow exponentially.
import type { Program } from './pattern-program.js';

/** Codes that sets are compared by. */
const codes = 256;
/** What stands for the codes beyond. */
const otherCode = 0x2028;
const mostSteps = 1_000_000;

/** The places where a character is taken, which characters, and in how many ways one place follows another. */
interface Automaton {
  readonly sets: ReadonlyMap<number, bigint>;
  readonly follow: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/**
 * True where some text leads from a place of the expression back to it in two ways, so that each further round doubles the number of
 * ways: `(a+)+`, `(a|a)*`, `(\w+\s?)*` (Weber and Seidl, "On the degree of ambiguity of finite automata", 1991). Also true for an
 * expression that is too large to find out.
 */
export function isExponentiallyAmbiguous(program: Program): boolean {
  const automaton = automatonOf(program);
  let steps = 0;
  for (const round of rounds(automaton.follow)) {
    const seen = new Set<number>();
    const todo: (readonly [number, number])[] = [...round].map((place) => [place, place]);
    for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
      const [one, other] = pair;
      for (const [first, ways] of automaton.follow.get(one) ?? []) {
        if (!round.has(first)) continue;
        if (one === other && ways > 1) return true;
        for (const second of automaton.follow.get(other)?.keys() ?? []) {
          if (++steps > mostSteps) return true;
          if (!round.has(second) || !shareCharacter(automaton, first, second)) continue;
          // Ways that had parted meet again; from here the round leads back to where they parted.
          if (one !== other && first === second) return true;
          const key = Math.min(first, second) * program.instructions.length + Math.max(first, second);
          if (first === second || seen.has(key)) continue;
          seen.add(key);
          todo.push([first, second]);
        }
      }
    }
  }
  return false;
}

function shareCharacter({ sets }: Automaton, one: number, other: number): boolean {
  return one === other || ((sets.get(one) ?? 0n) & (sets.get(other) ?? 0n)) !== 0n;
}

function automatonOf({ instructions }: Program): Automaton {
  const sets = new Map<number, bigint>();
  const follow = new Map<number, ReadonlyMap<number, number>>();
  const known = new Map<number, ReadonlyMap<number, number>>();
  instructions.forEach((instruction, at) => {
    if (instruction.op !== 'character') return;
    let set = instruction.set.has(otherCode) ? 1n << BigInt(codes) : 0n;
    for (let code = 0; code < codes; code++) if (instruction.set.has(code)) set |= 1n << BigInt(code);
    sets.set(at, set);
    follow.set(at, reached(instructions, at + 1, known));
  });
  return { sets, follow };
}

/** The places that are reached without taking a character, each with the number of ways (2: two or more). Every loop takes one. */
function reached(
  instructions: Program['instructions'],
  from: number,
  known: Map<number, ReadonlyMap<number, number>>,
): ReadonlyMap<number, number> {
  const before = known.get(from);
  if (before !== undefined) return before;
  const found = new Map<number, number>();
  const instruction = instructions[from];
  switch (instruction?.op) {
    case 'character':
      found.set(from, 1);
      break;
    case 'split':
      for (const branch of [instruction.first, instruction.second]) {
        for (const [place, ways] of reached(instructions, branch, known))
          found.set(place, Math.min(2, (found.get(place) ?? 0) + ways));
      }
      break;
    case 'jump':
      for (const [place, ways] of reached(instructions, instruction.to, known)) found.set(place, ways);
      break;
    case 'match':
    case undefined:
      break;
    default:
      for (const [place, ways] of reached(instructions, from + 1, known)) found.set(place, ways);
  }
  known.set(from, found);
  return found;
}

/** Groups of places that lead to each other. */
function rounds(follow: ReadonlyMap<number, ReadonlyMap<number, number>>): Set<number>[] {
  const back = new Map<number, number[]>();
  for (const [place, next] of follow) {
    for (const to of next.keys()) {
      const sources = back.get(to);
      if (sources === undefined) back.set(to, [place]);
      else sources.push(place);
    }
  }
  const left = new Set(follow.keys());
  const groups: Set<number>[] = [];
  for (const place of follow.keys()) {
    if (!left.has(place)) continue;
    const ahead = reachable(place, (at) => follow.get(at)?.keys() ?? []);
    const behind = reachable(place, (at) => back.get(at) ?? []);
    const group = new Set([...ahead].filter((at) => behind.has(at)));
    for (const at of group) left.delete(at);
    left.delete(place);
    if (group.size > 0) groups.push(group);
  }
  return groups;
}

/** What is reached from a place by at least one step. */
function reachable(from: number, next: (at: number) => Iterable<number>): Set<number> {
  const seen = new Set<number>();
  const todo = [...next(from)];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    todo.push(...next(at));
  }
  return seen;
}
