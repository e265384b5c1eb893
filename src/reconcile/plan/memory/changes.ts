/** The last values of something, and whether they alternate: A, B, A, B within an hour. */

/** The values that something had, the latest last, each with the time (monotonic ms) at which it began. */
export type Changes = readonly { readonly value: string; readonly atMs: number }[];

/** Values alternate when they return within this time. */
export const ALTERNATION_MS = 60 * 60_000;

/** An identity that changed within this time is read again in every pass. */
const UNSETTLED_MS = 10 * 60_000;

/** How many changes are kept of each thing: enough to see the values of several hosts return. */
const MAX_CHANGES = 8;

/** How often a value has to return: twice in A, B, A, B. */
const RETURNS = 2;

/** The changes of a thing after it was seen to have this value. An empty value means unknown and changes nothing. */
export function addValue(before: Changes | undefined, value: string, nowMs: number): Changes {
  const changes = before ?? [];
  if (value === '' || changes.at(-1)?.value === value) return changes;
  return [...changes, { value, atMs: nowMs }].slice(-MAX_CHANGES);
}

/**
 * The last two values of a thing that alternates, or undefined. It alternates when values returned twice within an hour, as in A, B, A, B.
 * Three hosts give A, C, B, A, C.
 */
export function alternation(changes: Changes, nowMs: number): readonly [string, string] | undefined {
  if (changes.length < RETURNS + 2) return undefined;
  const recent = changes.filter((_, index, all) => (all[index + 1]?.atMs ?? nowMs) >= nowMs - ALTERNATION_MS);
  const values = recent.map(({ value }) => value);
  const returns = values.filter((value, index) => values.indexOf(value) < index).length;
  const last = values.at(-1);
  const other = values.at(-2);
  if (returns < RETURNS || last === undefined || other === undefined) return undefined;
  return [other, last];
}

/** The key in `Memory.changes` for the machine ID and addresses that a node reports. */
export function identityKey(uid: string): string {
  return `id ${uid}`;
}

/**
 * Whether the node reported another identity within the last ten minutes, so that it may change back. An identity that only gained
 * parts, as an address, is the same one.
 */
export function isUnsettled(allChanges: ReadonlyMap<string, Changes>, uid: string, nowMs: number): boolean {
  const changes = allChanges.get(identityKey(uid));
  const last = changes?.at(-1);
  const before = changes?.at(-2);
  if (last === undefined || before === undefined || nowMs - last.atMs >= UNSETTLED_MS) return false;
  const parts = last.value.split(' ');
  return before.value.split(' ').some((part) => !parts.includes(part));
}
