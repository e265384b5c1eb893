/** What is measured of a cluster four times as large as Kubernetes allows: whether anything grows faster than it, or stalls the daemon. */
import { median, pass, settingsFor } from './figures.ts';
import { type Cost, DaemonProcess, FloorProcess, LabProcess, type PassCost } from './processes.ts';

export interface LargeExtent {
  readonly machines: number;
  /** Steady passes, and floors between them. */
  readonly pairs: number;
}

const PATHS = ['/', '/status', '/metrics', '/healthz'] as const;
type Path = (typeof PATHS)[number];

export interface LargeFigures {
  readonly machines: number;
  readonly floor: Cost;
  readonly first: PassCost;
  readonly second: PassCost;
  /** The median, and the longest stall of all. */
  readonly steady: PassCost;
  readonly peakMiB: number;
  /** How long each path takes to answer while a pass runs, in ms. */
  readonly answersMs: Readonly<Record<Path, number>>;
}

export async function measureLarge({ machines, pairs }: LargeExtent, concurrency: number): Promise<LargeFigures> {
  const lab = await LabProcess.start(machines, true);
  const floor = await FloorProcess.start(lab.places, concurrency);
  const daemon = await DaemonProcess.start(settingsFor(lab));
  const first = await daemon.firstPass();
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
  const answersMs = await answersDuringPass(lab, daemon);
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
    answersMs,
  };
}

async function answersDuringPass(lab: LabProcess, daemon: DaemonProcess): Promise<LargeFigures['answersMs']> {
  const running = pass(lab, daemon);
  const answers: [Path, number][] = [];
  for (const path of PATHS) answers.push([path, await daemon.answerMs(path)]);
  await running;
  const ms = new Map(answers);
  const of = (path: Path) => ms.get(path) ?? Number.NaN;
  return { '/': of('/'), '/status': of('/status'), '/metrics': of('/metrics'), '/healthz': of('/healthz') };
}
