// Tables for people: columns as wide as what is in them, two spaces apart.
import { printable } from './printable.js';

/** Where a column stands; numbers are easier to compare when their ends meet. */
export type Align = 'left' | 'right';

export interface Column {
  readonly title: string;
  readonly align?: Align;
}

/** Prints row after row; a later page widens what it must, and never narrows. */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];
  #begun = false;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => title.length);
  }

  /** The lines of some rows; above the first of them the titles. */
  lines(rows: readonly (readonly string[])[]): string[] {
    const cells = rows.map((row) => row.map(printable));
    for (const row of cells) this.#widen(row);
    const titles = this.#begun ? [] : [this.#columns.map(({ title }) => title)];
    this.#begun = true;
    return [...titles, ...cells].map((row) => this.#line(row));
  }

  #widen(row: readonly string[]): void {
    for (const [at, { length }] of row.entries()) this.#widths[at] = Math.max(this.#widths[at] ?? 0, length);
  }

  #line(row: readonly string[]): string {
    const padded = row.map((cell, at) => {
      const width = this.#widths[at] ?? 0;
      return this.#columns[at]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return padded.join('  ').trimEnd();
  }
}

/** Names with their values below each other; a value of several lines is written under the first. */
export function pairLines(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.flatMap(([name, value]) =>
    value.split('\n').map((line, at) => `${(at === 0 ? name : '').padEnd(width)}  ${printable(line)}`.trimEnd()),
  );
}
