/** Lengths of time in ms, and how a moment of a schedule is written. */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** `00:04:30` after the schedule began. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
