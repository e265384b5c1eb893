/** The three processes of the benchmark: the lab, the floor, and the daemon as it is shipped. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { FloorOrder, FloorReply } from './floor.ts';
import { OpenPage } from './open-page.ts';
import type { LabOrder, LabReply, Places } from './orders.ts';
import { NODE, PROGRAM } from './shipped.ts';
import { type Usage, usageOf } from './usage.ts';

const LAB = pathTo('./lab-process.ts');
/** Compiled: it is not to carry a compiler in its memory. */
const FLOOR = pathTo('../../build/bench/floor.js');

function pathTo(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** Rejects when the process ends instead. */
async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const enough = new AbortController();
  const { signal } = enough;
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`it ended with exit code ${code}`))),
    ]);
    return message;
  } finally {
    enough.abort();
  }
}

export class LabProcess {
  readonly #child: ChildProcess;
  readonly machines: number;
  readonly places: Places;

  private constructor(child: ChildProcess, machines: number, places: Places) {
    this.#child = child;
    this.machines = machines;
    this.places = places;
  }

  static async start(machines: number, isOneListener = false): Promise<LabProcess> {
    const child = fork(LAB, { execArgv: ['--import', 'tsx'] });
    const { places } = await nextMessage<LabReply>(child);
    if (places === undefined) throw new Error('the lab did not say where it is');
    const { kubeletPort, sharedPort } = places;
    const lab = new LabProcess(child, machines, { ...places, kubeletPort: isOneListener ? sharedPort : kubeletPort });
    await lab.tell({ kind: isOneListener ? 'add machines of one listener' : 'add machines', count: machines });
    return lab;
  }

