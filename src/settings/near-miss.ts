/** Finds the name that a mistyped one was meant to be. */

/** Longer than any known name; bounds the work for a hostile one. */
const LONGEST = 64;

/** What the README of the Go program called a flag by mistake. */
const MISPRINTS: Readonly<Record<string, string>> = { APISERVER_ENDPOINT: 'API_ENDPOINT' };

/**
 * The candidate with the smallest edit distance, if that is at most a quarter of its length; else the
 * one candidate that begins with the word (API_TOKEN for API_TOKEN_FILE); else undefined.
 */
export function nearMiss(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const meant = MISPRINTS[word];
  if (meant !== undefined && candidates.includes(meant)) return meant;
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const slips = editDistance(word, candidate);
    if (slips < fewest && slips <= Math.max(1, Math.floor(candidate.length / 4))) {
      best = candidate;
      fewest = slips;
    }
  }
  if (best !== undefined) return best;
  const longer = candidates.filter((candidate) => candidate.startsWith(`${word}_`));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Levenshtein with swaps: how many letters must be added, dropped or replaced, or swapped with the next one. */
function editDistance(from: string, to: string): number {
  let beforePrevious: readonly number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = at(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(replaced, swapped, at(previous, column) + 1, at(current, column - 1) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? Number.POSITIVE_INFINITY;
}
