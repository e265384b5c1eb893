/** The real program as a child process: what it is given, what it says, which signals it gets, and how it ends. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inject, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { LOG_EVENTS } from '../../src/log/log-events.ts';
import { type Lab, type LabOptions, startLab } from '../lab/lab.ts';
import { ownNetwork } from './loopback.ts';

/** The program, bundled before this run (`build-program.ts`): `node MAIN` runs it. */
export const MAIN = inject('program');
/** How long a test waits for what should come at once: enough for a machine that has other things to do. */
const PATIENCE = { timeout: 15_000, interval: 20 };

const levelOf = (event: string) => new Map(Object.entries(LOG_EVENTS)).get(event)?.[0];

/**
 * Every line of the log is JSON, with a level as a word and a time that people can read. What is not for debugging tells of an
 * event that is known, at the level of that event.
 */
const LINE = z
  .looseObject({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
    time: z.iso.datetime({ precision: 3 }),
    msg: z.string(),
    listen: z.string().optional(),
    event: z.string().optional(),
  })
  .refine(
    ({ level, event }) => level === 'trace' || level === 'debug' || (event !== undefined && levelOf(event) === level),
    'the event is not one of the list, or not at its level',
  );
export type Line = z.infer<typeof LINE>;

const VERDICT = z.object({ verdict: z.string(), reason: z.string(), next: z.string().nullable() });
const SERVER = z.object({ up: z.boolean().nullable(), problem: z.string().nullable() });
const STATUS = z.object({
  pass: z.object({ running: z.boolean(), next: z.string().nullable() }),
  fleet: SERVER,
  kubernetes: SERVER,
  machines: z.array(VERDICT.extend({ id: z.string() })),
  nodes: z.array(VERDICT.extend({ name: z.string(), machine: z.string().nullable() })),
});

/** How the process ended: the signal is null unless one killed it. */
interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** It ended by itself, well, and nobody complained: neither the program nor Node. */
export const GOOD_END: Ending = { code: 0, signal: null, stderr: '' };

/** A lab that is closed when the test is over. The port that its kubelets are given may be that of another test at the same time. */
export async function labOfTest({ kubelets = {}, ...options }: LabOptions = {}): Promise<Lab> {
  const firstAddress = kubelets.port === undefined ? {} : { firstAddress: `${ownNetwork(128)}.1` };
  const lab = await startLab({ ...options, kubelets: { ...firstAddress, ...kubelets } });
  onTestFinished(() => lab.close());
  return lab;
}

/** A folder that is removed when the test is over. */
export async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-register-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The settings of a daemon that works on this lab. It passes once at start, and then when it is told to. */
export function settingsFor(lab: Lab): Record<string, string> {
  return {
    FLEET_ENDPOINT: lab.fleet.endpoint,
    API_ENDPOINT: lab.kubernetes.url,
    HEALTHZ_URL: lab.kubelets.healthzUrl,
    SYNC_INTERVAL: '1h',
    LISTEN: '127.0.0.1:0',
  };
}

/** How the program is started: as it was bundled for the tests, unless a test has another form of it. */
export interface Shipped {
  readonly command: string;
  readonly args: readonly string[];
  /** The process that gets the signals, when it is not the one that is started; undefined when it is not there. */
  readonly pidBelow?: (pid: number) => number | undefined;
}

const BUNDLE: Shipped = { command: process.execPath, args: [MAIN] };

