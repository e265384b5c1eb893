import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { createSchedule, type Schedule, type ScheduleSpec } from '../../src/schedule.ts';

// node-cron asks for the time zone once, so it is set before anything runs.
vi.hoisted(() => vi.stubEnv('TZ', 'America/New_York'));

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const logger = { warn: vi.fn(), debug: vi.fn() };
const onClockStep = vi.fn();
let schedule: Schedule | undefined;
let ticks: number[];

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(2026, 0, 15, 10, 0, 10) });
  vi.clearAllMocks();
  ticks = [];
});

afterEach(() => {
  schedule?.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Starts a schedule whose ticks are noted in ms since now. */
function start(spec: ScheduleSpec, clock: Clock = systemClock): Schedule {
  schedule = createSchedule(spec, { clock, logger, onClockStep });
  const from = performance.now();
  schedule.start(() => ticks.push(Math.round(performance.now() - from)));
  return schedule;
}

const cron = (expression: string): ScheduleSpec => ({ kind: 'cron', expression });
const interval = (ms: number): ScheduleSpec => ({ kind: 'interval', ms });
const stepWallClock = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('a cron schedule', () => {
  it('ticks once at each slot of the wall clock', () => {
    start(cron('*/30 * * * * *'));
    vi.advanceTimersByTime(2 * MINUTE);
    expect(ticks).toEqual([20 * SECOND, 50 * SECOND, 80 * SECOND, 110 * SECOND]);
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('says when the next tick is due, while it runs', () => {
    const running = createSchedule(cron('0 30 * * * *'), { clock: systemClock, logger });
    expect(running.next()).toBeUndefined();
    running.start(() => {});
    expect(running.next()).toEqual(new Date(2026, 0, 15, 10, 30));
    vi.advanceTimersByTime(30 * MINUTE);
    expect(running.next()).toEqual(new Date(2026, 0, 15, 11, 30));
    running.stop();
    expect(running.next()).toBeUndefined();
  });

  it.each([
    ['*/30 * * * * *', 30 * SECOND],
    ['*/5 * * * *', 5 * MINUTE],
    ['0,10 * * * * *', 10 * SECOND],
    ['0 0 3 * * *', 24 * HOUR],
  ])('%s has the shortest gap of its slots as interval', (expression, gap) => {
    expect(createSchedule(cron(expression), { clock: systemClock, logger }).intervalMs).toBe(gap);
  });

  it('refuses an expression that is none', () => {
    expect(() => createSchedule(cron('*/30 * * * * banana'), { clock: systemClock, logger })).toThrow(/week day/);
  });

  it('goes on within one interval when the wall clock is set back an hour', () => {
    start(cron('*/30 * * * * *'));
    vi.advanceTimersByTime(25 * SECOND);
    stepWallClock(-HOUR);
    vi.advanceTimersByTime(MINUTE);
    expect(ticks).toEqual([20 * SECOND, 50 * SECOND, 80 * SECOND]);
    expect(logger.warn.mock.calls).toEqual([['the wall clock stepped 1h back; the schedule was made anew']]);
    expect(onClockStep).toHaveBeenCalledTimes(1);
    expect(onClockStep.mock.calls[0]?.[0]).toBeCloseTo(-HOUR, -1);
  });

  it('ticks a few times, not 43,200 times, when the wall clock is set forward 12 hours', () => {
    start(cron('* * * * * *'));
    vi.advanceTimersByTime(3 * SECOND);
    expect(ticks).toHaveLength(3);
    stepWallClock(12 * HOUR);
    vi.advanceTimersByTime(3 * SECOND);
    expect(ticks).toHaveLength(6);
    expect(logger.warn.mock.calls).toEqual([['the wall clock stepped 12h forward; the schedule was made anew']]);
  });

  it('makes up with one tick for a slot that the wall clock was set past', () => {
    start(cron('0 0 12 * * *'));
    stepWallClock(4 * HOUR);
    vi.advanceTimersByTime(MINUTE);
    expect(ticks).toHaveLength(1);
    expect(schedule?.next()).toEqual(new Date(2026, 0, 16, 12));
  });

  it('takes a correction of some seconds without a word and without a second tick for one slot', () => {
    start(cron('*/30 * * * * *'));
    vi.advanceTimersByTime(21 * SECOND);
    stepWallClock(-3 * SECOND);
    vi.advanceTimersByTime(20 * SECOND);
    expect(ticks).toEqual([20 * SECOND]);
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('does not take a clock that is slewed for one that steps', () => {
    const from = performance.now();
    const wall = Date.now();
    const fast: Clock = { wall: () => wall + 1.01 * (performance.now() - from), monotonic: () => performance.now() };
    start(cron('* * * * * *'), fast);
    vi.advanceTimersByTime(20 * MINUTE);
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('ticks once, and says so at debug, when the process was blocked over several slots', () => {
    let blocked = 0;
    const clock: Clock = { wall: () => Date.now() + blocked, monotonic: () => performance.now() + blocked };
    start(cron('* * * * * *'), clock);
    blocked = 10 * MINUTE;
    vi.advanceTimersByTime(SECOND);
    expect(ticks).toHaveLength(1);
    expect(logger.warn).not.toHaveBeenCalled();
    expect(logger.debug).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('woke 10m late'));
  });

  it('keeps ticking through the hour that is repeated when summer time ends', () => {
    vi.setSystemTime(Date.UTC(2025, 10, 2, 5, 59, 0)); // 01:59 EDT; a minute later it is 01:00 EST
    start(cron('*/30 * * * * *'));
    vi.advanceTimersByTime(2 * HOUR);
    expect(ticks).toEqual(Array.from({ length: 240 }, (_, index) => (index + 1) * 30 * SECOND));
  });

  it('keeps ticking when the wall clock is set back within that hour', () => {
    vi.setSystemTime(Date.UTC(2025, 10, 2, 6, 40, 0)); // 01:40 EST, for the second time
    start(cron('*/30 * * * * *'));
    vi.advanceTimersByTime(MINUTE);
    stepWallClock(-30 * MINUTE);
    vi.advanceTimersByTime(MINUTE);
    expect(ticks).toEqual([30 * SECOND, 60 * SECOND, 90 * SECOND, 120 * SECOND]);
  });

  it('says when the next tick is due after the wall clock was set back', () => {
    const running = start(cron('0 0 12 * * *'));
    vi.advanceTimersByTime(3 * HOUR);
    stepWallClock(-3 * HOUR);
    vi.advanceTimersByTime(SECOND);
    expect(running.next()).toEqual(new Date(2026, 0, 15, 12));
  });

  it('may be stopped by its own tick', () => {
    schedule = createSchedule(cron('* * * * * *'), { clock: systemClock, logger });
    schedule.start(() => {
      ticks.push(0);
      schedule?.stop();
    });
    vi.advanceTimersByTime(MINUTE);
    expect(ticks).toHaveLength(1);
  });

  it('does not tick any more when whoever hears of a clock step stops it', () => {
    onClockStep.mockImplementationOnce(() => schedule?.stop());
    start(cron('* * * * * *'));
    stepWallClock(HOUR);
    vi.advanceTimersByTime(MINUTE);
    expect(ticks).toEqual([]);
  });
});

describe('an interval schedule', () => {
  it('ticks after each interval, the first time after one', () => {
    const running = start(interval(45 * SECOND));
    expect(running.intervalMs).toBe(45 * SECOND);
    vi.advanceTimersByTime(2 * MINUTE);
    expect(ticks).toEqual([45 * SECOND, 90 * SECOND]);
    expect(running.next()?.getTime()).toBeCloseTo(Date.now() + 15 * SECOND, -1);
  });

  it('is not moved by a wall clock that is set back and forth', () => {
    start(interval(30 * SECOND));
    stepWallClock(-HOUR);
    vi.advanceTimersByTime(40 * SECOND);
    stepWallClock(12 * HOUR);
    vi.advanceTimersByTime(50 * SECOND);
    expect(ticks).toEqual([30 * SECOND, 60 * SECOND, 90 * SECOND]);
  });

  it('does not add up lateness, and makes up for nothing', () => {
    let blocked = 0;
    const clock: Clock = { wall: () => Date.now() + blocked, monotonic: () => performance.now() + blocked };
    start(interval(30 * SECOND), clock);
    blocked = 10 * SECOND;
    vi.advanceTimersByTime(30 * SECOND); // the tick of 30 s comes at 40 s
    vi.advanceTimersByTime(20 * SECOND); // that of 60 s in time
    expect(ticks).toHaveLength(2);
    blocked = 10 * MINUTE;
    vi.advanceTimersByTime(59 * SECOND);
    expect(ticks).toHaveLength(3);
  });

  it('ticks at intervals that are longer than a timer can be', () => {
    start(interval(40 * 24 * HOUR));
    vi.advanceTimersByTime(39 * 24 * HOUR);
    expect(ticks).toEqual([]);
    vi.advanceTimersByTime(2 * 24 * HOUR);
    expect(ticks).toHaveLength(1);
  });

  it('leaves no timer when it is stopped', () => {
    const running = start(interval(SECOND));
    vi.advanceTimersByTime(SECOND);
    running.stop();
    vi.advanceTimersByTime(MINUTE);
    expect(ticks).toHaveLength(1);
    expect(running.next()).toBeUndefined();
  });
});
