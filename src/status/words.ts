/** Pieces of the sentences about a status. */
import { onOneLine } from '../text/quote.ts';
import { tally } from '../text/tally.ts';
import { formatAge } from '../time/duration.ts';
import type { OverviewRow } from './overview.ts';

/** The longest text from others in a sentence, in characters. */
export const LONGEST = 300;

/** The number of rows of each verdict, the most frequent first: `2 waiting, 1 orphan`. */
export function tallyOf(rows: readonly OverviewRow[]): string {
  return [...tally(rows.map(({ verdict }) => verdict.verdict))]
    .toSorted(([, a], [, b]) => b - a)
    .map(([verdict, times]) => `${times} ${onOneLine(verdict, LONGEST)}`)
    .join(', ');
}

/** ` for 3m12s`; empty for less than a second. */
export function between(since: string, now: string): string {
  const ms = Date.parse(now) - Date.parse(since);
  return ms < 1_000 ? '' : ` for ${formatAge(ms)}`;
}

/** The text with a capital letter at its beginning. */
export function capitalized(text: string): string {
  // The name of fleet has a small letter.
  return text.startsWith('fleet') ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** A text from others on one line, with one full stop. */
export function ended(text: string): string {
  return `${onOneLine(text, LONGEST).replace(/\.+$/, '')}.`;
}
