// Reads a regular expression into a program for `safe-pattern`: small steps that are followed side by side, never backwards.

/** One step. Positions count instructions of the program. */
type Instruction =
  | { readonly op: 'character'; readonly set: CharacterSet }
  /** Goes on at both; what `first` finds is preferred. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  /** Remembers the place as the begin (even slot) or end (odd slot) of a group. */
  | { readonly op: 'save'; readonly slot: number }
  /** A repetition begins anew: what its groups matched before is forgotten. */
  | { readonly op: 'forget'; readonly from: number; readonly to: number }
  | { readonly op: 'atStart' }
  | { readonly op: 'atEnd' }
  | { readonly op: 'match' };

/** Which characters an atom such as `a`, `.`, `\d` or `[^/]` takes. */
interface CharacterSet {
  has(code: number): boolean;
}

/** A program and how many places it remembers: two a group, the whole match included. */
export interface Program {
  readonly instructions: readonly Instruction[];
  readonly slots: number;
  /** It can match at the start of a text only. */
  readonly anchored: boolean;
}

/** Why an expression is refused, as one line. */
class Refusal extends Error {}

type Node =
  | { readonly kind: 'atom'; readonly set: CharacterSet }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'group'; readonly slot: number; readonly inner: Node }
  | {
      readonly kind: 'repeat';
      readonly inner: Node;
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
      /** Slots of the groups inside, the last excluded. */
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: 'atStart' | 'atEnd' };

const longestSource = 1024;
const mostInstructions = 2000;
const deepest = 32;
const quantifier = /[*+?]|\{(\d{1,3})(,(\d{0,3}))?\}/y;
const atom = /\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|c[a-z]|0(?!\d)|[dDwWsStnrvf]|[^0-9a-z])|\[(?:\\.|[^\]\\])*\]|[^\\[\](){}*+?|^$]/isy;

/**
 * @param flags of `i` (any case) and `s` (a dot takes line breaks too)
 * @returns the program, or why the expression is refused
 */
