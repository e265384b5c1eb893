/** The two processes of the demo: the lab, which is told what happens, and the daemon, which is only watched. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Order, Reply } from './orders.ts';

type Places = NonNullable<Reply['lab']>;

export class LabActor {
  readonly #process: ChildProcess;
  readonly places: Places;

  private constructor(child: ChildProcess, places: Places) {
    this.#process = child;
    this.places = places;
  }

  static async start(): Promise<LabActor> {
    const child = fork(fileURLToPath(new URL('./lab-process.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
    const { lab } = await nextReply(child);
    if (lab === undefined) throw new Error('the lab did not say where it is');
    return new LabActor(child, lab);
  }

  /** Resolves, once it is so, with the address that the order was about. */
  async tell(order: Order): Promise<string> {
    const reply = nextReply(this.#process);
    this.#process.send(order);
    const { place, problem } = await reply;
    if (problem !== undefined) throw new Error(`the lab could not do this: ${problem}`);
    return place ?? '';
  }

  stop(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}

async function nextReply(child: ChildProcess): Promise<Reply> {
  const [reply] = await once(child, 'message');
  return reply;
}

const LOG_LINE = z.looseObject({
  level: z.string(),
  msg: z.string(),
  event: z.string().optional(),
  listen: z.string().optional(),
});
export type LogLine = z.infer<typeof LOG_LINE>;

const STATUS = z.object({
  pass: z.object({ lastSuccess: z.string().nullable() }),
  guard: z.object({ held: z.boolean(), message: z.string().nullable() }),
  machines: z.array(z.object({ addresses: z.array(z.string()), verdict: z.string(), reason: z.string() })),
  nodes: z.array(z.object({ name: z.string(), verdict: z.string(), reason: z.string(), next: z.string().nullable() })),
});
export type Seen = z.infer<typeof STATUS>;

export class DaemonActor {
  readonly #process: ChildProcess;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly ended: Promise<number>;

  private constructor(child: ChildProcess, url: string, ended: Promise<number>) {
    this.#process = child;
    this.url = url;
    this.ended = ended;
  }

  /** Starts the real program. `onLine` is given each line of its log. */
  static async start(env: Record<string, string>, onLine: (line: LogLine) => void): Promise<DaemonActor> {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const settings = Object.entries(env).map(([name, value]) => [`KUBE_REGISTER_${name}`, value]);
    const child = spawn(process.execPath, ['--import', 'tsx', main], {
      env: { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(settings) },
      stdio: ['ignore', 'pipe', 'inherit'],
      // A group of its own, so that Ctrl-C reaches the story alone, which then ends the daemon as an operator would.
      detached: true,
    });
    const ended = once(child, 'exit').then(([code]) => code ?? 1);
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = LOG_LINE.parse(JSON.parse(text));
        onLine(line);
        if (line.listen !== undefined) resolve(line.listen);
      });
    });
    const listen = await Promise.race([
      listening,
      ended.then((code) => Promise.reject(new Error(`the daemon ended with exit code ${code}`))),
    ]);
    return new DaemonActor(child, `http://${listen}`, ended);
  }

  async status(): Promise<Seen> {
    return STATUS.parse(await (await fetch(`${this.url}/status`)).json());
  }

  /** The first status that `come` accepts; throws when none does within `patienceMs`. */
  async until(what: string, come: (seen: Seen) => boolean, patienceMs = 30_000): Promise<Seen> {
    const giveUp = performance.now() + patienceMs;
    for (;;) {
      const seen = await this.status();
      if (come(seen)) return seen;
      if (performance.now() > giveUp) throw new Error(`this did not come within ${patienceMs / 1_000} s: ${what}`);
      await delay(100);
    }
  }

  /** Ends it as fleet would, and resolves with its exit code. */
  stop(): Promise<number> {
    this.#process.kill('SIGTERM');
    return this.ended;
  }
}
