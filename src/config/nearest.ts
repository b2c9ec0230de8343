// The known name that is nearest to a misspelt one.

/** More than any known name has, with as many letters again. */
const longestName = 128;

/**
 * Finds what somebody probably meant.
 * @returns the candidate with the smallest edit distance, or undefined where none is near enough to be a misspelling
 */
export function nearestName(written: string, candidates: Iterable<string>): string | undefined {
  // Comparing takes time by the length of both, and nobody misspells a name into a page of text.
  if (written.length > longestName) return undefined;
  const wanted = written.toLowerCase();
  let nearest: string | undefined;
  let best = Math.max(2, Math.floor(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