export function readPattern(source: string, flags: string): Program | string {
  if (source.length > longestSource) return `up to ${longestSource} characters`;
  if (!/^(?:i?s?|si)$/.test(flags)) return 'no flags but i and s';
  try {
    new RegExp(source, flags);
  } catch {
    return 'a regular expression of JavaScript without mistakes';
  }
  try {
    const reader = new PatternReader(source, flags);
    const tree = reader.choice(0);
    if (!reader.done) throw new Refusal('closed brackets');
    const instructions: Instruction[] = [];
    emit(instructions, { kind: 'group', slot: 0, inner: tree });
    instructions.push({ op: 'match' });
    return { instructions, slots: reader.slots, anchored: beginsAtStart(tree) };
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

class PatternReader {
  slots = 2;
  readonly #source: string;
  readonly #flags: string;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
  }

  get done(): boolean {
    return this.#at === this.#source.length;
  }

  choice(depth: number): Node {
    if (depth > deepest) throw new Refusal(`groups in up to ${deepest} levels`);
    const parts = [this.#sequence(depth)];
    while (this.#takes('|')) parts.push(this.#sequence(depth));
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'choice', parts };
  }

  #sequence(depth: number): Node {
    const parts: Node[] = [];
    while (!this.done && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')') parts.push(this.#item(depth));
    return { kind: 'sequence', parts };
  }

  #item(depth: number): Node {
    const from = this.slots;
    if (this.#takes('^')) return { kind: 'atStart' };
    if (this.#takes('$')) return { kind: 'atEnd' };
    const inner = this.#takes('(') ? this.#group(depth) : this.#atom();
    const found = this.#match(quantifier);
    if (found === null) return inner;
    const lazy = this.#takes('?');
    if (isNullable(inner)) throw new Refusal('no repetition of what can match nothing');
    const [least, most] = bounds(found);
    return { kind: 'repeat', inner, least, most, lazy, from, to: this.slots };
  }

  #group(depth: number): Node {
    const plain = this.#match(/\?:/y) !== null;
    if (!plain && this.#match(/\?(?!<[A-Za-z_$])/y) !== null) throw new Refusal('no look-ahead and no look-behind');
    const slot = this.slots;
    if (!plain) {
      this.#match(/\?<[\w$]+>/y);
      this.slots += 2;
    }
    const inner = this.choice(depth + 1);
    if (!this.#takes(')')) throw new Refusal('closed brackets');
    return plain ? inner : { kind: 'group', slot, inner };
  }

  #atom(): Node {
    if (/^\\[1-9k]/.test(this.#source.slice(this.#at))) throw new Refusal('no reference back to a group');
    const found = this.#match(atom);
    if (found === null) throw new Refusal('characters, classes such as [a-z] or \\d, groups, | and * + ? {n,m}, ^ and $');
    return { kind: 'atom', set: characterSet(found[0], this.#flags) };
  }

  #takes(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#source);
    if (found !== null) this.#at += found[0].length;
    return found;
  }
}

/** What the language itself says of each character of latin1; others, which no head has, are asked for when they come. */
function characterSet(source: string, flags: string): CharacterSet {
  const expression = new RegExp(`^${source}$`, flags);
  const known = Uint8Array.from({ length: 256 }, (_, code) => (expression.test(String.fromCharCode(code)) ? 1 : 0));
  return { has: (code) => (code < 256 ? known[code] === 1 : expression.test(String.fromCharCode(code))) };
}

function bounds([text, least, comma, most]: RegExpExecArray): [number, number] {
  if (text === '*') return [0, Number.POSITIVE_INFINITY];
  if (text === '+') return [1, Number.POSITIVE_INFINITY];
  if (text === '?') return [0, 1];
  if (comma === undefined) return [Number(least), Number(least)];
  return [Number(least), most === '' ? Number.POSITIVE_INFINITY : Number(most)];
}

function isNullable(node: Node): boolean {
  switch (node.kind) {
    case 'atom':
      return false;
    case 'sequence':
      return node.parts.every(isNullable);
    case 'choice':
      return node.parts.some(isNullable);
    case 'group':
      return isNullable(node.inner);
    case 'repeat':
      return node.least === 0;
    case 'atStart':
    case 'atEnd':
      return true;
  }
}

function beginsAtStart(node: Node): boolean {
  switch (node.kind) {
    case 'atStart':
      return true;
    case 'sequence':
      return node.parts[0] !== undefined && beginsAtStart(node.parts[0]);
    case 'choice':
      return node.parts.every(beginsAtStart);
    case 'group':
      return beginsAtStart(node.inner);
    case 'atom':
    case 'repeat':
    case 'atEnd':
      return false;
  }
}

function emit(program: Instruction[], node: Node): void {
  if (program.length > mostInstructions) throw new Refusal('fewer repetitions');
  switch (node.kind) {
    case 'atom':
      program.push({ op: 'character', set: node.set });
      break;
    case 'sequence':
      for (const part of node.parts) emit(program, part);
      break;
    case 'group':
      program.push({ op: 'save', slot: node.slot });
      emit(program, node.inner);
      program.push({ op: 'save', slot: node.slot + 1 });
      break;
    case 'choice':
      emitChoice(program, node.parts);
      break;
    case 'repeat':
      emitRepeat(program, node);
      break;
    case 'atStart':
    case 'atEnd':
      program.push({ op: node.kind });
      break;
  }
}

function emitChoice(program: Instruction[], parts: readonly Node[]): void {
  const jumps: { to: number }[] = [];
  parts.forEach((part, at) => {
    if (at === parts.length - 1) {
      emit(program, part);
      return;
    }
    const split = { op: 'split' as const, first: program.length + 1, second: 0 };
    program.push(split);
    emit(program, part);
    const jump = { op: 'jump' as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.second = program.length;
  });
  for (const jump of jumps) jump.to = program.length;
}

/** Written out as often as it must be there, then as often as it may; without an end: once, with a way back. */
function emitRepeat(program: Instruction[], node: Extract<Node, { kind: 'repeat' }>): void {
  const round = (): void => {
    if (node.to > node.from) program.push({ op: 'forget', from: node.from, to: node.to });
    emit(program, node.inner);
  };
  for (let count = 0; count < node.least; count++) round();
  const optional = (): { first: number; second: number; leave(): void } => {
    const split = { op: 'split' as const, first: 0, second: 0 };
    program.push(split);
    if (node.lazy) split.second = program.length;
    else split.first = program.length;
    const leave = (): void => {
      if (node.lazy) split.first = program.length;
      else split.second = program.length;
    };
    return Object.assign(split, { leave });
  };
  if (node.most === Number.POSITIVE_INFINITY) {
    const start = program.length;
    const { leave } = optional();
    round();
    program.push({ op: 'jump', to: start });
    leave();
    return;
  }
  const leaves: (() => void)[] = [];
  for (let count = node.least; count < node.most; count++) {
    leaves.push(optional().leave);
    round();
  }
  for (const leave of leaves) leave();
}
