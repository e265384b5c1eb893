/** What is measured of a cluster four times as large as Kubernetes allows: whether anything grows faster than it, or stalls the daemon. */
import { median, pass, startRegistering } from './figures.ts';
import { type Cost, type DaemonProcess, FloorProcess, LabProcess, type PassCost } from './processes.ts';

export interface LargeExtent {
  readonly machines: number;
  /** Steady passes, and floors between them. */
  readonly pairs: number;
}

/** What is asked while a pass runs. Only what is large is zipped. */
const QUESTIONS = [
  { path: '/', isZipped: true },
  { path: '/', isZipped: false },
  { path: '/status', isZipped: true },
  { path: '/status', isZipped: false },
  { path: '/metrics', isZipped: false },
  { path: '/healthz', isZipped: false },
] as const;

/** What came of a question that was asked while a pass ran. */
interface Answered {
  /** `/status with gzip` */
  readonly what: string;
  readonly answerMs: number;
  /** The longest until the pass and the answer were over. */
  readonly stallMs: number;
}

export interface LargeFigures {
  readonly machines: number;
  readonly floor: Cost;
  readonly first: PassCost;
  readonly second: PassCost;
  /** The median, and the longest stall of all. */
  readonly steady: PassCost;
  readonly peakMiB: number;
  readonly answers: readonly Answered[];
  /** The longest while a page is open, until it has been sent what the pass changed. */
  readonly openPageStallMs: number;
}

export async function measureLarge({ machines, pairs }: LargeExtent, concurrency: number): Promise<LargeFigures> {
  const lab = await LabProcess.start(machines, true);
  const floor = await FloorProcess.start(lab.places, concurrency);
  const { daemon, first } = await startRegistering(lab);
  await lab.tell({ kind: 'kubelets report ready' });
  const second = await pass(lab, daemon);
  await floor.pass(machines);
  await pass(lab, daemon);

  const floors: Cost[] = [];
  const steady: PassCost[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    floors.push(await floor.pass(machines));
    steady.push(await pass(lab, daemon));
  }
  const { peakMiB } = await daemon.usage();
  const answers: Answered[] = [];
  for (const question of QUESTIONS) answers.push(await askDuringPass(lab, daemon, question));
  const openPageStallMs = await passWithOpenPage(lab, daemon);
  await daemon.stop();
  floor.stop();
  lab.stop();
  return {
    machines,
    floor: median(floors),
    first,
    second,
    steady: { ...median(steady), stallMs: Math.max(...steady.map(({ stallMs }) => stallMs)) },
    peakMiB,
    answers,
    openPageStallMs,
  };
}

async function askDuringPass(
  lab: LabProcess,
  daemon: DaemonProcess,
  { path, isZipped }: (typeof QUESTIONS)[number],
): Promise<Answered> {
  const running = pass(lab, daemon);
  const answerMs = await daemon.answerMs(path, isZipped);
  const { stallMs } = await running;
  const what = isZipped ? `${path} with gzip` : path;
  return { what, answerMs, stallMs: Math.max(stallMs, await daemon.stallMs()) };
}

async function passWithOpenPage(lab: LabProcess, daemon: DaemonProcess): Promise<number> {
  const page = await daemon.openPage();
  const updated = page.nextPass();
  const { stallMs } = await pass(lab, daemon);
  await updated;
  page.close();
  return Math.max(stallMs, await daemon.stallMs());
}
