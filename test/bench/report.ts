/** What the benchmark prints: a table for each cluster, and the targets. */
import { type Figures, HEALTHZ_CONCURRENCY, HEALTHZ_TIMEOUT_MS, type Memory } from './figures.ts';
import type { LargeFigures } from './large.ts';
import type { Cost } from './processes.ts';

/** Something that is to be at most so much. */
export interface Target {
  readonly what: string;
  readonly measured: number;
  readonly atMost: number;
  readonly unit: '' | ' s' | ' ms' | ' MiB';
}

const NUMBER = new Intl.NumberFormat('en');

export function tableOf(figures: Figures): string {
  const { machines, floor, first, second, third, steady, hung, slow, listing, peaksMiB, threeUrls } = figures;
  const row = (name: string, cost: Cost, floorCpuMs?: number) =>
    [
      name.padEnd(52),
      seconds(cost.wallMs).padStart(9),
      seconds(cost.cpuMs).padStart(9),
      `${(cost.cpuMs / machines).toFixed(3)} ms`.padStart(12),
      (floorCpuMs === undefined ? '' : (cost.cpuMs / floorCpuMs).toFixed(2)).padStart(12),
    ].join('');
  return [
    `${NUMBER.format(machines)} machines`,
    ['', 'wall', 'CPU', 'CPU/machine', 'CPU/floor']
      .map((name, at) => name.padStart([52, 9, 9, 12, 12][at] ?? 0))
      .join(''),
    row('floor: fleet pages, node list, probes', floor),
    row('first pass: registers every machine (with the start)', first, floor.cpuMs),
    row('second pass: reads every node whole', second, floor.cpuMs),
    row('third pass: the first steady one', third, floor.cpuMs),
    row('steady pass', steady, floor.cpuMs),
    row(`pass with hung kubelets: ${hung.kubelets}`, hung, floor.cpuMs),
    row(`floor: fleet alone, ${slow.pageMs} ms a page`, listing),
    row(`pass while fleet takes ${slow.pageMs} ms a page`, slow, floor.cpuMs),
    row('three URLs, two refuse: first pass (with the start)', threeUrls.first, floor.cpuMs),
    row('three URLs, two refuse: steady pass', threeUrls.steady, floor.cpuMs),
    `RSS of the daemon after a steady pass: ${mebibytes(figures.rssMiB)}`,
    `peak RSS: floor ${mebibytes(figures.floorPeakMiB)}; daemon ${mebibytes(peaksMiB.first)} after the first pass, ${mebibytes(peaksMiB.steady)} after the steady ones, ${mebibytes(peaksMiB.all)} after all`,
  ].join('\n');
}

/** A large cluster in one paragraph. */
export function largeLines(figures: LargeFigures): string {
  const { machines, floor, first, second, steady, peakMiB, answers, openPageStallMs } = figures;
  const cost = ({ wallMs, cpuMs }: Cost) =>
    `${seconds(wallMs)}, CPU ${seconds(cpuMs)} (${(cpuMs / machines).toFixed(3)} ms a machine, ${(cpuMs / floor.cpuMs).toFixed(2)} x floor)`;
  return [
    `${NUMBER.format(machines)} machines, kubelets behind one listener`,
    `  floor ${cost(floor)}`,
    `  first pass ${cost(first)}, longest stall ${first.stallMs.toFixed(0)} ms`,
    `  second pass ${cost(second)}, longest stall ${second.stallMs.toFixed(0)} ms`,
    `  steady pass ${cost(steady)}, longest stall ${steady.stallMs.toFixed(0)} ms`,
    `  peak RSS ${mebibytes(peakMiB)}`,
    '  asked while a pass runs:',
    ...answers.map(
      ({ what, answerMs, stallMs }) =>
        `    ${what.padEnd(18)} answer ${answerMs.toFixed(0)} ms, longest stall ${stallMs.toFixed(0)} ms`,
    ),
    `  pass with an open page: longest stall ${openPageStallMs.toFixed(0)} ms`,
  ].join('\n');
}

/** For how long nobody else may be served. */
const MOST_STALL_MS = 100;

