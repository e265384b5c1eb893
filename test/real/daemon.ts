/** The whole daemon in this process, with a clock that the test owns and a pass whenever the test wants one. */
import { expect, onTestFinished } from 'vitest';
import { type Assembly, assemble } from '../../src/daemon/assemble.ts';
import { logOf } from '../../src/log/log-events.ts';
import { createLogger } from '../../src/log/logger.ts';
import { nodeName } from '../../src/reconcile/plan/action.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import type { Clock } from '../../src/time/clock.ts';
import { read } from '../unit/settings/read-settings.ts';
import type { World } from './world.ts';

const INTERVAL_MS = 60_000;
/** Graces so short that a few passes outlast them. */
const SHORT_GRACES = { MISSING_GRACE: '2m', UNHEALTHY_GRACE: '3m' };
/** So many passes after everybody could see that a node is dead, its grace is over, whichever it is. */
export const PASSES_OF_GRACE = 4;

/** Stands still unless it is told. */
class TestClock implements Clock {
  #ms = 0;

  wall(): number {
    return Date.parse('2026-01-01T00:00:00Z') + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}

/** A daemon with these settings on top of those that the world demands. It is gone when the test is. */
export async function startDaemon(
  world: Pick<World, 'settings'>,
  settings: Record<string, string> = {},
): Promise<Daemon> {
  const log: string[] = [];
  const logger = await createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => log.push(line) },
  });
  const clock = new TestClock();
  const all = { ...world.settings, SYNC_INTERVAL: '1m', ...SHORT_GRACES, ...settings };
  const assembly = await assemble(read([], all), { log: logOf(logger), clock, version: 'test' });
  const daemon = new Daemon(assembly, clock, log);
  onTestFinished(async () => {
    await daemon.stop();
    assembly.close();
  });
  return daemon;
}

export class Daemon {
  /** The lines that it wrote, as JSON. */
  readonly log: readonly string[];
  readonly #assembly: Assembly;
  readonly #clock: TestClock;

  constructor(assembly: Assembly, clock: TestClock, log: readonly string[]) {
    this.#assembly = assembly;
    this.#clock = clock;
    this.log = log;
  }

  get status() {
    return this.#assembly.daemon.status();
  }

  /** The value of a metric; `series` is its name with its labels as /metrics writes them. */
  async metric(series: string): Promise<number> {
    const { body } = await this.#assembly.metrics.exposition();
    const line = body.split('\n').find((each) => each.startsWith(`${series} `));
    if (line === undefined) throw new Error(`there is no ${series}`);
    return Number(line.slice(series.length));
  }

  /** Makes no pass any more. */
  stop(): Promise<void> {
    return this.#assembly.daemon.stop();
  }

  /** A pass, whatever comes of it; then an interval goes by. */
  async attempt(): Promise<PassReport> {
    const report = await this.#assembly.daemon.runOnce();
    this.#clock.advance(INTERVAL_MS);
    return report;
  }

  /** A pass that succeeds with all that it does. */
  async pass(): Promise<PassReport> {
    const report = await this.attempt();
    expect([...report.failures.values(), ...report.outcomes.filter(({ result }) => result === 'failed')]).toEqual([]);
    return report;
  }

  /** The report of the last of them. */
  async passes(count: number): Promise<PassReport> {
    for (let more = count; more > 1; more--) await this.pass();
    return this.pass();
  }
}

/** What became of the actions: `register 127.1.0.1: done`, sorted. */
export function told({ outcomes }: PassReport): string[] {
  return outcomes.map(({ action, result }) => `${action.kind} ${nodeName(action)}: ${result}`).sort();
}

/** Why the actions did not come about, where that was said. */
export function details({ outcomes }: PassReport): string[] {
  return outcomes.flatMap(({ detail }) => detail ?? []);
}

/** The word of the plan for one node. */
export function verdictOf({ seen }: PassReport, node: string): string | undefined {
  return seen?.plan.nodes.get(node)?.name;
}
