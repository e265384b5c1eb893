/** A change of the source by Stryker. */

/** The lines that a mutant is on, before and after, each put on one line. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A change that no test notices, and why none can. */
export interface Survivor extends Change {
  readonly why: string;
}
