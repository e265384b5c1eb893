/** What is measured of one cluster: the daemon's passes, with the floor measured between them. */
import { COLLECTABLE, type Cost, DaemonProcess, FloorProcess, LabProcess, type PassCost } from './processes.ts';

/** How much is measured. */
export interface Extent {
  readonly machines: number;
  /** Steady passes, and floors between them. */
  readonly pairs: number;
  /** Passes with hung kubelets, over a slow fleet, and with three URLs. */
  readonly others: number;
  /** What fleet takes for a page when it is slow. */
  readonly pageMs: number;
}

/** What the benchmark was run with, beside the defaults of the program. */
export const HEALTHZ_TIMEOUT_MS = 2_000;
export const HEALTHZ_CONCURRENCY = 100;
const HUNG_SHARE = 0.02;

export interface Figures {
  readonly machines: number;
  readonly floor: Cost;
  readonly floorPeakMiB: number;
  /** Registers every machine. */
  readonly first: Cost;
  /** Reads every node whole, since it has seen none of them. */
  readonly second: Cost;
  /** The pass after it, which V8 has optimized as little. */
  readonly third: Cost;
  readonly steady: Cost;
  readonly hung: Cost & { readonly kubelets: number };
  readonly slow: Cost & { readonly pageMs: number };
  /** fleet's own time for its slow pages. */
  readonly listing: Cost;
  /** The RSS of the daemon after a steady pass. */
  readonly rssMiB: number;
  /** The largest RSS of the daemon: after its first pass, after the steady ones, and after all. */
  readonly peaksMiB: { readonly first: number; readonly steady: number; readonly all: number };
  /** The same with three URLs, of which two refuse: the first pass, which asks all, and the later ones. */
  readonly threeUrls: { readonly first: Cost; readonly steady: Cost };
}

/** V8 goes on to optimize for some passes: until then daemon and floor become quicker, not to the same degree. */
const WARM_UP_PAIRS = 10;

export async function measure({ machines, pairs, others, pageMs }: Extent): Promise<Figures> {
  const lab = await LabProcess.start(machines);
  const floor = await FloorProcess.start(lab.places, HEALTHZ_CONCURRENCY);
  await floor.pass(machines);
  const { daemon, first } = await startRegistering(lab);
  const peak = async () => (await daemon.usage()).peakMiB;
  const firstPeak = await peak();
  await lab.tell({ kind: 'kubelets report ready' });
  const second = await pass(lab, daemon);
  const third = await pass(lab, daemon);
  for (let pair = 0; pair < WARM_UP_PAIRS; pair += 1) {
    await floor.pass(machines);
    await pass(lab, daemon);
  }

  const floors: Cost[] = [];
  const steady: Cost[] = [];
  const rss: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    floors.push(await floor.pass(machines));
    steady.push(await pass(lab, daemon));
    rss.push((await daemon.usage()).rssMiB);
  }
  const steadyPeak = await peak();
  const { peakMiB: floorPeakMiB } = await floor.usage();
  await expectHealthy(daemon, machines);

  const kubelets = Math.max(1, Math.round(machines * HUNG_SHARE));
  await lab.tell({ kind: 'kubelets hang', count: kubelets });
  const hung = await repeat(others, () => pass(lab, daemon));
  await expectHealthy(daemon, machines - kubelets);
  await lab.tell({ kind: 'all kubelets answer' });
  await pass(lab, daemon);

  await lab.tell({ kind: 'fleet pages take', ms: pageMs });
  const listings: Cost[] = [];
  const slow: Cost[] = [];
  for (let pair = 0; pair < others; pair += 1) {
    listings.push(await floor.listing());
    slow.push(await pass(lab, daemon));
  }
  await lab.tell({ kind: 'fleet pages take', ms: 0 });
  const peaksMiB = { first: firstPeak, steady: steadyPeak, all: await peak() };
  await daemon.stop();
  floor.stop();

  const threeUrls = await measureThreeUrls(lab, machines, others);
  lab.stop();
  return {
    machines,
    floor: median(floors),
    floorPeakMiB,
    first,
    second,
    third,
    steady: median(steady),
    hung: { ...median(hung), kubelets },
    slow: { ...median(slow), pageMs },
    listing: median(listings),
    rssMiB: middle(rss),
    peaksMiB,
    threeUrls,
  };
}

