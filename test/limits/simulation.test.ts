/** A small part of `npm run simulate`: no schedule breaks a rule, and a daemon that would break one is caught, in a shorter story. */
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/reconcile/plan/policy.ts';
import type { Mutant } from '../simulate/mutant.ts';
import { MUTANTS } from '../simulate/mutants.ts';
import { edited, trial } from '../simulate/mutation.ts';
import { addCounts, type Ending, play } from '../simulate/schedule.ts';
import { shrink } from '../simulate/shrink.ts';

const INTERVALS = 100;
/** A schedule takes a fifth of a second on an idle core. */
const PATIENCE_MS = 120_000;

/** The first schedules of CI are long ones; these are short, and everything that is asked of them happens in several. */
const SEEDS = Array.from({ length: 16 }, (_, index) => 24 + index);
/** Speaks through the clients that are shipped. */
const SEED_OF_CLIENTS = 50;
/** Breaks a rule within few schedules. */
const QUICK_MUTANT = '4: pacing';

/** The first schedule, from `first` on, that breaks a rule. Throws when 200 break none. */
async function firstBroken(
  mistaken: (policy: Policy) => Policy,
  first: number,
): Promise<{ seed: number; ending: Ending }> {
  for (let seed = first; seed < first + 200; seed += 1) {
    const ending = await play({ seed, intervals: INTERVALS, mistaken });
    if (ending.broken !== undefined) return { seed, ending };
  }
  throw new Error('no schedule broke a rule');
}

describe('the simulation', () => {
  it(
    'finds no rule broken, in schedules in which nodes are registered, adopted, held, kept and deregistered',
    async () => {
      const counts = new Map<string, number>();
      const broken: string[] = [];
      for (const seed of SEEDS) {
        const ending = await play({ seed, intervals: INTERVALS });
        addCounts(counts, ending);
        if (ending.broken !== undefined) broken.push(`seed ${seed}: ${ending.broken.message}`);
      }
      expect(broken).toEqual([]);
      for (const what of [
        'register: done',
        'adopt: done',
        'label: done',
        'deregister: done',
        'hold: mass',
        'observation failed',
        'node verdict: vetoed',
        'node verdict: orphan',
      ]) {
        expect([what, counts.get(what) ?? 0]).toEqual([what, expect.toSatisfy((times: number) => times > 0)]);
      }
    },
    PATIENCE_MS,
  );

  it.each([7, SEED_OF_CLIENTS])('is the same for the same seed (%i)', async (seed) => {
    const [first, second] = [await play({ seed, intervals: INTERVALS }), await play({ seed, intervals: INTERVALS })];
    expect(first.broken).toBeUndefined();
    expect(second.story).toEqual(first.story);
    expect(second.counts).toEqual(first.counts);
  });

  it.each([
    ['adopts in spite of ADOPT=false', { adopt: true }, 2],
    ['writes for an owner that it is not', { ownerId: 'nobody' }, 1],
    ['deletes in spite of POLICY=register-only', { neverDeregister: undefined, missingGraceMs: 0 }, 103],
  ])(
    'catches a daemon that %s, and tells a shorter story of it',
    async (_name, mistake, from) => {
      const mistaken = (policy: Policy) => ({ ...policy, ...mistake });
      const { seed, ending } = await firstBroken(mistaken, from);
      const { ending: shorter, ...shrunk } = await shrink(ending, { seed, intervals: INTERVALS, mistaken });
      expect(shorter.happenings).toBeLessThanOrEqual(ending.happenings);
      const again = await play({ seed, mistaken, ...shrunk });
      expect(again.story).toEqual(shorter.story);
      expect(again.broken).toBeDefined();
    },
    PATIENCE_MS,
  );
});

const inWords = ({ sentence, mistake }: Mutant) => `${sentence}: ${mistake}`;

describe('the mutants', () => {
  it('fit the source, and are programs', () => {
    expect(MUTANTS.map(({ sentence }) => sentence)).toContain(QUICK_MUTANT);
    for (const { edits } of MUTANTS) {
      const texts = new Map<string, string>();
      for (const edit of edits) {
        const text = texts.get(edit.file) ?? readFileSync(new URL(`../../${edit.file}`, import.meta.url), 'utf8');
        texts.set(edit.file, edited(text, edit));
      }
      for (const text of texts.values()) expect(() => transformSync(text, { loader: 'ts' })).not.toThrow();
    }
  });

  it.each(
    MUTANTS.filter(({ sentence }) => sentence === QUICK_MUTANT).map((mutant) => [inWords(mutant), mutant] as const),
  )(
    'are caught: %s',
    async (_name, mutant) => {
      expect((await trial(mutant, MUTANTS.indexOf(mutant), 100, INTERVALS)).caught).toBeDefined();
    },
    PATIENCE_MS,
  );
});
