/** When a pass that could not see fleet or the API server is tried again. */
import { expect, it } from 'vitest';
import { Backoff } from '../../../src/daemon/backoff.ts';
import type { Cause } from '../../../src/reconcile/reconciler.ts';

const because = (...causes: readonly Cause[]) => ({
  failures: new Map(causes.map((cause) => [cause, 'down'] as const)),
});
const GOOD = because();

it('is after 1, 2, 4 ... s, until the schedule is sooner', () => {
  const backoff = new Backoff();
  const delays = Array.from({ length: 7 }, () => backoff.after(because('kubernetes'), 30_000));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, undefined, undefined]);
});

it('begins anew after a pass that saw both', () => {
  const backoff = new Backoff();
  backoff.after(because('fleet'), 30_000);
  expect(backoff.after(because('fleet', 'kubernetes'), 30_000)).toBe(2_000);
  expect(backoff.after(GOOD, 30_000)).toBeUndefined();
  expect(backoff.after(because('fleet'), 30_000)).toBe(1_000);
});

it.each([
  ['that exceeded its deadline', because('timeout'), 30_000],
  ['that failed in the program', because('internal'), 30_000],
  ['that is the only one', because('fleet'), undefined],
  ['whose next one is due within a second', because('fleet'), 1_000],
] as const)('is left to the schedule after a pass %s', (_, report, scheduledMs) => {
  expect(new Backoff().after(report, scheduledMs)).toBeUndefined();
});

it('is a time that a timer takes, however often it failed', () => {
  const backoff = new Backoff();
  for (let pass = 0; pass < 100; pass += 1) expect(backoff.after(because('fleet'), 2 ** 31) ?? 0).toBeLessThan(2 ** 31);
});
