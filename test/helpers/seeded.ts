// Chance that can be had again: a generator from a seed, which is printed so that a failure can be repeated with TEST_SEED.

/** Numbers from 0 to below 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
}

/** A seed for a test file: that of the environment, else a new one. Prints it. */
export function newSeed(what: string): number {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 0x1_0000_0000));
  process.stdout.write(`${what}: TEST_SEED=${seed}\n`);
  return seed;
}
