/** Mistakes that the program could have: at least one for each sentence of DESIGN sections 3 and 4 that a pass can break. */

/** Replaces a text that stands in the file exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  /** DESIGN's, shortened. */
  readonly sentence: string;
  /** What the program does instead. */
  readonly mistake: string;
  /** More than one where two places guard the same rule. */
  readonly edits: readonly Edit[];
  /** Truth cannot see it: only the unit tests are run. */
  readonly isSeenByTests?: boolean;
}

export const MUTANTS: readonly Mutant[] = [];
