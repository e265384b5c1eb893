/** When passes happen: by a cron expression on the wall clock, or every so often on the monotonic one. */
import { createTask, type ScheduledTask } from 'node-cron';
import type { Log } from '../log/log-events.ts';
import type { Clock } from '../time/clock.ts';
import { formatDuration } from '../time/duration.ts';

export type ScheduleSpec =
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'interval'; readonly ms: number };

export interface ScheduleDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Ticks are never in parallel and never made up for: however late the process is, one tick is all there is. */
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
/** Slots are in UTC, which has no hour that comes twice or never: see `liveInUtc`. */
const TIME_ZONE = 'Etc/UTC';

/**
 * Makes this process live in UTC, whatever its machine does: node-cron 4.6 cuts milliseconds off with the process' local time,
 * which in the hour that is repeated when summer time ends throws it an hour back and makes it spin until that hour is over.
 */
export function liveInUtc(env: Record<string, string | undefined>): void {
  env['TZ'] = 'UTC';
}

/** Throws Error when the expression is not one of node-cron's, or never comes. */
export function createSchedule(spec: ScheduleSpec, deps: ScheduleDeps): Schedule {
  return spec.kind === 'cron' ? cronSchedule(spec.expression, deps) : intervalSchedule(spec.ms, deps.clock);
}

/**
 * node-cron ticks. Its timer (4.6) stands still after the wall clock was set back until that has caught up, and walks every missed
 * slot in one go after it was set forward (12 hours of seconds block the process for 4.7 s). So a watch compares the two clocks
 * every second and, at a step, makes the task anew, which nearly always is before node-cron wakes.
 */
function cronSchedule(expression: string, { clock, log }: ScheduleDeps): Schedule {
  const slots = { timezone: TIME_ZONE, logger: cronLogger(log) };
  const intervalMs = shortestGap(createTask(expression, () => {}, slots).getNextRuns(RUNS_LOOKED_AT));
  let task: ScheduledTask | undefined;
  let watch: NodeJS.Timeout | undefined;

  function restart(tick: () => void): void {
    void task?.destroy();
    // A slot that the process was too busy for is worth its tick until the next one is due.
    task = createTask(expression, tick, { ...slots, missedExecutionTolerance: intervalMs });
    void task.start();
  }

  return {
    intervalMs,
    next: () => task?.getNextRun() ?? undefined,
    start(tick) {
      restart(tick);
      let lead = clock.wall() - clock.monotonic();
      watch = setInterval(() => {
        const step = clock.wall() - clock.monotonic() - lead;
        lead += step;
        if (Math.abs(step) <= CLOCK_STEP) return;
        const direction = step < 0 ? 'back' : 'forward';
        log.write(
          'clock-stepped',
          `the wall clock stepped ${formatDuration(Math.abs(step))} ${direction}; the schedule was made anew`,
        );
        restart(tick);
        // For the slots that it was set past.
        tick();
      }, SECOND);
    },
    stop() {
      clearInterval(watch);
      void task?.destroy();
      task = undefined;
    },
  };
}

/** node-cron tells of missed slots as warnings; they are part of a busy machine's life. */
function cronLogger(log: Log) {
  const debug = (message: string | Error) => log.debug(`node-cron: ${messageOf(message)}`);
  return {
    info: debug,
    debug,
    warn: debug,
    error: (message: string | Error) => log.write('schedule-problem', `node-cron: ${messageOf(message)}`),
  };
}

function messageOf(message: string | Error): string {
  return message instanceof Error ? message.message : message;
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
