// The syntax of nginx's configuration: words, quotes, comments, blocks.
import { CommandError } from '../command-error.js';

/** A directive with its words, the first of which is its name, and what is in its block. */
export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
  /** Null: it has no block. */
  readonly block: readonly Directive[] | null;
  /** Line in the file, from 1. */
  readonly line: number;
}

interface Token {
  readonly text: string;
  readonly line: number;
  /** In quotes, and so no sign. */
  readonly quoted: boolean;
}

const token = /\s+|#[^\n]*|"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'|[;{}]|(?:\$\{\w+\}|[^\s;{}"'\\]|\\[\s\S])+|["'\\]/g;

/** @param file for what is said of faults. @throws CommandError */
export function parseNginx(text: string, file: string): Directive[] {
  const tokens = tokensOf(text, file);
  let at = 0;
  const block = (open: Token | null): Directive[] => {
    const directives: Directive[] = [];
    let words: Token[] = [];
    for (;;) {
      const one = tokens[at];
      at += 1;
      if (one === undefined) {
        const [first] = words;
        if (open !== null) throw new CommandError(`${file}:${open.line}: the block is not closed`);
        if (first !== undefined) throw new CommandError(`${file}:${first.line}: "${first.text.slice(0, 40)}" has no ; behind it`);
        return directives;
      }
      const [first] = words;
      if (one.quoted || !/^[;{}]$/.test(one.text)) {
        words.push(one);
      } else if (one.text === '}') {
        if (open === null || first !== undefined) throw new CommandError(`${file}:${one.line}: } comes unexpectedly`);
        return directives;
      } else if (first === undefined) {
        if (one.text === '{') throw new CommandError(`${file}:${one.line}: { comes unexpectedly`);
      } else {
        const inside = one.text === '{' ? block(one) : null;
        directives.push({ name: first.text, words: words.map(({ text: word }) => word), block: inside, line: first.line });
        words = [];
      }
    }
  };
  return block(null);
}

function tokensOf(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [whole, double, single] of text.matchAll(token)) {
    if (/^["'\\]$/.test(whole)) throw new CommandError(`${file}:${line}: a quote is not closed`);
    const quoted = double ?? single;
    if (quoted !== undefined) tokens.push({ text: quoted.replace(/\\(["'\\])/g, '$1'), line, quoted: true });
    else if (!/^(?:\s|#)/.test(whole)) tokens.push({ text: whole, line, quoted: false });
    line += whole.split('\n').length - 1;
  }
  return tokens;
}
