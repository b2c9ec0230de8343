// A part of the fuzz: what is made up, and what must hold for each thing that is.
import fc from 'fast-check';

/** @template Case what is made up: plain values that survive JSON, since finds are kept as files */
interface PartText<Case> {
  readonly name: string;
  /** Makes cases. */
  readonly cases: fc.Arbitrary<Case>;
  /** Throws, with what is wrong, where something does not hold. */
  readonly check: (one: Case) => void | Promise<void>;
  /** How many cases take about a second on a small machine; a budget is counted in cases, so that it is the same everywhere. */
  readonly perSecond: number;
  /** Starts what the checks need. */
  readonly open?: () => Promise<void>;
  readonly close?: () => Promise<void>;
}

/** Something that does not hold, made as small as it could be. */
export interface Find {
  readonly part: string;
  readonly seed: number;
  readonly error: string;
  readonly case: unknown;
}

/** A part that can be run. */
export interface FuzzPart {
  readonly name: string;
  readonly perSecond: number;
  /** Checks so many cases, made from a seed. @returns the first for which something does not hold */
  run(seed: number, cases: number): Promise<Find | null>;
  /** Checks a case that was kept. @throws Error with what does not hold */
  replay(kept: unknown): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a part. */
export function fuzzPart<Case>({ name, cases, check, perSecond, open, close }: PartText<Case>): FuzzPart {
  const property = fc.asyncProperty(cases, async (one) => {
    await check(one);
  });
  return {
    name,
    perSecond,
    run: async (seed, numRuns) => {
      const details = await fc.check(property, { seed, numRuns });
      if (!details.failed) return null;
      const error = details.errorInstance;
      return {
        part: name,
        seed,
        error: error instanceof Error ? error.message : String(error),
        case: details.counterexample?.[0],
      };
    },
    replay: async (kept) => check(kept as Case),
    open: async () => open?.(),
    close: async () => close?.(),
  };
}
