/** One schedule: a cluster, two copies of the daemon, and everything that happens to them, all drawn from one seed. */
import { parseSelector } from '../../src/fleet/selector.ts';
import { MACHINE_ID } from '../../src/reconcile/marks.ts';
import { createNamer } from '../../src/reconcile/naming.ts';
import type { Policy } from '../../src/reconcile/policy.ts';
import { type PassReport, Reconciler } from '../../src/reconcile/reconciler.ts';
import { Chance } from './chance.ts';
import { happen } from './events.ts';
import { BrokenRule, Referee } from './referee.ts';
import { type Cluster, fleetOf, kubeletsOf, type Line, nodesOf, RELEASES } from './servers.ts';
import { Timeline } from './timeline.ts';
import { type Host, type StoredNode, World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const INTERVAL_MS = 30 * SECOND;
const EPOCH = Date.UTC(2026, 0, 1);
/** Reasons that a machine may have for no node, or a node that is dead for being there, once all is well. */
const EXCUSES = ['conflict', 'unusable', 'unnamed', 'vetoed', 'spared', 'held', 'probe-suspect', 'orphan', 'unmatched'];

export interface Ending {
  /** A rule that was broken, or what went wrong in the daemon. */
  readonly broken: Error | undefined;
  readonly counts: ReadonlyMap<string, number>;
  readonly story: readonly string[];
  readonly passes: number;
}

/** One copy of the daemon. */
class Copy implements Line {
  readonly copy: number;
  readonly #cluster: Cluster;
  readonly #referee: Referee;
  readonly #reconciler: Reconciler;
  /** Of a process that is only ever killed. */
  readonly #never = new AbortController().signal;
  readonly #tell: (what: string) => void;
  #isDead = false;
  #resume: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  passes = 0;
  last: PassReport | undefined;
  /** How far its wall clock is wrong. */
  clockOffMs = 0;

  constructor(copy: number, cluster: Cluster, referee: Referee, policy: Policy, tell: (what: string) => void) {
    this.copy = copy;
    this.#tell = tell;
    this.#cluster = cluster;
    this.#referee = referee;
    const { timeline } = cluster;
    const clock = { monotonic: () => timeline.nowMs, wall: () => EPOCH + timeline.nowMs + this.clockOffMs };
    this.#reconciler = new Reconciler({
      sources: {
        fleet: fleetOf(cluster, this),
        selector: parseSelector('role=kubernetes'),
        kubelets: kubeletsOf(cluster, this),
        nodes: nodesOf(cluster, this),
        namer: createNamer({ kind: 'ip' }, async () => [], clock),
      },
      policy,
      clock,
      passTimeoutMs: 60 * MINUTE,
      dryRun: false,
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

  /** SIGKILL: whatever was under way has no end. */
  kill(): void {
    this.#isDead = true;
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
        this.#tell(`copy ${this.copy}: node ${name}: ${verdict.name}: ${verdict.reason}`);
      }
    }
    for (const failure of failures.values()) this.#tell(`copy ${this.copy}: ${failure}`);
  }

  async #run(): Promise<void> {
    const { timeline, chance } = this.#cluster;
    await timeline.sleep(chance.between(0, INTERVAL_MS));
    for (;;) {
      await this.running();
      const startedAtMs = timeline.nowMs;
      this.#referee.beginPass(this.copy);
      const report = await this.#reconciler.runOnce({ stop: this.#never, abandon: this.#never });
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
      await timeline.sleep(INTERVAL_MS - (took % INTERVAL_MS));
    }
  }
}

/**
 * Plays so many intervals with everything that can go wrong, then lets it be well until there is nothing left to do. `mistaken` gives
 * the daemon another policy than the one that it is judged by.
 */
export async function play(
  seed: number,
  intervals: number,
  mistaken: (policy: Policy) => Policy = (policy) => policy,
): Promise<Ending> {
  const chance = new Chance(seed);
  const timeline = new Timeline();
  const world = new World(chance, timeline);
  const release = chance.pick(RELEASES) ?? RELEASES[0];
  if (release === undefined) throw new Error('there is no release');
  const policy = policyOf(chance);
  const referee = new Referee(world, release, policy);
  const cluster: Cluster = { world, chance, timeline, release, tap: referee };
  const story = [
    `Kubernetes ${release.version}; missing grace ${policy.missingGraceMs / SECOND} s, unhealthy grace ${policy.unhealthyGraceMs / SECOND} s, limit ${policy.maxDeregisterPercent} %`,
  ];
  const copies = new Map<number, Copy>();
  const tell = (what: string) => story.push(`${clockOf(timeline.nowMs)} ${what}`);
  const start = (copy: number) => {
    copies.get(copy)?.kill();
    copies.set(copy, new Copy(copy, cluster, referee, mistaken(policy), tell));
  };
  let broken: Ending['broken'];
  try {
    for (let count = chance.between(2, 9); count > 0; count -= 1) world.join();
    start(0);
    if (chance.strikes(0.5)) start(1);
    void world.live();
    const liveUntil = async (ms: number) => {
      await timeline.runUntil(ms);
      if (referee.broken !== undefined) throw referee.broken;
    };
    // A cluster has quiet times: only there is a grace watched to its end.
    const restlessness = chance.pick([0.02, 0.1, 0.4]) ?? 0.1;
    for (let interval = 0; interval < intervals; interval += 1) {
      while (chance.strikes(restlessness)) {
        const what = chance.strikes(0.85) ? happen(world, chance) : happenToCopy(copies, start, chance);
        if (what !== undefined) tell(what);
      }
      await liveUntil(timeline.nowMs + INTERVAL_MS - chance.between(0, 10) * SECOND);
    }
    calm(world, copies, start);
    tell('all is well from now on');
    await liveUntil(timeline.nowMs + 5 * INTERVAL_MS);
    judgeRegistrations(world, copies, referee);
    const graces = [policy.missingGraceMs, policy.unhealthyGraceMs].filter(Number.isFinite);
    await liveUntil(timeline.nowMs + 2 * Math.max(...graces, 0) + (world.nodes.size + 10) * INTERVAL_MS);
    judgeEnd(world, copies, referee);
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    tell(broken.message);
  }
  for (const copy of copies.values()) copy.kill();
  const passes = [...copies.values()].reduce((sum, copy) => sum + copy.passes, 0);
  return { broken, counts: referee.counts, story, passes };
}

