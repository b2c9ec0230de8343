// Sets of names, and the lines that are left when those of a set are dropped.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { allNames, HeaderNames, lengthsOf } from '../../../src/http1/header-names.js';
import { HeaderList } from '../../../src/http1/headers.js';

function listOf(pairs: readonly (readonly [string, string])[]): HeaderList {
  const spans: number[] = [];
  let text = '';
  for (const [name, value] of pairs) {
    const start = text.length;
    spans.push(0, start, start + name.length, start + name.length + 2, start + name.length + 2 + value.length);
    text += `${name}: ${value}\r\n`;
  }
  return new HeaderList(text, spans, 1);
}

const name = fc.constantFrom('X-A', 'x-b', 'Server', 'Cookie', 'X-Served', `X-${'long'.repeat(9)}`, `x-${'gone'.repeat(1)}`);

it('drop what a plain comparison drops, whatever is in the list and in the set (property)', () => {
  const lines = fc.array(fc.tuple(name, fc.constantFrom('1', '', 'two words')), { maxLength: 12 });
  fc.assert(
    fc.property(lines, fc.array(name, { maxLength: 5 }), (pairs, dropped) => {
      const names = new Set(dropped.map((one) => one.toLowerCase()));
      const left = pairs.filter(([one]) => !names.has(one.toLowerCase()));
      const list = listOf(pairs);
      const expected = left.map(([one, value]) => `${one}: ${value}\r\n`).join('');
      expect(list.without(0, names)).toBe(expected);
      expect(list.without(0, allNames(names))).toBe(expected);
      for (const one of names) expect(list.hasName(one)).toBe(pairs.some(([other]) => other.toLowerCase() === one));
    }),
  );
});

it('know their lengths however they were filled', () => {
  const names = new HeaderNames();
  names.add('host').add('x-a');
  expect(lengthsOf(names)).toBe(lengthsOf(new Set(['host', 'x-a'])));
  expect(lengthsOf(allNames(names, new Set(['cookie'])))).toBe(lengthsOf(new Set(['host', 'x-a', 'cookie'])));
});
