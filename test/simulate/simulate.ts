/** `npm run simulate -- --schedules 1000 --seed 1`: plays schedules, each from a seed of its own, and tells which rule one of them broke. */
import { parseArgs } from 'node:util';
import { addCounts, play } from './schedule.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    intervals: { type: 'string', default: '100' },
  },
});
const numbers = [values.schedules, values.seed, values.intervals].map(Number);
if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) {
  console.error('--schedules, --seed and --intervals must be whole numbers');
  process.exit(2);
}
const [schedules = 0, first = 0, intervals = 0] = numbers;

const counts = new Map<string, number>();
let passes = 0;
const began = performance.now();
for (let seed = first; seed < first + schedules; seed += 1) {
  const ending = await play({ seed, intervals });
  passes += ending.passes;
  addCounts(counts, ending);
  if (ending.broken === undefined) continue;
  console.log(
    `${ending.story.join('\n')}\n\nnpm run simulate -- --schedules 1 --seed ${seed} --intervals ${intervals}`,
  );
  process.exit(1);
}
const minutes = (performance.now() - began) / 60_000;
for (const [what, times] of [...counts].sort()) console.log(`${String(times).padStart(9)} ${what}`);
console.log(
  `${schedules} schedules, ${passes} passes, ${Math.round(schedules / minutes)} schedules a minute, seeds ${first} to ${first + schedules - 1}`,
);
process.exit(0);
