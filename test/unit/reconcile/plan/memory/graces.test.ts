/** The time that counts for a grace period. */
import { describe, expect, it } from 'vitest';
import { elapsedSince } from '../../../../../src/reconcile/plan/memory/graces.ts';
import { HOUR, INTERVAL } from '../../world.ts';

describe('the time that counts between two good passes', () => {
  const after = (ms: number) => elapsedSince(1_000, 1_000 + ms, INTERVAL);

  it('is what went by, and at most two intervals', () => {
    expect([0, INTERVAL, 2 * INTERVAL, 2 * INTERVAL + 1, HOUR, -5].map(after)).toEqual([
      0,
      INTERVAL,
      2 * INTERVAL,
      2 * INTERVAL,
      2 * INTERVAL,
      0,
    ]);
  });

  it('is none before the first', () => {
    expect(elapsedSince(undefined, HOUR, INTERVAL)).toBe(0);
  });
});
