/** `npm run bench`: what passes of the daemon, as the tarball has it, cost in a lab, beside the least that they could cost. `-- --small` only shows that it runs. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Endurance, type Extent, HEALTHZ_CONCURRENCY, measure, measureLasting } from './figures.ts';
import { type LargeExtent, measureLarge } from './large.ts';
import {
  isMet,
  largeLines,
  largeTargetsOf,
  lastingTargetsOf,
  memoryLine,
  rssTargetsOf,
  startLine,
  type Target,
  tableOf,
  targetLine,
  targetsOf,
  thousandTargetsOf,
} from './report.ts';
import { makeShipped } from './shipped.ts';

interface Scale {
  readonly clusters: readonly Extent[];
  readonly large: LargeExtent;
  readonly endurance: Endurance;
  readonly starts: number;
}

/** fleet takes 0.3 to 0.8 s for its pages of 1,000 machines, and 11 s or more for those of 5,000. */
const FULL: Scale = {
  clusters: [
    { machines: 50, pairs: 31, others: 1, pageMs: 50 },
    { machines: 1_000, pairs: 15, others: 5, pageMs: 50 },
    { machines: 5_000, pairs: 9, others: 3, pageMs: 215 },
  ],
  large: { machines: 20_000, pairs: 5 },
  endurance: { machines: 100, passes: 1_000, settled: 200 },
  starts: 7,
};
const SMALL: Scale = {
  clusters: [{ machines: 50, pairs: 2, others: 1, pageMs: 20 }],
  large: { machines: 200, pairs: 2 },
  endurance: { machines: 50, passes: 20, settled: 10 },
  starts: 1,
};

const { values } = parseArgs({ options: { small: { type: 'boolean', default: false } } });
const { clusters, large, endurance, starts } = values.small ? SMALL : FULL;

console.log(
  `Lab, daemon and floor are a process each, on ${availableParallelism()} CPUs; daemon and floor with the Node of the tarball. A row is the median of its runs;\n` +
    'floors and passes take turns. CPU is user and system time. Read ratios: times depend on the machine.\n',
);
await makeShipped();
const targets: Target[] = [];
for (const extent of clusters) {
  const figures = await measure(extent);
  console.log(`${tableOf(figures)}\n`);
  targets.push(...rssTargetsOf(figures));
  if (extent.machines === 1_000) targets.push(...thousandTargetsOf(figures));
  if (extent !== clusters.at(-1)) continue;
  targets.push(...targetsOf(figures));
  const largeFigures = await measureLarge(large, HEALTHZ_CONCURRENCY);
  console.log(`${largeLines(largeFigures)}\n`);
  targets.push(...largeTargetsOf(largeFigures, figures));
}
const { memory, startMs } = await measureLasting(endurance, starts);
console.log(memoryLine(memory));
console.log(`${startLine(startMs)}\n`);

if (values.small) {
  console.log('It runs. For figures that mean something: npm run bench');
} else {
  targets.push(...lastingTargetsOf(memory, startMs));
  console.log(targets.map(targetLine).join('\n'));
  if (!targets.every(isMet)) process.exitCode = 1;
}
