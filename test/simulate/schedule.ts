/** One schedule: a cluster, copies of the daemon, and everything that happens to them, all drawn from one seed. */
import type { Policy } from '../../src/reconcile/plan/policy.ts';
import { calm } from './calm.ts';
import { Chance } from './chance.ts';
import { describeConditions, drawConditions, INTERVAL_MS } from './conditions.ts';
import { Daemon } from './daemon.ts';
import { happenToDaemon } from './daemon-events.ts';
import type { Event } from './event.ts';
import { drawFavourites, happen } from './events.ts';
import type { BrokenRule } from './findings.ts';
import { drawHabits } from './habits.ts';
import { fleetOf, Judge, STEADY_MS } from './judge.ts';
import { disagreement, type Fault, faultOf, hasPinnedAddress } from './outcome.ts';
import { RELEASES } from './release.ts';
import { Story } from './story.ts';
import { HOUR, MINUTE, SECOND } from './time.ts';
import { Timeline } from './timeline.ts';
import { Told } from './warnings.ts';
import type { Cluster } from './wire.ts';
import { World } from './world.ts';

export interface Ending {
  /** A rule that was broken, or what went wrong in the daemon. */
  readonly broken: BrokenRule | Error | undefined;
  readonly counts: ReadonlyMap<string, number>;
  readonly story: readonly string[];
  /** How many things happened. */
  readonly happenings: number;
  readonly passes: number;
  /** Of which the first so many were there from the beginning. */
  readonly hosts: number;
  readonly firstHosts: number;
}

export interface Play {
  readonly seed: number;
  readonly intervals: number;
  /** The numbers of the happenings that are played; the others are left out, and these stay what they were. */
  readonly only?: ReadonlySet<number> | undefined;
  /** The numbers of those of the first hosts that are left out. */
  readonly without?: ReadonlySet<number> | undefined;
  /** Leaves out what happens at the very moment when a copy looks. */
  readonly isQuiet?: boolean | undefined;
  /** Gives the daemon another policy than the one that it is judged by. */
  readonly mistaken?: (policy: Policy) => Policy;
}

/** Streams of chance of their own, so that one thing that is left out changes nothing of the others. */
const STREAM = { world: 1, wire: 2, setUp: 3, times: 4, happening: 5, calm: 6, favourites: 7 };
/** A hold and the pause after what others undid last an hour at the longest, and one can follow the other. */
const LONGEST_CALM_MS = 3 * HOUR;
/** What has been so for so long, and nothing was written, stays so. */
const STUCK_MS = 75 * MINUTE;
/** One schedule in so many waits for all of it, also when all seems done. */
const LONG_CALM_EVERY = 10;

/** Plays so many intervals with everything that can go wrong, then lets it be well until there is nothing left to do. */
export async function play(options: Play): Promise<Ending> {
  const schedule = new Schedule(options);
  let broken: Ending['broken'];
  try {
    await schedule.run(options);
    broken = schedule.judge.findings.broken;
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    schedule.tell(broken.message);
  }
  return schedule.end(broken);
}

class Schedule {
  readonly judge: Judge;
  readonly #seed: number;
  readonly #world: World;
  readonly #daemons = new Map<number, Daemon>();
  /** The dead ones too. */
  readonly #everyDaemon: Daemon[] = [];
  readonly #start: (copy: number) => void;
  readonly #conditions;
  readonly #story: Story;
  readonly #favourites: readonly Event[];
  #happenings = 0;
  readonly #firstHosts: number;

