/** What a mutant is: the program with one mistake in it. */

/** Replaces a text that stands in the file exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  /** The sentence, shortened. */
  readonly sentence: string;
  /** What the program does instead. */
  readonly mistake: string;
  /** More than one where two places guard the same rule. */
  readonly edits: readonly Edit[];
  /** Truth cannot see it: only the unit tests are run. */
  readonly isSeenByTests?: boolean;
}

/** A mutant that schedules, or else unit tests, have to catch. */
export function mutant(
  sentence: string,
  mistake: string,
  ...edits: readonly (readonly [string, string, string])[]
): Mutant {
  return { sentence, mistake, edits: edits.map(([file, from, to]) => ({ file, from, to })) };
}

/** A mutant that only unit tests can catch: the truth of the hosts shows no number, no word, and little of what servers are asked. */
export function unseen(
  sentence: string,
  mistake: string,
  ...edits: readonly (readonly [string, string, string])[]
): Mutant {
  return { ...mutant(sentence, mistake, ...edits), isSeenByTests: true };
}