/** Starts the program with these settings, named without their prefix, and flags. It does not outlive the test. */
export function startProgram(
  settings: Record<string, string>,
  flags: readonly string[] = [],
  { command, args, pidBelow }: Shipped = BUNDLE,
): Program {
  const variables = Object.entries(settings).map(([name, value]) => [`KUBE_REGISTER_${name}`, value]);
  const child = spawn(command, [...args, ...flags], {
    env: { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(variables) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const program = new Program(child, pidBelow);
  onTestFinished(async () => {
    program.signal('SIGKILL');
    child.kill('SIGKILL');
    await program.ended;
  });
  return program;
}

export class Program {
  readonly ended: Promise<Ending>;
  /** All that it wrote so far. */
  stdout = '';
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #pidBelow: Shipped['pidBelow'];

  constructor(child: ChildProcessByStdio<null, Readable, Readable>, pidBelow?: Shipped['pidBelow']) {
    this.#child = child;
    this.#pidBelow = pidBelow;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
    });
    this.ended = Promise.all([once(child, 'close'), text(child.stderr)]).then(([[code, signal], stderr]) => ({
      code,
      signal,
      stderr,
    }));
  }

  /** The log so far. Throws when a line of it is not what a line should be. */
  get log(): readonly Line[] {
    const complete = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return complete.split('\n').flatMap((line) => (line === '' ? [] : LINE.parse(JSON.parse(line))));
  }

  /** The lines so far with this in their message. */
  lines(message: RegExp): readonly Line[] {
    return this.log.filter(({ msg }) => message.test(msg));
  }

  /** The first line with this in its message, once it is there. */
  said(message: RegExp): Promise<Line> {
    return this.#until(`a line with ${message}`, async () => this.lines(message)[0]);
  }

  /** `http://127.0.0.1:<port>`, once it listens. */
  async url(): Promise<string> {
    const { listen } = await this.said(/has started/);
    return `http://${listen}`;
  }

  async get(path: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch((await this.url()) + path, init);
    return { status: response.status, body: await response.text() };
  }

  async status(): Promise<z.infer<typeof STATUS>> {
    return STATUS.parse(JSON.parse((await this.get('/status')).body));
  }

  /** The value of a metric; `series` is its name with its labels as /metrics writes them. */
  async metric(series: string): Promise<number> {
    const { body } = await this.get('/metrics');
    const line = body.split('\n').find((each) => each.startsWith(`${series} `));
    if (line === undefined) throw new Error(`/metrics has no ${series}`);
    return Number(line.slice(series.length));
  }

  /** Resolves when the metric has come to this, and what was logged until then has been read. */
  async reached(series: string, value: number): Promise<void> {
    await this.#until(`${series} is ${value}`, async () => (await this.metric(series)) >= value || undefined);
    // The lines lay in the pipe before the metric was told: while it is asked once more they come.
    await this.metric(series);
  }

  /** Resolves when the first pass is over. */
  firstPass(): Promise<void> {
    return this.reached('kube_register_passes_total', 1);
  }

  /** Has it pass once more, by SIGUSR2, and resolves when that pass is over. No other may be due or running. */
  async pass(): Promise<void> {
    const passes = await this.metric('kube_register_passes_total');
    this.signal('SIGUSR2');
    await this.reached('kube_register_passes_total', passes + 1);
  }

  /** The process of the program itself; undefined when it has ended. */
  get pid(): number | undefined {
    const { pid } = this.#child;
    return pid === undefined || this.#pidBelow === undefined ? pid : this.#pidBelow(pid);
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    if (pid === undefined || pid === this.#child.pid) this.#child.kill(signal);
    else process.kill(pid, signal);
  }

  /** Ends it as systemd does. */
  stop(): Promise<Ending> {
    this.signal('SIGTERM');
    return this.ended;
  }

  /** Nobody reads the log any more. */
  closeLog(): void {
    this.#child.stdout.destroy();
  }

  /** How many TCP sockets of the process listen. Linux only. */
  async listeningSockets(): Promise<number> {
    const proc = `/proc/${this.#child.pid}`;
    const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`${proc}/net/${table}`, 'utf8')));
    const listening = tables
      .flatMap((table) => table.split('\n').slice(1))
      .map((row) => row.trim().split(/\s+/))
      .filter(([, , , state]) => state === '0A')
      .map((columns) => `socket:[${columns[9]}]`);
    return (await this.#descriptors()).filter((target) => listening.includes(target)).length;
  }

  /** How many sockets the process has open, of whatever kind. Linux only. */
  async openSockets(): Promise<number> {
    return (await this.#descriptors()).filter((target) => target.startsWith('socket:')).length;
  }

  /** What the open file descriptors of the process lead to. */
  async #descriptors(): Promise<string[]> {
    const folder = `/proc/${this.#child.pid}/fd`;
    const descriptors = await readdir(folder);
    return Promise.all(descriptors.map((fd) => readlink(join(folder, fd)).catch(() => '')));
  }

  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    return vi.waitFor(async () => {
      const found = await look();
      if (found === undefined) throw new Error(`this did not come: ${what}; the program said:\n${this.stdout}`);
      return found;
    }, PATIENCE);
  }
}
