/** `npm run simulate -- --schedules 1000 --seed 1`: plays schedules, each from a seed of its own, and tells which rule one of them broke. */
import { BrokenRule } from './findings.ts';
import { MUTANTS } from './mutants.ts';
import { trial } from './mutation.ts';
import { missing } from './occurrences.ts';
import { readOptions } from './options.ts';
import { addCounts, type Ending, play } from './schedule.ts';
import { shrink } from './shrink.ts';

/** So many schedules show everything that can be decided at least once. */
const ENOUGH = 1_000;

const { schedules, seed: first, mutants, keepsGoing, shrinks, ...played } = readOptions();
process.exit(mutants ? await playMutants() : await playSchedules());

async function playSchedules(): Promise<number> {
  const counts = new Map<string, number>();
  const broken = new Map<string, number>();
  let [passes, hosts] = [0, 0];
  const began = performance.now();
  for (let seed = first; seed < first + schedules; seed += 1) {
    const ending = await play({ ...played, seed });
    passes += ending.passes;
    hosts += ending.hosts;
    addCounts(counts, ending);
    if (ending.broken === undefined) continue;
    if (!keepsGoing) {
      await tell(ending, seed);
      return 1;
    }
    const rule = ending.broken instanceof BrokenRule ? ending.broken.rule : ending.broken.name;
    broken.set(rule, (broken.get(rule) ?? 0) + 1);
    console.log(`seed ${seed}: ${ending.broken.message}`);
  }
  const minutes = (performance.now() - began) / 60_000;
  for (const [what, times] of [...counts].sort()) console.log(`${String(times).padStart(9)} ${what}`);
  console.log(
    `${schedules} schedules, seeds ${first} to ${first + schedules - 1}: ${passes} passes, ${hosts} hosts, ` +
      `${counts.get('deletes judged') ?? 0} deletes judged; ${Math.round(schedules / minutes)} schedules a minute`,
  );
  for (const [rule, times] of broken) console.log(`${times} schedules broke ${rule}`);
  const never = schedules < ENOUGH ? [] : missing(counts);
  if (never.length > 0) console.log(`These never occurred, so that nothing is shown of them: ${never.join(', ')}`);
  return broken.size + never.length === 0 ? 0 : 1;
}

async function tell(broken: Ending, seed: number): Promise<void> {
  const { intervals, only } = played;
  const isShrunk = only !== undefined || !shrinks;
  const shrunk = isShrunk ? { ending: broken, ...played } : await shrink(broken, { seed, intervals });
  const options = [
    `--seed ${seed} --intervals ${shrunk.intervals}`,
    ...(shrunk.only === undefined ? [] : [`--only "${[...shrunk.only].join()}"`]),
    ...(shrunk.without === undefined ? [] : [`--without "${[...shrunk.without].join()}"`]),
    ...(shrunk.isQuiet ? ['--quiet'] : []),
  ];
  console.log(shrunk.ending.story.join('\n'));
  console.log(`\nnpm run simulate -- --schedules 1 ${options.join(' ')}`);
}

/** One after the other: a run has a CPU to itself, and its time limit means the same everywhere. */
async function playMutants(): Promise<number> {
  let escaped = 0;
  for (const [number, mutant] of MUTANTS.entries()) {
    const { caught } = await trial(mutant, number, ENOUGH, played.intervals);
    if (caught === undefined) escaped += 1;
    console.log(`${mutant.sentence}\n    mutant: ${mutant.mistake}\n    ${caught ?? 'NOT CAUGHT'}`);
  }
  console.log(`\n${MUTANTS.length - escaped} of ${MUTANTS.length} mutants caught`);
  return escaped === 0 ? 0 : 1;
}
