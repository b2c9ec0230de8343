// Regular expressions whose time grows with the text and never faster: all ways through are followed side by side, none is tried again.
import { type Program, readPattern } from './pattern-program.js';

/** Places of groups so far; -1: none. Never changed, since ways share them. */
type Places = readonly number[];

/** A way through the program, and where it stands. */
interface Way {
  readonly at: number;
  readonly places: Places;
}

/**
 * Finds what JavaScript finds for the same expression. Taken are characters, classes, groups (also named ones and `(?:…)`),
 * `|`, `^`, `$`, and greedy and lazy `* + ? {n,m}` of what cannot match nothing; refused are references back, look-ahead and
 * look-behind, `\b` and `\B`: what is left needs at most (length of the text) × (size of the expression) steps.
 */
export class SafePattern {
  readonly source: string;
  readonly flags: string;
  readonly #program: Program;
  /** At which place of the text each instruction was last reached: a second way there is never better than the first. */
  readonly #reached: Int32Array;

  constructor(source: string, flags: string, program: Program) {
    this.source = source;
    this.flags = flags;
    this.#program = program;
    this.#reached = new Int32Array(program.instructions.length);
  }

  /** How many groups it has. */
  get groups(): number {
    return this.#program.slots / 2 - 1;
  }

  test(text: string): boolean {
    return this.#run(text) !== null;
  }

  /** The whole match and its groups, those that took no part undefined; null: the text does not match. */
  match(text: string): readonly (string | undefined)[] | null {
    const places = this.#run(text);
    if (places === null) return null;
    const found: (string | undefined)[] = [];
    for (let slot = 0; slot < places.length; slot += 2) {
      const end = places[slot + 1] as number;
      found.push(end === -1 ? undefined : text.slice(places[slot], end));
    }
    return found;
  }

  #run(text: string): Places | null {
    const { instructions, slots, anchored } = this.#program;
    this.#reached.fill(-1);
    const nowhere: Places = new Array<number>(slots).fill(-1);
    let ways: Way[] = [];
    let best: Places | null = null;
    for (let at = 0; at <= text.length; at++) {
      if (best === null && (at === 0 || !anchored)) this.#follow(ways, 0, nowhere, at, text.length);
      if (ways.length === 0 && (best !== null || anchored)) break;
      const next: Way[] = [];
      const code = text.charCodeAt(at);
      for (const way of ways) {
        const instruction = instructions[way.at];
        if (instruction?.op === 'match') {
          // What stands behind it is preferred less.
          best = way.places;
          break;
        }
        if (instruction?.op === 'character' && at < text.length && instruction.set.has(code))
          this.#follow(next, way.at + 1, way.places, at + 1, text.length);
      }
      ways = next;
    }
    return best;
  }

  /** Goes on until a character is needed, into all branches in the order of preference. */
  #follow(ways: Way[], from: number, places: Places, at: number, length: number): void {
    const pending: Way[] = [{ at: from, places }];
    for (let way = pending.pop(); way !== undefined; way = pending.pop()) {
      if (this.#reached[way.at] === at) continue;
      this.#reached[way.at] = at;
      const instruction = this.#program.instructions[way.at];
      const next = way.at + 1;
      switch (instruction?.op) {
        case 'split':
          pending.push({ at: instruction.second, places: way.places }, { at: instruction.first, places: way.places });
          break;
        case 'jump':
          pending.push({ at: instruction.to, places: way.places });
          break;
        case 'save':
          pending.push({ at: next, places: way.places.with(instruction.slot, at) });
          break;
        case 'forget': {
          const { from: first, to } = instruction;
          pending.push({ at: next, places: way.places.map((place, slot) => (slot >= first && slot < to ? -1 : place)) });
          break;
        }
        case 'atStart':
          if (at === 0) pending.push({ at: next, places: way.places });
          break;
        case 'atEnd':
          if (at === length) pending.push({ at: next, places: way.places });
          break;
        default:
          ways.push(way);
      }
    }
  }
}

/**
 * Reads an expression.
 * @param flags `i`, `s`, both or none
 * @returns the pattern, or what is allowed in place of what was written, as one line
 */
export function parseSafePattern(source: string, flags = ''): SafePattern | string {
  const program = readPattern(source, flags);
  return typeof program === 'string' ? program : new SafePattern(source, flags, program);
}
