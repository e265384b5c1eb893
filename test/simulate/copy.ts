/** One copy of the daemon in a simulated cluster: the real reconciler, and what can be done to its process. */
import { createFleetClient } from '../../src/fleet/client.ts';
import { parseSelector } from '../../src/fleet/selector.ts';
import { connectNodes } from '../../src/kubernetes/connect.ts';
import { createNamer } from '../../src/reconcile/naming.ts';
import { type PassReport, Reconciler } from '../../src/reconcile/reconciler.ts';
import { BrokenRule, type Conditions, DRAIN_MS, isDry } from './court.ts';
import type { Referee } from './referee.ts';
import { type Cluster, fleetOf, kubeletsOf, type Line, nodesOf } from './servers.ts';
import { fleetHttp, kubernetesHttp } from './transport.ts';

const EPOCH = Date.UTC(2026, 0, 1);
/** A pass here takes as long as it takes: the deadline of the real one is in real time. */
const PASS_TIMEOUT_MS = 3_600_000;

export class Copy implements Line {
  readonly copy: number;
  readonly #cluster: Cluster;
  readonly #referee: Referee;
  readonly #reconciler: Reconciler;
  readonly #intervalMs: number;
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  readonly #tell: (what: string) => void;
  #isDead = false;
  #resume: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  passes = 0;
  last: PassReport | undefined;
  /** How far its wall clock is wrong. */
  clockOffMs = 0;

  constructor(copy: number, cluster: Cluster, referee: Referee, conditions: Conditions, tell: (what: string) => void) {
    const { policy, namedBy, hasRealClients } = conditions;
    this.copy = copy;
    this.#tell = tell;
    this.#cluster = cluster;
    this.#referee = referee;
    this.#intervalMs = policy.intervalMs;
    const { timeline } = cluster;
    const clock = { monotonic: () => timeline.nowMs, wall: () => EPOCH + timeline.nowMs + this.clockOffMs };
    this.#reconciler = new Reconciler({
      sources: {
        fleet: hasRealClients ? createFleetClient({ http: fleetHttp(cluster, this) }) : fleetOf(cluster, this),
        selector: parseSelector('role=kubernetes'),
        kubelets: kubeletsOf(cluster, this),
        nodes: hasRealClients
          ? connectNodes({ http: kubernetesHttp(cluster, this), apiVersion: 'auto', clock })
          : nodesOf(cluster, this),
        namer: createNamer(
          namedBy === 'ip' ? { kind: 'ip' } : { kind: 'metadata', key: 'host' },
          async () => [],
          clock,
        ),
      },
      policy,
      clock,
      passTimeoutMs: PASS_TIMEOUT_MS,
      dryRun: isDry(conditions, copy),
    });
    referee.started(copy);
    void this.#run();
  }

  async running(): Promise<void> {
    await this.#stopped;
    if (this.#isDead) await new Promise(() => {});
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** It was told to end, and runs no further pass. */
  get isEnding(): boolean {
    return this.#stop.signal.aborted;
  }

  /** SIGKILL: whatever was under way has no end. */
  kill(): void {
    this.#isDead = true;
  }

  /** When the schedule is over: nothing of it may keep a timer of this process, and with it the whole world, alive. */
  dispose(): void {
    this.kill();
    for (const end of [this.#stop, this.#abandon]) end.abort(new Error('the schedule is over'));
  }

  /** SIGTERM. */
  terminate(): void {
    this.#referee.stopping(this.copy);
    this.#stop.abort(new Error('the daemon stops'));
    void this.#cluster.timeline.sleep(DRAIN_MS).then(() => this.#abandon.abort(new Error('the daemon stops')));
  }

  /** SIGSTOP. */
  stop(): void {
    this.#stopped ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** SIGCONT. */
  resume(): void {
    this.#stopped = undefined;
    this.#resume?.();
  }

  /** What changed since the pass before. */
  #tellVerdicts({ seen, failures }: PassReport): void {
    const before = this.last?.seen?.plan.nodes;
    for (const [name, verdict] of seen?.plan.nodes ?? []) {
      if (before?.get(name)?.name !== verdict.name) {
        this.#tell(`  copy ${this.copy}: node ${name}: ${verdict.name}: ${verdict.reason}`);
      }
    }
    const failed = [...(this.last?.failures.values() ?? [])];
    for (const failure of failures.values())
      if (!failed.includes(failure)) this.#tell(`  copy ${this.copy}: ${failure}`);
  }

  async #run(): Promise<void> {
    const { timeline, chance } = this.#cluster;
    await timeline.sleep(chance.between(0, this.#intervalMs));
    while (!this.isEnding) {
      await this.running();
      const startedAtMs = timeline.nowMs;
      this.#referee.beginPass(this.copy);
      const report = await this.#reconciler.runOnce({ stop: this.#stop.signal, abandon: this.#abandon.signal });
      if (this.#isDead) return;
      this.#tellVerdicts(report);
      this.last = report;
      this.passes += 1;
      try {
        this.#referee.endPass(this.copy, report);
      } catch (error) {
        // The referee keeps a broken rule; anything else is a mistake of the simulation.
        if (!(error instanceof BrokenRule)) throw error;
        return;
      }
      const took = timeline.nowMs - startedAtMs;
      await timeline.sleep(this.#intervalMs - (took % this.#intervalMs));
    }
  }
}
