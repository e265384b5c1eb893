import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSchedule, type Schedule, type ScheduleSpec, useUtc } from '../../../src/daemon/schedule.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';

// A machine whose summer time ends; the program itself lives in UTC.
vi.hoisted(() => vi.stubEnv('TZ', 'America/New_York'));

useUtc(process.env);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const log = { write: vi.fn(), debug: vi.fn() };
let schedule: Schedule | undefined;
let ticks: number[];

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 15, 15, 0, 10) });
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
  schedule = createSchedule(spec, { clock, log });
  const from = performance.now();
  schedule.start(() => ticks.push(Math.round(performance.now() - from)));
  return schedule;
}

const cron = (expression: string): ScheduleSpec => ({ kind: 'cron', expression });
const interval = (ms: number): ScheduleSpec => ({ kind: 'interval', ms });
const stepWallClock = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('a cron schedule', () => {
  it('ticks once at each slot of the wall clock', async () => {
    start(cron('*/30 * * * * *'));
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(ticks).toEqual([20 * SECOND, 50 * SECOND, 80 * SECOND, 110 * SECOND]);
    expect(log.write).not.toHaveBeenCalled();
  });

  it('has its slots in UTC, and says when the next is due while it runs', async () => {
    const running = createSchedule(cron('0 30 16 * * *'), { clock: systemClock, log });
    expect(running.next()).toBeUndefined();
    running.start(() => ticks.push(0));
    expect(running.next()).toEqual(new Date('2026-01-15T16:30:00Z'));
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(ticks).toHaveLength(1);
    expect(running.next()).toEqual(new Date('2026-01-16T16:30:00Z'));
    running.stop();
    expect(running.next()).toBeUndefined();
  });

  it.each([
    ['*/30 * * * * *', 30 * SECOND],
    ['0,10 * * * * *', 10 * SECOND],
    ['0 0 3 * * *', 24 * HOUR],
  ])('%s has the shortest gap of its slots as interval', (expression, gap) => {
    expect(createSchedule(cron(expression), { clock: systemClock, log }).intervalMs).toBe(gap);
  });

  it('refuses an expression that is none', () => {
    expect(() => createSchedule(cron('*/30 * * * * banana'), { clock: systemClock, log })).toThrow(/week day/);
  });

  it('goes on within one interval when the wall clock is set back an hour', async () => {
    start(cron('*/30 * * * * *'));
    await vi.advanceTimersByTimeAsync(25 * SECOND);
    stepWallClock(-HOUR);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(ticks).toEqual([20 * SECOND, 26 * SECOND, 50 * SECOND, 80 * SECOND]);
    expect(log.write.mock.calls).toEqual([
      ['clock-stepped', 'wall clock stepped back by 1h; the schedule starts again'],
    ]);
  });

  it('does not walk 43,200 slots when the wall clock is set forward 12 hours between two of them', async () => {
    start(cron('*/2 * * * * *'));
    await vi.advanceTimersByTimeAsync(4 * SECOND);
    expect(ticks).toHaveLength(2);
    stepWallClock(12 * HOUR);
    await vi.advanceTimersByTimeAsync(4 * SECOND);
    expect(ticks.length).toBeLessThanOrEqual(5);
    expect(log.write.mock.calls).toEqual([
      ['clock-stepped', 'wall clock stepped forward by 12h; the schedule starts again'],
    ]);
    expect(log.debug).not.toHaveBeenCalled();
  });

  it('makes up with one tick for a slot that the wall clock was set past', async () => {
    start(cron('0 0 17 * * *'));
    stepWallClock(4 * HOUR);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(ticks).toHaveLength(1);
    expect(schedule?.next()).toEqual(new Date('2026-01-16T17:00:00Z'));
  });

  it('takes a correction of some seconds without a word', async () => {
    start(cron('*/30 * * * * *'));
    await vi.advanceTimersByTimeAsync(21 * SECOND);
    stepWallClock(-3 * SECOND);
    await vi.advanceTimersByTimeAsync(20 * SECOND);
    expect(ticks).toEqual([20 * SECOND]);
    expect(log.write).not.toHaveBeenCalled();
  });

  it('does not take a clock that is slewed for one that steps', async () => {
    const from = performance.now();
    const wall = Date.now();
    const fast: Clock = { wall: () => wall + 1.01 * (performance.now() - from), monotonic: () => performance.now() };
    start(cron('* * * * * *'), fast);
    await vi.advanceTimersByTimeAsync(20 * MINUTE);
    expect(log.write).not.toHaveBeenCalled();
  });

  it('keeps ticking through the hour that its machine repeats when summer time ends', async () => {
    vi.setSystemTime(Date.UTC(2025, 10, 2, 5, 59, 0)); // 01:59 EDT; a minute later it is 01:00 EST
    start(cron('*/30 * * * * *'));
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(ticks).toEqual(Array.from({ length: 240 }, (_, index) => (index + 1) * 30 * SECOND));
  });

  it('may be stopped by its own tick', async () => {
    schedule = createSchedule(cron('* * * * * *'), { clock: systemClock, log });
    schedule.start(() => {
      ticks.push(0);
      schedule?.stop();
    });
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(ticks).toHaveLength(1);
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
