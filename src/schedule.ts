/** When passes happen: by a cron expression on the wall clock, or every so often on the monotonic one. */
import { createTask } from 'node-cron';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { formatDuration } from './duration.ts';

export type ScheduleSpec =
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'interval'; readonly ms: number };

export interface ScheduleDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn' | 'debug'>;
  /** Told by how many ms the wall clock was set forward, or back when negative. Only a cron schedule looks. */
  readonly onClockStep?: (ms: number) => void;
}

/** Ticks are never early, never in parallel and never made up for: however late the process is, one tick is all there is. */
export interface Schedule {
  /** The first tick comes at the first slot, or after one interval. `tick` returns at once and does not throw. */
  start(tick: () => void): void;
  /** No tick comes after this, and no timer is left. */
  stop(): void;
  /** Shortest nominal distance between two ticks, in ms: one interval of watched time. */
  readonly intervalMs: number;
  /** When the next tick is due, or undefined while the schedule is not running. */
  next(): Date | undefined;
}

const SECOND = 1_000;
/** NTP corrects less than this without a step, and a slot that is off by as much harms nobody. */
const CLOCK_STEP = 5 * SECOND;
/** So many runs of an expression tell its shortest gap. */
const RUNS_LOOKED_AT = 20;
/** A longer setTimeout fires at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Throws Error when the expression is not one of node-cron's, or never comes. */
export function createSchedule(spec: ScheduleSpec, deps: ScheduleDeps): Schedule {
  return spec.kind === 'cron' ? cronSchedule(spec.expression, deps) : intervalSchedule(spec.ms, deps.clock);
}

/**
 * node-cron tells the slots; the waking is done here, once a second. Its own timer (4.6) does not tick after the wall
 * clock was set back until that has caught up, walks every missed slot in one go after it was set forward (12 hours of
 * seconds block the process for 4.7 s), and sleeps through the hour that is repeated when summer time ends.
 */
function cronSchedule(expression: string, { clock, logger, onClockStep }: ScheduleDeps): Schedule {
  const calendar = createTask(expression, () => {});
  const intervalMs = shortestGap(calendar.getNextRuns(RUNS_LOOKED_AT));
  let timer: NodeJS.Timeout | undefined;
  let due: Date | undefined;

  return {
    intervalMs,
    next: () => due,
    start(tick) {
      let lastSecond = wholeSecond(clock.wall());
      let lead = clock.wall() - clock.monotonic();
      planNext();
      sleep();

      function sleep(): void {
        timer = setTimeout(wake, SECOND - (clock.wall() % SECOND));
      }

      function wake(): void {
        const now = clock.wall();
        const step = now - clock.monotonic() - lead;
        const stepped = Math.abs(step) > CLOCK_STEP;
        const isSlot = comesDue(now, stepped);
        lead += step;
        if (isSlot || stepped) planNext();
        sleep();
        if (stepped) reportStep(step);
        if (isSlot && due !== undefined) tick();
      }

      function comesDue(now: number, stepped: boolean): boolean {
        const second = wholeSecond(now);
        const isNewSecond = stepped || second > lastSecond;
        if (isNewSecond) lastSecond = second;
        if (due !== undefined && now >= due.getTime()) {
          if (second > due.getTime() && !stepped) reportLate(now - due.getTime());
          return true;
        }
        // The list of next runs leaves the repeated hour out; `match` knows its slots.
        return isNewSecond && calendar.match(new Date(second));
      }
    },
    stop() {
      clearTimeout(timer);
      due = undefined;
      void calendar.destroy();
    },
  };

  function planNext(): void {
    due = calendar.getNextRuns(1)[0];
  }

  function reportLate(ms: number): void {
    logger.debug(`the schedule woke ${formatDuration(ms)} late; one tick stands for all that were due`);
  }

  function reportStep(ms: number): void {
    const direction = ms < 0 ? 'back' : 'forward';
    logger.warn(`the wall clock stepped ${formatDuration(Math.abs(ms))} ${direction}; the schedule was made anew`);
    onClockStep?.(ms);
  }
}

function intervalSchedule(intervalMs: number, clock: Clock): Schedule {
  let timer: NodeJS.Timeout | undefined;
  let due: number | undefined;

  return {
    intervalMs,
    next: () => (due === undefined ? undefined : new Date(clock.wall() + due - clock.monotonic())),
    start(tick) {
      sleepUntil(clock.monotonic() + intervalMs);

      function sleepUntil(slot: number): void {
        due = slot;
        timer = setTimeout(() => wake(slot), Math.min(Math.max(1, slot - clock.monotonic()), MAX_TIMEOUT));
      }

      function wake(slot: number): void {
        const now = clock.monotonic();
        if (now < slot) {
          sleepUntil(slot);
        } else {
          // On from the slot, so that lateness does not add up; on from now when slots have been missed.
          sleepUntil((now - slot < intervalMs ? slot : now) + intervalMs);
          tick();
        }
      }
    },
    stop() {
      clearTimeout(timer);
      due = undefined;
    },
  };
}

function shortestGap(runs: readonly Date[]): number {
  const times = runs.map((run) => run.getTime());
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / SECOND) * SECOND;
}
