/** What a listing repeats from the listing before: it is taken from there, so that a steady pass leaves little garbage and few new texts. */

/** `before` where both have the same entries, else `now`. */
export function unchangedMap(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  if (before.size !== now.size) return now;
  for (const key of now.keys()) if (before.get(key) !== now.get(key)) return now;
  return before;
}

/** `before` where both have the same items in the same order, else `now`. */
export function unchangedList(before: readonly string[], now: readonly string[]): readonly string[] {
  return before.length === now.length && before.every((item, index) => item === now[index]) ? before : now;
}
