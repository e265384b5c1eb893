/** Formats a count of things. */

/** `1 machine`, `2 machines`. */
export function plural(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** `once`, `2 times`. */
export function timesInWords(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
