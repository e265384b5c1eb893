/** Counts words. */

/** How often each word occurs, in the order in which they first occur. */
export function tally(words: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