  /** Resolves once it is so, with when that was, in ms since 1970. One order at a time. */
  async tell(order: LabOrder): Promise<number> {
    const reply = nextMessage<LabReply>(this.#child);
    this.#child.send(order);
    const { at, problem } = await reply;
    if (problem !== undefined) throw new Error(`the lab could not do this: ${problem}`);
    return at;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** What one run of something cost. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** A pass, and for how long at most the event loop of the daemon served nobody else meanwhile. */
export interface PassCost extends Cost {
  readonly stallMs: number;
}

export class FloorProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start({ fleet, kubernetes, kubeletPort }: Places, concurrency: number): Promise<FloorProcess> {
    const child = fork(FLOOR, [fleet, kubernetes, String(kubeletPort), String(concurrency)], NODE);
    await nextMessage<FloorReply>(child);
    return new FloorProcess(child);
  }

  /** A pass in which not all of the machines answer is no floor. */
  async pass(machines: number): Promise<Cost> {
    const { answers, ...cost } = await this.#run('pass');
    if (answers !== machines) throw new Error(`${answers} kubelets answered the floor, not ${machines}`);
    return cost;
  }

  /** fleet's pages alone. */
  async listing(): Promise<Cost> {
    const { answers: _, ...cost } = await this.#run('listing');
    return cost;
  }

  async #run(order: FloorOrder): Promise<Cost & { readonly answers: number }> {
    const before = await this.usage();
    const reply = nextMessage<FloorReply>(this.#child);
    this.#child.send(order);
    const { ms, answers } = await reply;
    return { answers, wallMs: ms, cpuMs: (await this.usage()).cpuMs - before.cpuMs };
  }

  usage(): Promise<Usage> {
    return usageOf(pidOf(this.#child));
  }

  stop(): void {
    this.#child.disconnect();
  }
}

const STARTED = z.object({ listen: z.string() });

/** Flags that let this process have the daemon collect its garbage: only then does its heap tell what it keeps. */
const COLLECT = 'SIGURG';
const COLLECTIONS = 'nodejs_gc_duration_seconds_count{kind="major"}';
export const COLLECTABLE = `--expose-gc --import data:text/javascript,process.on('${COLLECT}',()=>gc())`;

/** perf_hooks' monitorEventLoopDelay looks once in so many ms, and counts them too. */
const LAG_RESOLUTION_MS = 10;

/** How often it is looked whether a pass is over, once it cannot be far from it. */
const LOOK_EVERY_MS = 50;
/** A daemon that used less CPU time meanwhile does nothing. */
const IDLE_MS = 1;

export class DaemonProcess {
  readonly #child: ChildProcess;
  readonly #url: string;
  /** When the process was asked for, in ms since 1970. */
  readonly spawnedAt: number;

  private constructor(child: ChildProcess, url: string, spawnedAt: number) {
    this.#child = child;
    this.#url = url;
    this.spawnedAt = spawnedAt;
  }

  /** Starts the program as it is shipped, which passes once at start and then when it is told to. Settings are named without their prefix. */
  static async start(settings: Readonly<Record<string, string>>, nodeOptions = ''): Promise<DaemonProcess> {
    const all = { SYNC_INTERVAL: '24h', LISTEN: '127.0.0.1:0', ...settings };
    const variables = Object.entries(all).map(([name, value]) => [`KUBE_REGISTER_${name}`, value]);
    const spawnedAt = Date.now();
    const child = spawn(PROGRAM, [], {
      env: { PATH: process.env['PATH'] ?? '', NODE_OPTIONS: nodeOptions, ...Object.fromEntries(variables) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // The lab and the floor end with the channel to this process; the daemon knows nothing of it.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const lines = createInterface({ input: child.stdout });
    const listen = await new Promise<string>((resolve, reject) => {
      lines.once('close', () => reject(new Error('the daemon ended before it listened')));
      // The rest of its log is read too, so that it can go on, and dropped.
      lines.on('line', (line) => {
        const started = STARTED.safeParse(JSON.parse(line));
        if (started.success) resolve(started.data.listen);
      });
    });
    return new DaemonProcess(child, `http://${listen}`, spawnedAt);
  }

  usage(): Promise<Usage> {
    return usageOf(pidOf(this.#child));
  }

  /** What its first pass cost. CPU time is that of the whole process since it began; stalls are those since it can be asked. */
  async firstPass(nearlyOver: Promise<unknown>): Promise<PassCost> {
    await this.#passes();
    await nearlyOver;
    return this.#passOver({ passes: 0, seconds: 0, stallMs: 0 });
  }

  /** Has it pass once more, by SIGUSR2. No other pass may be running. */
  async pass(nearlyOver: Promise<unknown>): Promise<PassCost> {
    const before = await this.#passes();
    const { cpuMs } = await this.usage();
    this.#child.kill('SIGUSR2');
    await nearlyOver;
    const over = await this.#passOver(before);
    return { ...over, cpuMs: over.cpuMs - cpuMs };
  }

  /** What of its JavaScript heap is in use once the garbage is collected. Only for one that was started COLLECTABLE. */
  async heapMiB(): Promise<number> {
    const before = valueIn(await this.#metrics(), COLLECTIONS, 0);
    this.#child.kill(COLLECT);
    for (;;) {
      const metrics = await this.#metrics();
      if (valueIn(metrics, COLLECTIONS, 0) > before) return valueIn(metrics, 'nodejs_heap_size_used_bytes') / 2 ** 20;
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Machines that its last pass found healthy. */
  async healthy(): Promise<number> {
    return valueIn(await this.#metrics(), 'kube_register_machines{state="healthy"}');
  }

  /** How long it takes to answer a request for this path, in ms. */
  async answerMs(path: string, isZipped: boolean): Promise<number> {
    const asked = performance.now();
    const answer = await fetch(`${this.#url}${path}`, {
      headers: { 'Accept-Encoding': isZipped ? 'gzip' : 'identity' },
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    await answer.arrayBuffer();
    return performance.now() - asked;
  }

  /** Opens the page. */
  openPage(): Promise<OpenPage> {
    return OpenPage.open(this.#url);
  }

  /** The longest stall since the metrics were read last. */
  async stallMs(): Promise<number> {
    return (await this.#passes()).stallMs;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  /**
   * Resolves once there is one pass more, with how long it took, its longest stall, and the CPU time of the process until then. To be asked
   * whether it is over costs the daemon CPU time, so it is left alone until it does nothing, and that is not counted. Throws when the pass failed.
   */
  async #passOver(before: Passes): Promise<PassCost> {
    for (let stallMs = 0; ; ) {
      const cpuMs = await this.#idle();
      const now = await this.#passes();
      stallMs = Math.max(stallMs, now.stallMs);
      if (now.passes > before.passes) return { wallMs: (now.seconds - before.seconds) * 1_000, stallMs, cpuMs };
    }
  }

  /** Resolves once it does nothing, with its CPU time until then. */
  async #idle(): Promise<number> {
    for (let { cpuMs } = await this.usage(); ; ) {
      await delay(LOOK_EVERY_MS);
      const now = (await this.usage()).cpuMs;
      if (now - cpuMs < IDLE_MS) return now;
      cpuMs = now;
    }
  }

  async #passes(): Promise<Passes> {
    const metrics = await this.#metrics();
    const failures = [...metrics.matchAll(/^kube_register_pass_failures_total\{.*\} [1-9].*$/gm)];
    if (failures.length > 0) throw new Error(`a pass failed: ${failures.join(', ')}`);
    return {
      passes: valueIn(metrics, 'kube_register_passes_total'),
      seconds: valueIn(metrics, 'kube_register_pass_duration_seconds_sum'),
      stallMs: Math.max(valueIn(metrics, 'nodejs_eventloop_lag_max_seconds') * 1_000 - LAG_RESOLUTION_MS, 0),
    };
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${this.#url}/metrics`)).text();
  }
}

/** All passes so far. */
interface Passes {
  readonly passes: number;
  readonly seconds: number;
  /** The longest since the metrics were read last: to read them is to begin anew. */
  readonly stallMs: number;
}

/** Throws when there is no such series, unless it is one that comes with its first event. */
function valueIn(metrics: string, series: string, without?: number): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined && without !== undefined) return without;
  if (line === undefined) throw new Error(`/metrics has no ${series}`);
  return Number(line.slice(series.length));
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('a process could not be started');
  return pid;
}
