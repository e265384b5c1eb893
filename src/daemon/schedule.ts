/** Schedules passes: by a cron expression on the wall clock, or at an interval on the monotonic clock. */
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

/** Calls back at each tick. Ticks do not overlap; missed ones are not repeated: a late process gets one tick. */
export interface Schedule {
  /** Starts; the first tick is at the first slot, or after one interval. `tick` must return at once and not throw. */
  start(tick: () => void): void;
  /** Stops; no tick follows and no timer is left. */
  stop(): void;
  /** Shortest nominal time between two ticks, in ms. Grace periods count at most two of it between passes. */
  readonly intervalMs: number;
  /** When the next tick is due, or undefined while the schedule is not running. */
  next(): Date | undefined;
}

const SECOND = 1_000;
/** Smaller differences between the clocks are not a step: NTP corrects them slowly, and a slot may be late by as much. */
const CLOCK_STEP = 5 * SECOND;
/** The shortest gap of an expression is taken from this many runs. */
const SAMPLED_RUNS = 20;
/** The longest that setTimeout takes, in ms; with more it fires at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;
/** Slots are in UTC, which has no daylight saving time: see `useUtc`. */
const TIME_ZONE = 'Etc/UTC';

/**
 * Sets the time zone of this process to UTC. node-cron 4.6 truncates milliseconds in local time; in the hour that is repeated when
 * daylight saving time ends, that sets it back by an hour and makes it spin until the hour is over.
 */
export function useUtc(env: Record<string, string | undefined>): void {
  env['TZ'] = 'UTC';
}

/** Makes a schedule. Throws Error when node-cron does not accept the expression, or when it has no next run. */
export function createSchedule(spec: ScheduleSpec, deps: ScheduleDeps): Schedule {
  return spec.kind === 'cron' ? cronSchedule(spec.expression, deps) : intervalSchedule(spec.ms, deps.clock);
}

/**
 * Ticks with node-cron. After the wall clock is set back, its timer (4.6) stops until the clock has caught up; after it is set
 * forward, it visits every missed slot at once (12 hours of seconds block the process for 4.7 s). So this compares the two clocks
 * every second and, at a step, starts a new task, nearly always before node-cron wakes.
 */
function cronSchedule(expression: string, { clock, log }: ScheduleDeps): Schedule {
  const slots = { timezone: TIME_ZONE, logger: cronLogger(log) };
  const intervalMs = shortestGap(createTask(expression, () => {}, slots).getNextRuns(SAMPLED_RUNS));
  let task: ScheduledTask | undefined;
  let watch: NodeJS.Timeout | undefined;

  function restart(tick: () => void): void {
    void task?.destroy();
    // A slot that a busy process missed still ticks until the next one is due.
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
          `wall clock stepped ${direction} by ${formatDuration(Math.abs(step))}; the schedule starts again`,
        );
        restart(tick);
        // In place of the slots that the step skipped.
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

/** Logs errors of node-cron. Its warnings are about missed slots, which are normal on a busy machine. */
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
          // From the slot, so that delays do not add up; from now when slots were missed.
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
