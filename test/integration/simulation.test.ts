/** A small part of `npm run simulate`: no schedule breaks a rule, and a daemon that would break one is caught. */
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/reconcile/policy.ts';
import { addCounts, play } from '../simulate/schedule.ts';

const INTERVALS = 100;

async function playMany(schedules: number, mistaken?: (policy: Policy) => Policy) {
  const counts = new Map<string, number>();
  const broken: string[] = [];
  for (let seed = 1; seed <= schedules; seed += 1) {
    const ending = await play({ seed, intervals: INTERVALS, ...(mistaken && { mistaken }) });
    addCounts(counts, ending);
    if (ending.broken !== undefined) broken.push(`seed ${seed}: ${ending.broken.message}`);
  }
  return { counts, broken: broken.join('\n') };
}

describe('the simulation', () => {
  it('finds no rule broken, in schedules in which nodes are registered, adopted, held, kept and deregistered', async () => {
    const { counts, broken } = await playMany(60);
    expect(broken).toBe('');
    for (const what of [
      'created',
      'updated',
      'deleted',
      'held',
      'observation failed',
      'verdict vetoed',
      'verdict orphan',
    ]) {
      expect([what, counts.get(what) ?? 0]).toEqual([what, expect.toSatisfy((times: number) => times > 0)]);
    }
  });

  it('is the same for the same seed', async () => {
    const [first, second] = [
      await play({ seed: 7, intervals: INTERVALS }),
      await play({ seed: 7, intervals: INTERVALS }),
    ];
    expect(second.story).toEqual(first.story);
    expect(second.counts).toEqual(first.counts);
  });

  it.each([
    ['waits for no grace', { missingGraceMs: 0, unhealthyGraceMs: 0 }, 'grace is watched time'],
    ['has no mass guard', { maxDeregisterPercent: 100 }, 'nothing is deregistered while too many look gone'],
  ])('catches a daemon that %s', async (_name, mistake, rule) => {
    const { broken } = await playMany(60, (policy) => ({ ...policy, ...mistake }));
    expect(broken).toContain(rule);
  });
});