async function measureThreeUrls(lab: LabProcess, machines: number, passes: number): Promise<Figures['threeUrls']> {
  const { kubeletPort } = lab.places;
  // Nobody listens next to the kubelets' port, on their addresses.
  const [before, after] = [kubeletPort - 1, kubeletPort + 1];
  const templates = [
    `http://{ip}:${before}/healthz`,
    `http://{ip}:${kubeletPort}/healthz`,
    `https://{ip}:${after}/healthz`,
  ];
  const asked = lab.tell({ kind: 'say when kubelets were asked', times: machines });
  const daemon = await DaemonProcess.start({ ...settingsFor(lab), HEALTHZ_URL: templates.join(',') });
  const first = await daemon.firstPass(asked);
  const steady = await repeat(passes, () => pass(lab, daemon));
  await expectHealthy(daemon, machines);
  await daemon.stop();
  return { first, steady: median(steady) };
}

export interface Endurance {
  readonly machines: number;
  readonly passes: number;
  /** After so many passes it is to have all the memory that it needs. */
  readonly settled: number;
}

/** Memory when it has settled, and at the end. */
export interface Memory extends Endurance {
  readonly rssMiB: readonly [number, number];
  readonly heapMiB: readonly [number, number];
}

/** The RSS goes up and down: it is the median of this share of all passes. */
const WINDOW_SHARE = 0.1;

/** Memory over many passes, and then how long a start takes, over one small cluster. */
export async function measureLasting(
  endurance: Endurance,
  starts: number,
): Promise<{ memory: Memory; startMs: number }> {
  const lab = await LabProcess.start(endurance.machines);
  const memory = await measureMemory(lab, endurance);
  const startMs = middle(await repeat(starts, () => measureStart(lab)));
  lab.stop();
  return { memory, startMs };
}

async function measureMemory(lab: LabProcess, { machines, passes, settled }: Endurance): Promise<Memory> {
  const { daemon } = await startRegistering(lab, COLLECTABLE);
  const endure = async (from: number, to: number) => {
    const rss: number[] = [];
    for (let count = from; count < to; count += 1) {
      await pass(lab, daemon);
      rss.push((await daemon.usage()).rssMiB);
    }
    return { rss: middle(rss.slice(-Math.ceil(passes * WINDOW_SHARE))), heap: await daemon.heapMiB() };
  };
  const early = await endure(0, settled);
  const late = await endure(settled, passes);
  await expectHealthy(daemon, machines);
  await daemon.stop();
  return { machines, passes, settled, rssMiB: [early.rss, late.rss], heapMiB: [early.heap, late.heap] };
}

/** From spawning the process until its first pass asks fleet, in ms. */
async function measureStart(lab: LabProcess): Promise<number> {
  const asked = lab.tell({ kind: 'say when fleet is asked' });
  const daemon = await DaemonProcess.start(settingsFor(lab));
  const ms = (await asked) - daemon.spawnedAt;
  await daemon.stop();
  return ms;
}

/** Starts a daemon whose first pass registers every machine. */
export async function startRegistering(
  lab: LabProcess,
  nodeOptions = '',
): Promise<{ readonly daemon: DaemonProcess; readonly first: PassCost }> {
  const registered = lab.tell({ kind: 'say when Kubernetes was asked', times: lab.machines });
  const daemon = await DaemonProcess.start(settingsFor(lab), nodeOptions);
  return { daemon, first: await daemon.firstPass(registered) };
}

/** A pass asks every kubelet once. */
export function pass(lab: LabProcess, daemon: DaemonProcess): Promise<PassCost> {
  return daemon.pass(lab.tell({ kind: 'say when kubelets were asked', times: lab.machines }));
}

function settingsFor({ places }: LabProcess): Record<string, string> {
  return {
    FLEET_ENDPOINT: places.fleet,
    API_ENDPOINT: places.kubernetes,
    HEALTHZ_URL: `http://{ip}:${places.kubeletPort}/healthz`,
    HEALTHZ_TIMEOUT: `${HEALTHZ_TIMEOUT_MS}ms`,
    HEALTHZ_CONCURRENCY: String(HEALTHZ_CONCURRENCY),
  };
}

/** A pass that did not see what the lab shows measures nothing. */
async function expectHealthy(daemon: DaemonProcess, expected: number): Promise<void> {
  const healthy = await daemon.healthy();
  if (healthy !== expected) throw new Error(`the daemon found ${healthy} healthy machines, not ${expected}`);
}

async function repeat<T>(times: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let time = 0; time < times; time += 1) results.push(await run());
  return results;
}

export function median(costs: readonly Cost[]): Cost {
  return { wallMs: middle(costs.map(({ wallMs }) => wallMs)), cpuMs: middle(costs.map(({ cpuMs }) => cpuMs)) };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}
