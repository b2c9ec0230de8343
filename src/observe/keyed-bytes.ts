// Counts by key as bytes: how many keys there are, then each with its count.
import type { ByteReader, ByteWriter } from '../base/varints.js';
import type { KeyedCounts } from './keyed-counts.js';

export function writeCodes(out: ByteWriter, counts: KeyedCounts<number>): void {
  out.number(counts.size);
  const { firstKey, firstCount, restKeys } = counts;
  if (firstKey !== null && firstCount > 0) {
    out.number(firstKey);
    out.number(firstCount);
  }
  if (restKeys === null) return;
  for (let at = 0; at < restKeys.length; at++) {
    const count = counts.restCounts?.[at] ?? 0;
    if (count === 0) continue;
    out.number(restKeys[at] as number);
    out.number(count);
  }
}

export function writeErrors(out: ByteWriter, counts: KeyedCounts<string>): void {
  out.number(counts.size);
  // Errors are seldom: what it takes does not matter.
  for (const [code, count] of counts.size === 0 ? [] : counts.entries()) {
    out.text(code);
    out.number(count);
  }
}

/** @param to where they are added: once to each */
export function readCodes(from: ByteReader, to: readonly { readonly codes: KeyedCounts<number> }[]): void {
  for (let left = from.count(); left > 0; left--) {
    const code = from.number();
    const count = from.number();
    for (let at = 0; at < to.length; at++) to[at]?.codes.add(code, count);
  }
}

export function readErrors(from: ByteReader, to: readonly { readonly errors: KeyedCounts<string> }[]): void {
  for (let left = from.count(); left > 0; left--) {
    const code = from.text();
    const count = from.number();
    for (let at = 0; at < to.length; at++) to[at]?.errors.add(code, count);
  }
}
