/** One schedule: a cluster, two copies of the daemon, and everything that happens to them, all drawn from one seed. */
import type { Policy } from '../../src/reconcile/policy.ts';
import { judgeEnd, judgeRegistrations } from './aftermath.ts';
import { Chance } from './chance.ts';
import { Copy } from './copy.ts';
import type { BrokenRule, Conditions } from './court.ts';
import { happen } from './events.ts';
import { Referee } from './referee.ts';
import { RELEASES } from './release.ts';
import type { Cluster } from './servers.ts';
import { Timeline } from './timeline.ts';
import { World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const INTERVAL_MS = 30 * SECOND;

export interface Ending {
  /** A rule that was broken, or what went wrong in the daemon. */
  readonly broken: BrokenRule | Error | undefined;
  readonly counts: ReadonlyMap<string, number>;
  readonly story: readonly string[];
  /** How many things happened. */
  readonly happenings: number;
  readonly passes: number;
}

export interface Play {
  readonly seed: number;
  readonly intervals: number;
  /** The numbers of the happenings that are played; the others are left out, and these stay what they were. */
  readonly only?: ReadonlySet<number> | undefined;
  /** Gives the daemon another policy than the one that it is judged by. */
  readonly mistaken?: (policy: Policy) => Policy;
}

/** These are slower: one schedule in so many plays the clients too. */
const REAL_CLIENTS_EVERY = 50;

/** Streams of chance of their own, so that one thing that is left out changes nothing of the others. */
const STREAM = { world: 1, wire: 2, setUp: 3, times: 4, happening: 5 };

/** Plays so many intervals with everything that can go wrong, then lets it be well until there is nothing left to do. */
export async function play({ seed, intervals, only, mistaken = (policy) => policy }: Play): Promise<Ending> {
  const setUp = Chance.of(seed, STREAM.setUp);
  const timeline = new Timeline();
  const hasRealClients = seed % REAL_CLIENTS_EVERY === 0;
  const release = setUp.pick(Object.values(RELEASES).filter(({ era }) => !hasRealClients || !era.hidesMinions));
  if (release === undefined) throw new Error('there is no release');
  const world = new World(Chance.of(seed, STREAM.world), timeline, release);
  const conditions = { ...conditionsOf(setUp), hasRealClients };
  const { policy } = conditions;
  const referee = new Referee(world, conditions);
  const story = [titleOf(release.version, conditions)];
  const copies = new Map<number, Copy>();
  /** The dead ones too. */
  const everyCopy: Copy[] = [];
  const tell = (what: string) => void story.push(`${timeOf(timeline.nowMs)} ${what}`);
  const cluster: Cluster = { world, chance: Chance.of(seed, STREAM.wire), timeline, tap: referee, tell };
  const start = (copy: number) => {
    copies.get(copy)?.kill();
    const started = new Copy(copy, cluster, referee, { ...conditions, policy: mistaken(policy) }, tell);
    copies.set(copy, started);
    everyCopy.push(started);
  };
  const liveUntil = async (ms: number) => {
    await timeline.runUntil(ms);
    if (referee.broken !== undefined) throw referee.broken;
  };
  let broken: Ending['broken'];
  let happenings = 0;
  try {
    for (let count = setUp.between(3, 14); count > 0; count -= 1) world.join();
    start(0);
    if (setUp.strikes(0.5)) start(1);
    void world.live();
    // A cluster has quiet times: only there is a grace watched to its end.
    const restlessness = setUp.pick([0.02, 0.1, 0.4]) ?? 0.1;
    const times = Chance.of(seed, STREAM.times);
    for (let interval = 0; interval < intervals; interval += 1) {
      for (; times.strikes(restlessness); happenings += 1) {
        if (only?.has(happenings) === false) continue;
        const chance = Chance.of(seed, STREAM.happening, happenings);
        const what = chance.strikes(0.85) ? happen(world, chance) : happenToCopy(copies, start, chance);
        if (what !== undefined) tell(what);
      }
      await liveUntil(timeline.nowMs + INTERVAL_MS - times.between(0, 10) * SECOND);
    }
    calm(world, copies, start);
    tell('all is well from now on');
    await liveUntil(timeline.nowMs + 5 * INTERVAL_MS);
    judgeRegistrations(world, copies, referee);
    const graces = [policy.missingGraceMs, policy.unhealthyGraceMs].filter(Number.isFinite);
    // What was refused is asked for again after ten minutes.
    const longest = Math.max(2 * Math.max(...graces, 0), 10 * MINUTE);
    await liveUntil(timeline.nowMs + longest + (world.nodes.size + 10) * INTERVAL_MS);
    judgeEnd(world, copies, referee, conditions);
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    tell(broken.message);
  }
  for (const copy of everyCopy) copy.dispose();
  const passes = everyCopy.reduce((sum, copy) => sum + copy.passes, 0);
  return { broken, counts: referee.counts, story, happenings, passes };
}

/** Adds what was counted in one schedule to what was in others. */
export function addCounts(sum: Map<string, number>, { counts }: Ending): void {
  for (const [what, times] of counts) sum.set(what, (sum.get(what) ?? 0) + times);
}

function conditionsOf(chance: Chance): Omit<Conditions, 'hasRealClients'> {
  const policy: Policy = {
    neverDeregister: chance.strikes(0.05) ? 'KUBE_REGISTER_POLICY=register-only' : undefined,
    adopt: chance.strikes(0.9),
    missingGraceMs: chance.pick([0, 0, 2 * MINUTE, 5 * MINUTE]) ?? 0,
    unhealthyGraceMs: chance.pick([2 * MINUTE, 2 * MINUTE, 3 * MINUTE, 8 * MINUTE, Number.POSITIVE_INFINITY]) ?? 0,
    maxDeregisterPercent: chance.pick([34, 60, 100]) ?? 34,
    intervalMs: INTERVAL_MS,
    nodeLabels: ['zone'],
  };
  return { policy, namedBy: chance.strikes(0.7) ? 'ip' : 'metadata', dryRun: chance.strikes(0.1) };
}

function titleOf(version: string, { policy, namedBy, dryRun, hasRealClients }: Conditions): string {
  const { missingGraceMs, unhealthyGraceMs, maxDeregisterPercent, adopt, neverDeregister } = policy;
  return [
    `Kubernetes ${version}`,
    `missing grace ${missingGraceMs / SECOND} s, unhealthy grace ${unhealthyGraceMs / SECOND} s, limit ${maxDeregisterPercent} %`,
    `nodes are named by ${namedBy}`,
    ...(hasRealClients ? ['the clients that are shipped'] : []),
    ...(adopt ? [] : ['ADOPT=false']),
    ...(dryRun ? ['DRY_RUN=true for copy 1'] : []),
    ...(neverDeregister === undefined ? [] : [neverDeregister]),
  ].join('; ');
}

function happenToCopy(copies: ReadonlyMap<number, Copy>, start: (copy: number) => void, chance: Chance): string {
  const which = chance.between(0, 1);
  const copy = copies.get(which);
  if (copy === undefined || copy.isEnding || chance.strikes(0.2)) {
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
  if (chance.strikes(0.3)) {
    copy.terminate();
    return `copy ${which} is told to end`;
  }
  copy.stop();
  return `copy ${which} is stopped`;
}

function calm(world: World, copies: ReadonlyMap<number, Copy>, start: (copy: number) => void): void {
  world.calm();
  for (const number of [0, 1]) {
    const copy = copies.get(number);
    if (copy === undefined || copy.isEnding) start(number);
    else copy.resume();
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
