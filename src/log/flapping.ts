/** Whether a change has a line of its own: what comes and goes has one the first times, and then one now and then that has the count. */
import { formatAge } from '../time/duration.ts';

/** So many times each state of one thing is told by itself. */
const TOLD = 3;
/** What has not changed for so long is told as new again. */
const CALM_MS = 10 * 60_000;
const FIRST_MS = 60_000;
const LONGEST_MS = 60 * 60_000;
/** Shorter than this, nobody calls it steady. */
const STEADY_MS = 60_000;

/** What goes before the sentence about something that comes and goes, and with it. */
export interface Flaps {
  readonly preface: string;
  readonly figures: {
    /** So many times it has come to the same state. */
    readonly flaps: number;
    /** From the first change to the last. */
    readonly flappedMs: number;
  };
}

interface History {
  readonly sinceMs: number;
  readonly came: Map<string, number>;
  state: string;
  changedMs: number;
  /** Whether a change was not told by itself. */
  flaps: boolean;
  /** Whether the log has said nothing since the last such change. */
  hasUntold: boolean;
  dueMs: number;
}

/** How long the log may be silent about what has lasted for so long: for as long again, within a minute and an hour. */
export function waitAfter(lastedMs: number): number {
  return Math.min(Math.max(lastedMs, FIRST_MS), LONGEST_MS);
}

/**
 * Things that change to and fro, each by its key. What is not told by itself is told a minute after the first change, and then when it
 * has gone on for twice as long as at the last time, but an hour later at the latest; and when it has been calm for ten minutes. So the
 * last that is told of a thing is true in the end, if somebody asks for what is due now and then. Times are monotonic ms.
 */
export class Flapping<Key extends string> {
  readonly #histories = new Map<Key, History>();

  /**
   * It has come to this state. Whether that is told by itself. A state that is not `worthy` never is; of a thing that flaps it is told
   * late all the same, for the log has spoken of the others.
   */
  changed(key: Key, state: string, nowMs: number, worthy = true): boolean {
    const before = this.#histories.get(key);
    if (before === undefined || isCalm(before, nowMs)) {
      const came = new Map([[state, 1]]);
      const dueMs = nowMs + FIRST_MS;
      const begun = { sinceMs: nowMs, came, state, changedMs: nowMs, flaps: false, hasUntold: false, dueMs };
      this.#histories.set(key, begun);
      return worthy;
    }
    const times = (before.came.get(state) ?? 0) + 1;
    before.came.set(state, times);
    before.state = state;
    before.changedMs = nowMs;
    const isTold = worthy && times <= TOLD;
    before.flaps ||= worthy && !isTold;
    before.hasUntold = before.flaps && !isTold;
    return isTold;
  }

  /** What to say of the state that it is in: undefined when that was told, or is not due. Forgets what has been calm for long. */
  due(key: Key, nowMs: number): Flaps | undefined {
    const history = this.#histories.get(key);
    if (history === undefined) return undefined;
    const isOver = isCalm(history, nowMs);
    if (isOver) this.#histories.delete(key);
    if (!history.hasUntold || !(isOver || nowMs >= history.dueMs)) return undefined;
    history.hasUntold = false;
    history.dueMs = nowMs + waitAfter(nowMs - history.sinceMs);
    return flapsOf(history, nowMs);
  }

  /** The state that it is in; undefined when it has been calm for so long that it is forgotten. */
  stateOf(key: Key): string | undefined {
    return this.#histories.get(key)?.state;
  }

  /** Whatever is not forgotten yet. */
  keys(): readonly Key[] {
    return [...this.#histories.keys()];
  }
}

function isCalm({ changedMs }: History, nowMs: number): boolean {
  return nowMs - changedMs >= CALM_MS;
}

function flapsOf({ sinceMs, changedMs, came }: History, nowMs: number): Flaps {
  const flaps = Math.max(...came.values());
  const flappedMs = Math.round(changedMs - sinceMs);
  const steadyMs = nowMs - changedMs;
  const steady = steadyMs >= STEADY_MS ? `, and steady for ${formatAge(steadyMs)}` : '';
  return { preface: `on and off, ${flaps} times in ${formatAge(flappedMs)}${steady}: `, figures: { flaps, flappedMs } };
}
