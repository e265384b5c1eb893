/** What this process wrote to the API server, and how often others have undone it. */
import { NextMap } from './next-map.ts';

/** The values of a write, by what they are written to; null removes. */
export type Values = ReadonlyMap<string, string | null>;

/** A write that others may undo. */
export interface Write {
  /** The values that were written last. */
  readonly values: Values;
  readonly times: number;
  /** Monotonic ms of the last write. */
  readonly atMs: number;
  /** Monotonic ms at which it was last seen undone; undefined if never. */
  readonly missingAtMs: number | undefined;
}

/** By key of a write: see `writeOf`. */
export type Writes = ReadonlyMap<string, Write>;

/** How often others have undone a write, and the ms until it is repeated; 0 is now. */
export interface Undone {
  readonly times: number;
  readonly waitMs: number;
}

const MINUTE = 60_000;

/** The longest time between two writes of the same values, and the time after which a write that lasts is forgotten. */
const HOUR = 60 * MINUTE;

/** How often these values were undone. They are repeated at once the first time, then after 1, 2, 4 and up to 60 minutes. */
export function undoneSince(writes: Writes, key: string, values: Values, nowMs: number): Undone {
  const write = writes.get(key);
  if (write === undefined || !repeats(write, values)) return { times: 0, waitMs: 0 };
  const pauseMs = write.times < 2 ? 0 : Math.min(2 ** (write.times - 2) * MINUTE, HOUR);
  return { times: write.times, waitMs: Math.max(write.atMs + pauseMs - nowMs, 0) };
}

/** The write after these values were written once more. */
export function addWrite(before: Write | undefined, values: Values, nowMs: number): Write {
  const times = before !== undefined && repeats(before, values) ? before.times + 1 : 1;
  return { values: new Map([...(before?.values ?? []), ...values]), times, atMs: nowMs, missingAtMs: undefined };
}

/** Whether any of the values was the last one written there already. */
function repeats(write: Write, values: Values): boolean {
  return [...values].some(([key, value]) => write.values.get(key) === value);
}

/** The writes without those that lasted an hour. `missing` holds the keys of those that are undone in this pass. */
export function unsettledWrites(writes: Writes, missing: ReadonlySet<string>, nowMs: number): Writes {
  const unsettled = new NextMap(writes);
  for (const [key, write] of writes) {
    const { atMs, missingAtMs = atMs } = write;
    if (missing.has(key)) unsettled.set(key, { ...write, missingAtMs: nowMs });
    else if (nowMs - Math.max(atMs, missingAtMs) <= HOUR) unsettled.set(key, write);
  }
  return unsettled.map;
}
