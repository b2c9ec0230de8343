// Expressions that could take exponential time: found out by looking at them, and compared with an engine that counts its steps.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExponentiallyAmbiguous } from '../../../src/base/pattern-ambiguity.js';
import { type Program, readPattern } from '../../../src/base/pattern-program.js';

function program(source: string): Program {
  const read = readPattern(source, '');
  if (typeof read === 'string') throw new Error(`${source}: ${read}`);
  return read;
}

const enough = 3_000_000;

/** Steps of an engine that tries one way after the other, as that of JavaScript does; no more than `enough`. */
function steps({ instructions }: Program, text: string): number {
  let count = 0;
  const todo: { at: number; place: number }[] = [{ at: 0, place: 0 }];
  for (let way = todo.pop(); way !== undefined && count < enough; way = todo.pop()) {
    count++;
    const { at, place } = way;
    const instruction = instructions[at];
    switch (instruction?.op) {
      case 'character':
        if (place < text.length && instruction.set.has(text.charCodeAt(place))) todo.push({ at: at + 1, place: place + 1 });
        break;
      case 'split':
        todo.push({ at: instruction.second, place }, { at: instruction.first, place });
        break;
      case 'jump':
        todo.push({ at: instruction.to, place });
        break;
      case 'atStart':
        if (place === 0) todo.push({ at: at + 1, place });
        break;
      case 'atEnd':
        if (place === text.length) todo.push({ at: at + 1, place });
        break;
      case 'match':
        return count;
      default:
        todo.push({ at: at + 1, place });
    }
  }
  return count;
}

describe('an expression that doubles the ways with each round', () => {
  it.each([
    ['^(a+)+$', 'a'],
    ['^(a|a)*$', 'a'],
    ['^(a|aa)+$', 'a'],
    ['^(x+x+)+y$', 'x'],
    ['^([a-z]+)*$', 'a'],
    ['^(\\w+\\s?)*$', 'a'],
    ['^(a|b|ab)*$', 'ab'],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'],
    ['^([a-z]|[^.!])+$', 'a'],
    ['^(ab|a(b|c))*$', 'ab'],
    ['^(a{1,2}){1,}$', 'a'],
  ])('%s is found out', (source, word) => {
    expect(isExponentiallyAmbiguous(program(source))).toBe(true);
    // And it does: ten words more are a thousand times the steps.
    const few = steps(program(source), `${word.repeat(8)}!`);
    expect(steps(program(source), `${word.repeat(18)}!`)).toBeGreaterThan(Math.min(enough - 1, 80 * few));
  });
});

describe('an expression that people write for hosts and paths', () => {
  it.each([
    '^.*\\.example\\.com$',
    '^re\\d+\\.x$',
    '^(www|api)\\.example\\.(com|org)$',
    '^[a-z0-9]+(-[a-z0-9]+)*\\.example\\.com$',
    '^([a-z0-9]+(-[a-z0-9]+)*\\.)+example\\.com$',
    '^\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}$',
    '^/users/(\\d+)/(.*)$',
    '.*foo.*bar.*',
    '^(ab|ac)*$',
    '(.|.){100}',
    '',
    '^$',
  ])('%s is taken', (source) => {
    expect(isExponentiallyAmbiguous(program(source))).toBe(false);
  });
});

it('is true for an expression too large to find out', () => {
  const codes = Array.from({ length: 200 }, (_, at) => `\\x${(at + 32).toString(16)}`);
  expect(isExponentiallyAmbiguous(program(`(${codes.join('|')})+`))).toBe(true);
  expect(isExponentiallyAmbiguous(program(`(${codes.slice(0, 20).join('|')})+`))).toBe(false);
});

const letter = fc.constantFrom('a', 'b', '[ab]', '.');
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'tree' },
    letter,
    fc.tuple(tie('tree'), tie('tree')).map(([one, other]) => one + other),
    fc.tuple(tie('tree'), tie('tree')).map(([one, other]) => `(${one}|${other})`),
    fc.tuple(tie('tree'), fc.constantFrom('+', '+?', '{1,2}', '{2}')).map(([one, times]) => `(${one})${times}`),
  ),
}));

it('no expression that is taken needs exponentially many steps', () => {
  let taken = 0;
  fc.assert(
    fc.property(tree, fc.constantFrom('a', 'b', 'ab', 'aab'), (source, word) => {
      const read = program(`^(?:${source})$`);
      if (isExponentiallyAmbiguous(read)) return;
      taken++;
      const few = steps(read, `${word.repeat(8)}!`);
      // Four loops in a row are 2^4 times the steps for twice the text; one that doubles by each round is 2^8 times.
      expect(steps(read, `${word.repeat(16)}!`)).toBeLessThan(60 * few);
    }),
    { numRuns: 1500 },
  );
  expect(taken).toBeGreaterThan(300);
});