/** Adds what was counted in one schedule to what was in others. */
export function addCounts(sum: Map<string, number>, { counts }: Ending): void {
  for (const [what, times] of counts) sum.set(what, (sum.get(what) ?? 0) + times);
}

function policyOf(chance: Chance): Policy {
  return {
    neverDeregister: undefined,
    adopt: chance.strikes(0.9),
    missingGraceMs: chance.pick([0, 2 * MINUTE, 5 * MINUTE]) ?? 0,
    unhealthyGraceMs: chance.pick([3 * MINUTE, 8 * MINUTE, Number.POSITIVE_INFINITY]) ?? 0,
    maxDeregisterPercent: chance.pick([34, 34, 60, 100]) ?? 34,
    intervalMs: INTERVAL_MS,
    nodeLabels: ['zone'],
  };
}

function happenToCopy(copies: ReadonlyMap<number, Copy>, start: (copy: number) => void, chance: Chance): string {
  const which = chance.between(0, 1);
  const copy = copies.get(which);
  if (copy === undefined || chance.strikes(0.3)) {
    start(which);
    return `copy ${which} is started anew`;
  }
  if (chance.strikes(0.3)) {
    copy.clockOffMs = chance.between(-120, 120) * MINUTE;
    return `the clock of copy ${which} is wrong by ${copy.clockOffMs / MINUTE} minutes`;
  }
  if (copy.isStopped) {
    copy.resume();
    return `copy ${which} goes on`;
  }
  copy.stop();
  return `copy ${which} is stopped`;
}

function calm(world: World, copies: ReadonlyMap<number, Copy>, start: (copy: number) => void): void {
  world.weather.fleet = 'fair';
  world.weather.api = 'fair';
  world.weather.cuts.clear();
  for (const copy of [0, 1]) {
    if (copies.has(copy)) copies.get(copy)?.resume();
    else start(copy);
  }
}

/** Every healthy machine that matches has its node within two passes, or its verdict says why not. */
function judgeRegistrations(world: World, copies: ReadonlyMap<number, Copy>, referee: Referee): void {
  const verdicts = [...copies.values()].map(({ last }) => last?.seen?.plan.machines);
  const listed = world.listed();
  for (const host of listed) {
    if (!host.isOn || host.kubelet !== 'healthy' || host.metadata['role'] !== 'kubernetes') continue;
    // Of two hosts with one address or one id nobody can tell which is which.
    const isTwin = (other: Host) => other.address === host.address || other.machineId === host.machineId;
    if (world.hosts.some((other) => other !== host && isTwin(other))) continue;
    const isExcused = verdicts.some((each) => EXCUSES.includes(each?.get(host.machineId)?.name ?? ''));
    const hasNode = [...world.nodes.values()].some((node) => belongs(node, host));
    referee.expect(
      hasNode || isExcused,
      '3: a candidate without a node, whose kubelet is healthy, is registered',
      () => `${host.name} has no node, and the verdict is ${verdicts.map((each) => each?.get(host.machineId)?.name)}`,
    );
  }
}

/** Every dead node that bears our mark is gone, or its verdict says why not; and nothing is left to do. */
function judgeEnd(world: World, copies: ReadonlyMap<number, Copy>, referee: Referee): void {
  for (const node of world.nodes.values()) {
    const isAlive = node.ready === 'ready' || world.hosts.some((host) => belongs(node, host) && host.isOn);
    if (!node.annotations.has(MACHINE_ID) || isAlive) continue;
    const verdicts = [...copies.values()].map(({ last }) => last?.seen?.plan.nodes.get(node.name)?.name ?? 'none');
    referee.expect(
      verdicts.some((name) => EXCUSES.includes(name)),
      '4: a node that is not alive is deregistered after its grace',
      () => `node ${node.name} is dead and still there, and the verdicts are ${verdicts.join(', ')}`,
    );
  }
  for (const [number, { last }] of copies) {
    referee.expect(
      last !== undefined && last.outcomes.length === 0 && last.failures.size === 0,
      '2: a pass on the same world finds nothing to do',
      () =>
        `copy ${number} still does: ${last?.outcomes.map(({ action, result, detail }) => `${action.kind} ${result} ${detail ?? ''}`)}; ${[...(last?.failures.values() ?? [])]}`,
    );
  }
}

function belongs(node: StoredNode, host: Host): boolean {
  return (
    node.annotations.get(MACHINE_ID) === host.machineId ||
    node.machineId === host.machineId ||
    node.addresses.includes(host.address) ||
    node.name === host.nodeName
  );
}

function clockOf(ms: number): string {
  return new Date(EPOCH + ms).toISOString().slice(11, 19);
}
