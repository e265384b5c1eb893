/** One copy of the daemon in a simulated cluster: the real reconciler, and what can be done to its process. */
import { createFleetClient } from '../../src/fleet/client.ts';
import { parseSelector } from '../../src/fleet/selector.ts';
import { connectNodes } from '../../src/kubernetes/connect.ts';
import { createNamer } from '../../src/reconcile/observe/naming.ts';
import { nodeName } from '../../src/reconcile/plan/action.ts';
import type { Policy } from '../../src/reconcile/plan/policy.ts';
import { type PassReport, Reconciler } from '../../src/reconcile/reconciler.ts';
import { CHECK_TIMEOUT_MS, fleetOf, kubeletsOf, nodesOf } from './clients.ts';
import { type Conditions, DRAIN_MS, isDry } from './conditions.ts';
import type { FleetName } from './host.ts';
import { HOUR } from './time.ts';
import { fleetHttp, kubernetesHttp } from './transport.ts';
import type { Cluster } from './wire.ts';
import type { Line } from './wiretap.ts';

const EPOCH = Date.UTC(2026, 0, 1);

/** What is told of a copy's life and of its passes. */
export interface Observer {
  started(copy: number): void;
  /** SIGTERM. */
  stopping(copy: number): void;
  beginPass(copy: number): void;
  endPass(copy: number, report: PassReport): void;
}

export interface DaemonOptions {
  readonly copy: number;
  readonly fleet: FleetName;
  readonly conditions: Conditions;
  readonly policy: Policy;
  readonly observer: Observer;
}

export class Daemon implements Line {
  readonly copy: number;
  readonly fleet: FleetName;
  readonly #cluster: Cluster;
  readonly #observer: Observer;
  readonly #reconciler: Reconciler;
  readonly #intervalMs: number;
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  #isDead = false;
  #resume: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  /** Since when the whole machine is suspended, and for how long it was before. */
  #suspendedAtMs: number | undefined;
  #suspendedMs = 0;
  passes = 0;
  last: PassReport | undefined;
  /** How far its wall clock is wrong. */
  clockOffMs = 0;

  constructor(cluster: Cluster, { copy, fleet, conditions, policy, observer }: DaemonOptions) {
    this.copy = copy;
    this.fleet = fleet;
    this.#cluster = cluster;
    this.#observer = observer;
    this.#intervalMs = policy.intervalMs;
    const { namedBy, hasRealClients } = conditions;
    const clock = {
      monotonic: () => (this.#suspendedAtMs ?? cluster.world.nowMs) - this.#suspendedMs,
      wall: () => EPOCH + cluster.world.nowMs + this.clockOffMs,
    };
    const rule = namedBy === 'address' ? ({ kind: 'ip' } as const) : ({ kind: 'metadata', key: 'host' } as const);
    this.#reconciler = new Reconciler({
      sources: {
        fleet: hasRealClients ? createFleetClient({ http: fleetHttp(cluster, this) }) : fleetOf(cluster, this),
        selector: parseSelector('role=kubernetes'),
        kubelets: kubeletsOf(cluster, this),
        nodes: hasRealClients
          ? connectNodes({ http: kubernetesHttp(cluster, this), apiVersion: 'auto', clock })
          : nodesOf(cluster, this),
        namer: createNamer(rule, async () => [], clock),
      },
      policy,
      clock,
      // A pass here takes as long as it takes: the deadline of the real one is in real time.
      passTimeoutMs: HOUR,
      checkTimeoutMs: CHECK_TIMEOUT_MS,
      dryRun: isDry(conditions, copy),
    });
    observer.started(copy);
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

  /** SIGKILL: nothing more comes of it than what it has sent. */
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
    this.#observer.stopping(this.copy);
    this.#stop.abort(new Error('the daemon stops'));
    void this.#cluster.world.timeline.sleep(DRAIN_MS).then(() => this.#abandon.abort(new Error('the daemon stops')));
  }

  /** SIGSTOP; or the whole machine is suspended, and its monotonic clock with it. */
  stop(how: 'process' | 'machine' = 'process'): void {
    if (this.isStopped) return;
    if (how === 'machine') this.#suspendedAtMs = this.#cluster.world.nowMs;
    this.#stopped = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** SIGCONT. */
  resume(): void {
    if (this.#suspendedAtMs !== undefined) this.#suspendedMs += this.#cluster.world.nowMs - this.#suspendedAtMs;
    this.#suspendedAtMs = undefined;
    this.#stopped = undefined;
    this.#resume?.();
  }

  /** What changed since the pass before. */
  #tellVerdicts({ seen, outcomes, failures }: PassReport): void {
    const { tell } = this.#cluster;
    const before = this.last?.seen?.plan;
    const told = (kind: 'machine' | 'node', name: string, verdict: { name: string; reason: string }) =>
      tell(`  copy ${this.copy}: ${kind} ${name}: ${verdict.name}: ${verdict.reason}`);
    for (const [id, verdict] of seen?.plan.machines ?? []) {
      if (before?.machines.get(id)?.name !== verdict.name) told('machine', id, verdict);
    }
    for (const [name, verdict] of seen?.plan.nodes ?? []) {
      if (before?.nodes.get(name)?.name !== verdict.name) told('node', name, verdict);
    }
    for (const { action, result, detail } of outcomes) {
      if (result === 'dry-run') continue;
      tell(
        `  copy ${this.copy}: ${action.kind} ${nodeName(action)}: ${result}${detail === undefined ? '' : `: ${detail}`}`,
      );
    }
    const failed = [...(this.last?.failures.values() ?? [])];
    for (const failure of failures.values()) if (!failed.includes(failure)) tell(`  copy ${this.copy}: ${failure}`);
  }

  async #run(): Promise<void> {
    const { world, chance } = this.#cluster;
    await world.timeline.sleep(chance.between(0, this.#intervalMs));
    while (!this.isEnding) {
      await this.running();
      const startedAtMs = world.nowMs;
      this.#observer.beginPass(this.copy);
      const report = await this.#reconciler.runOnce({ stop: this.#stop.signal, abandon: this.#abandon.signal });
      if (this.#isDead) return;
      this.#tellVerdicts(report);
      this.last = report;
      this.passes += 1;
      this.#observer.endPass(this.copy, report);
      const took = world.nowMs - startedAtMs;
      await world.timeline.sleep(this.#intervalMs - (took % this.#intervalMs));
    }
  }
}
