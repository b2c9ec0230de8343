// A hash of short texts that is the same in every process and spreads well. Not for secrets: whoever wants collisions finds them.

const prime = 0x01000193;

/**
 * 32 bits of a text (FNV-1a over its code units, then the finalizer of MurmurHash3).
 * @param seed another one gives another, independent hash
 * @returns a whole number from 0 to 2^32 - 1
 */
export function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), prime);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), prime);
  }
  return mixBits(hash);
}

/** Spreads every bit of a 32-bit number over all others; a bijection. */
export function mixBits(bits: number): number {
  let mixed = bits;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
