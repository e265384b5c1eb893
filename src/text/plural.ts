/** Formats a count of things. */

/** `1 machine`, `2 machines`. */
export function plural(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
