/** The memory of the daemon's process: what V8 may take of it by the number of machines that fleet lists. */
import { setFlagsFromString } from 'node:v8';
import type { FleetClient, MachinePage } from '../fleet/machine.ts';

/** Which functions Maglev and TurboFan, the optimizing compilers, may compile: all or none. Maglev is there since Node 24. */
const OPTIMIZE = { maglev: '--maglev-filter', turbofan: '--turbo-filter' } as const;
const HAS_MAGLEV = Number(process.versions.node.split('.')[0]) >= 24;

interface Step {
  /** It is taken once so many are listed. */
  readonly machines: number;
  readonly flags: readonly string[];
}

/**
 * The compilers take 13 MiB, most of it for TurboFan. They are kept away by filters, since V8 never optimizes what was hot while they were
 * off (`--no-opt`). Sparkplug, the compiler before these, takes 3 MiB and saves no time. With few machines a pass takes some 20 ms of CPU
 * time in any case. With many machines the heap may grow more, and the young generation up to the bound that the launcher sets: both would
 * be collected so often, and what is under way copied, that this takes a fifth of the CPU time.
 */
const STEPS: readonly [Step, ...Step[]] = [
  {
    machines: 0,
    flags: [`${OPTIMIZE.maglev}=~`, `${OPTIMIZE.turbofan}=~`, '--no-sparkplug'],
  },
  {
    machines: 500,
    flags: [
      `${HAS_MAGLEV ? OPTIMIZE.maglev : OPTIMIZE.turbofan}=*`,
      '--semi-space-growth-factor=2',
      '--heap-growing-percent=60',
    ],
  },
  { machines: 2_500, flags: [`${OPTIMIZE.turbofan}=*`] },
];

/** Sets V8 up for few machines. */
export function startSmall(): void {
  take(STEPS[0]);
}

/** The same client; a listing with more machines than any before gives V8 what these need, and nothing takes it back. */
export function growWithMachines(fleet: FleetClient): FleetClient {
  let ahead = STEPS.slice(1);

  async function* machinePages(signal: AbortSignal): AsyncGenerator<MachinePage, void> {
    let count = 0;
    for await (const page of fleet.machinePages(signal)) {
      count += page.records.length;
      for (const step of ahead.filter(({ machines }) => machines <= count)) take(step);
      ahead = ahead.filter(({ machines }) => machines > count);
      yield page;
    }
  }

  return { machinePages, close: () => fleet.close() };
}

function take({ flags }: Step): void {
  for (const flag of flags) setFlagsFromString(flag);
}
