// A table of values by texts does what a Map does.
import { expect, it } from 'vitest';
import { TextTable } from '../../../src/base/text-table.js';
import { newSeed, seeded } from '../../helpers/seeded.js';

interface Value {
  readonly key: string;
  readonly number: number;
}

const random = seeded(newSeed('text-table'));
const below = (bound: number): number => Math.floor(random() * bound);

it('has what was put in and not deleted, as a Map has, after any number of changes', () => {
  const table = new TextTable<Value>();
  const map = new Map<string, Value>();
  const letters = ['a', 'B', '.', '-', 'é', '\u{1f600}'];
  const texts = Array.from({ length: 600 }, () =>
    Array.from({ length: below(40) }, () => letters[below(letters.length)]).join(''),
  );
  for (let step = 0; step < 30_000; step++) {
    // By turns it grows and shrinks.
    const key = texts[below(texts.length)] as string;
    if (random() < (step % 6000 < 3000 ? 0.7 : 0.3)) {
      const value = { key, number: step };
      table.set(value);
      map.set(key, value);
    } else expect(table.delete(key)).toBe(map.delete(key));
    expect(table.size).toBe(map.size);
    const other = texts[below(texts.length)] as string;
    expect(table.get(other)).toBe(map.get(other));
  }
  for (const text of texts) expect(table.get(text)).toBe(map.get(text));
});

it('finds a text that is a part of another one', () => {
  const table = new TextTable<Value>();
  for (let number = 0; number < 5000; number++) table.set({ key: `site-${number}.example.com`, number });
  const head = Array.from({ length: 5000 }, (_, number) => `site-${number}.example.com`).join('|');
  head.split('|').forEach((host, number) => {
    expect(table.get(host)?.number).toBe(number);
    expect(table.get(`${host}.`)).toBeUndefined();
  });
});

it('tells names that are alike apart without comparing them', () => {
  for (let turn = 0; turn < 20; turn++) {
    const table = new TextTable<Value>();
    let compared = 0;
    for (let number = 0; number < 2000; number++) {
      table.set({
        get key() {
          compared++;
          return nameOf(number);
        },
        number,
      });
    }
    compared = 0;
    for (let number = 0; number < 2000; number++) expect(table.get(nameOf(number))?.number).toBe(number);
    // Its own, and next to never one with the same 32 bits.
    expect(compared).toBeLessThan(2000 * 1.01);
  }
});

function nameOf(number: number): string {
  return `s${String(number).padStart(6, '0')}.example`;
}
