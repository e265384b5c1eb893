/** `npm run simulate -- --schedules 1000 --seed 1`: plays schedules, each from a seed of its own, and tells which rule one of them broke. */
import { MUTANTS } from './mutants.ts';
import { trial } from './mutation.ts';
import { missing } from './occurrences.ts';
import { readOptions } from './options.ts';
import { addCounts, type Ending, play } from './schedule.ts';
import { shrink } from './shrink.ts';

/** So many schedules show everything that can be decided at least once. */
const ENOUGH = 1_000;
/** A mistake that so many schedules do not show is not caught. Fewer than enough, so that nothing counts but a broken rule. */
const MUTANT_SCHEDULES = 900;

const { schedules, seed: first, intervals, only, mutants, shrinks } = readOptions();
process.exit(mutants ? await playMutants() : await playSchedules());

async function playSchedules(): Promise<number> {
  const counts = new Map<string, number>();
  let passes = 0;
  const began = performance.now();
  for (let seed = first; seed < first + schedules; seed += 1) {
    const ending = await play({ seed, intervals, only });
    passes += ending.passes;
    addCounts(counts, ending);
    if (ending.broken === undefined) continue;
    await tell(ending, seed);
    return 1;
  }
  const minutes = (performance.now() - began) / 60_000;
  for (const [what, times] of [...counts].sort()) console.log(`${String(times).padStart(9)} ${what}`);
  console.log(
    `${schedules} schedules, ${passes} passes, ${Math.round(schedules / minutes)} schedules a minute, seeds ${first} to ${first + schedules - 1}`,
  );
  const never = missing(counts);
  if (schedules < ENOUGH || never.length === 0) return 0;
  console.log(`These never occurred, so that nothing is shown of them: ${never.join(', ')}`);
  return 1;
}

async function tell(broken: Ending, seed: number): Promise<void> {
  const isShrunk = only !== undefined || !shrinks;
  const shrunk = isShrunk ? { ending: broken, intervals, only } : await shrink(broken, { seed, intervals });
  const kept = shrunk.only === undefined ? '' : ` --only "${[...shrunk.only].join()}"`;
  console.log(shrunk.ending.story.join('\n'));
  console.log(`\nnpm run simulate -- --schedules 1 --seed ${seed} --intervals ${shrunk.intervals}${kept}`);
}

/** One after the other: a run has a CPU to itself, and its time limit means the same everywhere. */
async function playMutants(): Promise<number> {
  let escaped = 0;
  for (const [number, mutant] of MUTANTS.entries()) {
    const { caught } = await trial(mutant, number, MUTANT_SCHEDULES, intervals);
    if (caught === undefined) escaped += 1;
    const ending = caught === undefined ? 'NOT CAUGHT' : `seed ${caught.seed}: ${caught.rule}`;
    console.log(`${mutant.sentence}\n    mutant: ${mutant.mistake}\n    ${ending}`);
  }
  console.log(
    `\n${MUTANTS.length - escaped} of ${MUTANTS.length} mutants caught, each within ${MUTANT_SCHEDULES} schedules`,
  );
  return escaped === 0 ? 0 : 1;
}
