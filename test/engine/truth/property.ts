// What must hold of every sequence, for a short run, a long one, and one outside CI.
import fc from 'fast-check';
import { type Move, moves, play, world } from './operations.ts';
import { agedWords, settle, type Violation } from './oracle.ts';
import { World, type WorldOptions } from './world.ts';

export type Sequence = [WorldOptions, Move[]];

export const sequence = (most: number): fc.Arbitrary<Sequence> => fc.tuple(world, moves(most));

/** Plays one sequence; undefined: nothing was said that is not so. */
export async function violationOf([options, all]: Sequence): Promise<Violation | undefined> {
  const opened = await World.open(options);
  try {
    await play(opened, all);
    return (await settle(opened)) ?? (await agedWords(opened));
  } finally {
    await opened.close();
  }
}

/** A run that anybody can repeat; other seeds are for campaigns, which are outside CI. */
const SEED = 20_261_130;

/** `TRUTH_RUNS` and `TRUTH_SEED` say how many and which. */
export async function nothingUntrueIsSaid(runs: number, most: number): Promise<void> {
  const { TRUTH_RUNS, TRUTH_SEED } = process.env;
  await fc.assert(
    fc.asyncProperty(sequence(most), async (one) => {
      const found = await violationOf(one);
      if (found) throw new Error(describe(found));
    }),
    { numRuns: Number(TRUTH_RUNS ?? runs), seed: Number(TRUTH_SEED ?? SEED) },
  );
}

export const describe = ({ kind, truth, said }: Violation): string =>
  `${kind}: the token is ${truth}, and ${said.surface} says: ${said.words}`;
