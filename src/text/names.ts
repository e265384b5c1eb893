/** Lists names in a sentence. */

/** `a, b, c and 12 more`: the first names, and how many more there are. */
export function firstNames(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