  constructor({ seed, without = new Set(), isQuiet = false, mistaken = (policy) => policy }: Play) {
    const setUp = Chance.of(seed, STREAM.setUp);
    this.#seed = seed;
    this.#favourites = drawFavourites(Chance.of(seed, STREAM.favourites));
    this.#conditions = drawConditions(setUp, seed);
    const { hasRealClients, hasOtherFleet, policy } = this.#conditions;
    const release = setUp.pick(RELEASES.filter(({ apiVersion }) => !hasRealClients || apiVersion === 'v1'));
    if (release === undefined) throw new Error('there is no release');
    const world = new World(Chance.of(seed, STREAM.world), new Timeline(), drawHabits(setUp), release);
    this.#world = world;
    world.isQuiet = isQuiet;
    this.#story = new Story(world, `Kubernetes ${release.version}; ${describeConditions(this.#conditions)}`);
    const tell = (what: string) => this.tell(what);
    this.judge = new Judge(world, this.#conditions, tell);
    const stop = (copy: number, ms: number) => this.#stopFor(copy, ms);
    const cluster: Cluster = { world, chance: Chance.of(seed, STREAM.wire), tap: this.judge, tell, stop };
    this.#start = (copy) => {
      this.#daemons.get(copy)?.kill();
      const fleet = fleetOf(copy);
      const common = { conditions: this.#conditions, observer: this.judge };
      const daemon = new Daemon(cluster, { copy, fleet, policy: mistaken({ ...policy, ownerId: fleet }), ...common });
      this.#daemons.set(copy, daemon);
      this.#everyDaemon.push(daemon);
    };
    const first = setUp.between(3, 12);
    const others = hasOtherFleet ? setUp.between(1, 4) : 0;
    this.#firstHosts = first + others;
    for (let number = 1; number <= first + others; number += 1) {
      world.join(number <= first ? 'default' : 'other', { isAbsent: without.has(number) });
    }
    const favoured = Chance.of(seed, STREAM.favourites, 1);
    if (favoured.strikes(0.7)) for (const { name } of favoured.some(world.hosts, 0.25)) world.favoured.add(name);
    for (const { name, address, nodeName, reportsId, reportsAddresses } of world.hosts) {
      this.tell(`${name} at ${address}: kubelet ${nodeName}, reports id ${reportsId}, addresses ${reportsAddresses}`);
    }
    this.#start(0);
    if (setUp.strikes(0.5)) this.#start(1);
    if (hasOtherFleet) this.#start(2);
    void world.live();
  }

  tell(what: string): void {
    this.#story.tell(what);
  }

  async run({ intervals, only }: Play): Promise<void> {
    const world = this.#world;
    const times = Chance.of(this.#seed, STREAM.times);
    // A cluster has quiet times: only there is a grace watched to its end.
    const restlessness = times.pick([0.02, 0.05, 0.15, 0.4]) ?? 0.1;
    for (let interval = 0; interval < intervals; interval += 1) {
      for (; times.strikes(restlessness); this.#happenings += 1) {
        if (only?.has(this.#happenings) !== false) this.#happen();
      }
      await this.#liveFor(INTERVAL_MS - times.between(0, 10) * SECOND);
      if (this.judge.findings.broken !== undefined) return;
    }
    calm(world, Chance.of(this.#seed, STREAM.calm));
    for (const copy of this.#conditions.hasOtherFleet ? [0, 1, 2] : [0, 1]) {
      const daemon = this.#daemons.get(copy);
      if (daemon === undefined || daemon.isEnding) this.#start(copy);
      else daemon.resume();
    }
    this.tell('all is well from now on');
    if (hasPinnedAddress(world))
      this.judge.findings.count('known limit: a kubelet goes by the address of another host');
    await this.#settle();
  }

  /** Waits until all that is left is what a person was told of, and nothing is written any more. */
  async #settle(): Promise<void> {
    const { findings } = this.judge;
    const beganAtMs = this.#world.nowMs;
    const isLong = this.#seed % LONG_CALM_EVERY === 0;
    let faulty = { rule: '', sinceMs: beganAtMs };
    for (;;) {
      await this.#liveFor(STEADY_MS);
      if (findings.broken !== undefined) return;
      const fault = this.#fault();
      const { nowMs } = this.#world;
      if (fault?.rule !== faulty.rule) faulty = { rule: fault?.rule ?? '', sinceMs: nowMs };
      const isStuck = nowMs - Math.max(faulty.sinceMs, this.judge.wroteAtMs) > STUCK_MS && fault !== undefined;
      const isOver = nowMs - beganAtMs > LONGEST_CALM_MS || isStuck;
      if (isOver && fault !== undefined) findings.expect(false, fault.rule, () => fault.what);
      if (isOver || (fault === undefined && !isLong)) return;
    }
  }

  #fault(): Fault | undefined {
    const told = new Map([...this.#daemons].map(([copy, { last }]) => [copy, new Told(last)]));
    const cluster = { world: this.#world, conditions: this.#conditions, told };
    const fault = faultOf(cluster);
    if (fault !== undefined) return fault;
    const isPassing = [...told].some(([copy, each]) => each.isPassing && !(this.#conditions.dryRun && copy === 1));
    // Every ten minutes a server that hides minions is asked to register those again.
    const isWritten = this.#world.nowMs - this.judge.wroteAtMs < STEADY_MS && !this.#world.release.era.hidesMinions;
    if (isPassing || isWritten) return { rule: 'T3 a pass writes nothing', what: this.#lastWrites() };
    return disagreement(cluster);
  }

  #lastWrites(): string {
    const actions = [...this.#daemons].flatMap(([copy, { last }]) =>
      (last?.outcomes ?? []).map(
        ({ action, result, detail = '' }) => `copy ${copy}: ${action.kind} ${result} ${detail}`,
      ),
    );
    const verdicts = [...this.#daemons].flatMap(([, { last }]) =>
      [...new Told(last).verdicts()].map((each) => each.join(': ')),
    );
    return `there is no end of it: ${actions.join('; ')}; ${verdicts.join('; ')}`;
  }

  /** The process of a copy is stopped, and goes on after a while. */
  #stopFor(copy: number, ms: number): void {
    const daemon = this.#daemons.get(copy);
    if (daemon === undefined || daemon.isStopped) return;
    daemon.stop(this.#seed % 2 === 0 ? 'process' : 'machine');
    this.tell(`copy ${copy} is stopped while it looks, for ${ms / MINUTE} minutes`);
    void this.#world.timeline.sleep(ms).then(() => daemon.resume());
  }

  #happen(): void {
    const chance = Chance.of(this.#seed, STREAM.happening, this.#happenings);
    const event = chance.strikes(0.88)
      ? happen(this.#world, chance, this.#favourites)
      : happenToDaemon(this.#daemons, this.#start, chance, this.#conditions);
    if (event === undefined) return;
    this.judge.findings.count(`event: ${event.kind}`);
    this.tell(event.what);
  }

  #liveFor(ms: number): Promise<void> {
    return this.#world.timeline.runUntil(this.#world.nowMs + ms);
  }

  end(broken: Ending['broken']): Ending {
    for (const daemon of this.#everyDaemon) daemon.dispose();
    const passes = this.#everyDaemon.reduce((sum, daemon) => sum + daemon.passes, 0);
    const { counts } = this.judge.findings;
    return {
      firstHosts: this.#firstHosts,
      broken,
      counts,
      story: this.#story.lines,
      happenings: this.#happenings,
      passes,
      hosts: this.#world.hosts.length,
    };
  }
}

/** Adds what was counted in one schedule to what was in others. */
export function addCounts(sum: Map<string, number>, { counts }: Ending): void {
  for (const [what, times] of counts) sum.set(what, (sum.get(what) ?? 0) + times);
}