/** What is to be reached with a large cluster. `full` is the largest that Kubernetes allows. */
export function largeTargetsOf(figures: LargeFigures, full: Figures): Target[] {
  const { machines, first, second, steady, answers, openPageStallMs } = figures;
  const size = `${NUMBER.format(machines)} machines`;
  const perMachine = steady.cpuMs / machines / (full.steady.cpuMs / full.machines);
  return [
    {
      what: `${size}: CPU a machine / with ${NUMBER.format(full.machines)}`,
      measured: perMachine,
      atMost: 1.25,
      unit: '',
    },
    ...[
      { when: 'first pass', stallMs: first.stallMs },
      { when: 'second pass', stallMs: second.stallMs },
      { when: 'steady pass', stallMs: steady.stallMs },
      ...answers.map(({ what, stallMs }) => ({ when: `asked ${what}`, stallMs })),
      { when: 'open page', stallMs: openPageStallMs },
    ].map(
      ({ when, stallMs }): Target => ({
        what: `${size}: longest stall, ${when}`,
        measured: stallMs,
        atMost: MOST_STALL_MS,
        unit: ' ms',
      }),
    ),
  ];
}

export function memoryLine({ machines, passes, settled, rssMiB, heapMiB }: Memory): string {
  const [rss, heap] = [rssMiB, heapMiB].map((pair) => pair.map(mebibytes).join(' and '));
  return `memory after ${settled} and after ${NUMBER.format(passes)} passes over ${machines} machines: RSS ${rss}, heap without garbage ${heap}`;
}

export function startLine(ms: number): string {
  return `from start to the first request of the first pass: ${ms.toFixed(0)} ms`;
}

/** The RSS that is to be reached, in MiB, by the number of machines. */
const RSS_MIB: Readonly<Record<number, number>> = { 50: 80, 1000: 110, 5000: 160 };

export function rssTargetsOf({ machines, rssMiB }: Figures): Target[] {
  const atMost = RSS_MIB[machines];
  if (atMost === undefined) return [];
  const what = `${NUMBER.format(machines)} machines: RSS after a steady pass`;
  return [{ what, measured: rssMiB, atMost, unit: ' MiB' }];
}

/** What is to be reached with 1,000 machines. */
export function thousandTargetsOf(figures: Figures): Target[] {
  const { machines, first } = figures;
  const what = `${NUMBER.format(machines)} machines: CPU of start and first pass`;
  return [{ what, measured: first.cpuMs / 1_000, atMost: 2, unit: ' s' }, steadyTarget(figures, 1.2)];
}

function steadyTarget({ machines, steady, floor }: Figures, atMost: number): Target {
  const what = `${NUMBER.format(machines)} machines: CPU of a steady pass / floor`;
  return { what, measured: steady.cpuMs / floor.cpuMs, atMost, unit: '' };
}

/** What is to be reached with a full cluster. */
export function targetsOf(figures: Figures): Target[] {
  const { machines, second, third, steady, hung, slow, listing } = figures;
  const rounds = Math.ceil(hung.kubelets / HEALTHZ_CONCURRENCY);
  const patient = (steady.wallMs + HEALTHZ_TIMEOUT_MS * rounds) * 1.2;
  const size = `${NUMBER.format(machines)} machines`;
  return [
    steadyTarget(figures, 1.5),
    {
      what: `${size}: CPU of the pass that reads every node / the pass after it`,
      measured: second.cpuMs / third.cpuMs,
      atMost: 2,
      unit: '',
    },
    {
      what: `${size}: pass over a slow fleet / fleet's own time`,
      measured: slow.wallMs / listing.wallMs,
      atMost: 1.1,
      unit: '',
    },
    { what: `${size}: pass with hung kubelets`, measured: hung.wallMs / 1_000, atMost: patient / 1_000, unit: ' s' },
  ];
}

/** What is to be reached with any. */
export function lastingTargetsOf({ rssMiB, heapMiB, passes, settled }: Memory, startMs: number): Target[] {
  const growth = ([before, after]: readonly [number, number]) => after / before;
  const when = `after ${NUMBER.format(passes)} passes / after ${settled}`;
  return [
    { what: `RSS ${when}`, measured: growth(rssMiB), atMost: 1.1, unit: '' },
    { what: `heap without garbage ${when}`, measured: growth(heapMiB), atMost: 1.1, unit: '' },
    { what: 'start to first pass begun', measured: startMs, atMost: 400, unit: ' ms' },
  ];
}

export function isMet({ measured, atMost }: Target): boolean {
  return measured <= atMost;
}

export function targetLine(target: Target): string {
  const { what, measured, atMost, unit } = target;
  const digits = unit === '' || unit === ' s' ? 2 : 0;
  const verdict = isMet(target) ? 'met' : 'MISSED';
  return `${what.padEnd(56)}${`${measured.toFixed(digits)}${unit}`.padStart(9)}   at most ${`${atMost.toFixed(digits)}${unit}`.padEnd(8)} ${verdict}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function mebibytes(mib: number): string {
  return `${mib.toFixed(0)} MiB`;
}
