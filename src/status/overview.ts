/** Machines and nodes side by side: one row for each machine with its node, then one for each node without a machine. */
import type { MACHINE_VERDICTS, NODE_VERDICTS } from '../reconcile/plan/verdict.ts';
import { atOnce, mapEach, type Steps } from '../time/steps.ts';
import type { MachineStatus, NodeStatus, Status } from './document.ts';

/**
 * How urgent a row is: `well` needs nothing; `watch` lasts until a person checks it; in `trouble` a node is deregistered or a machine gets no
 * node; `idle` is not about this cluster's machines.
 */
export type Concern = 'well' | 'watch' | 'trouble' | 'idle';

type VerdictName = (typeof MACHINE_VERDICTS)[number] | (typeof NODE_VERDICTS)[number];

/** The concern of a verdict without a warning. */
const CONCERNS: Readonly<Record<VerdictName, Concern>> = {
  keep: 'well',
  adopt: 'well',
  register: 'well',
  'has-node': 'well',
  recognised: 'watch',
  'probe-suspect': 'watch',
  'not-posting': 'watch',
  unheard: 'watch',
  leaving: 'watch',
  'left-over': 'watch',
  unmatched: 'watch',
  orphan: 'watch',
  vetoed: 'watch',
  spared: 'watch',
  waiting: 'watch',
  hidden: 'watch',
  'in-grace': 'trouble',
  queued: 'trouble',
  deregister: 'trouble',
  held: 'trouble',
  unusable: 'trouble',
  conflict: 'trouble',
  unnamed: 'trouble',
  refused: 'trouble',
  undone: 'trouble',
  'not-selected': 'idle',
  foreign: 'idle',
};

/** The order of concerns, the most urgent first. `src/web/page/script/start.js` has the same order. */
const RANKS: Readonly<Record<Concern, number>> = { trouble: 0, watch: 1, well: 2, idle: 3 };

/** A machine with its node, or one of them alone. */
export interface OverviewRow {
  readonly machine: MachineStatus | undefined;
  readonly node: NodeStatus | undefined;
  /** The verdict of the node; that of the machine where it is more urgent or there is no node. */
  readonly verdict: Pick<NodeStatus, 'verdict' | 'reason' | 'warning' | 'since' | 'next' | 'due'>;
  readonly concern: Concern;
}

/**
 * The rows in the order of the status: machines, then nodes without one. A machine without a node shares its row with the node that names it,
 * unless the verdict of the machine is a warning, so that both verdicts are shown.
 */
export function overviewOf(status: Pick<Status, 'machines' | 'nodes'>): readonly OverviewRow[] {
  return atOnce(overviewSteps(status));
}

/** `overviewOf` in steps. */
export function* overviewSteps({ machines, nodes }: Pick<Status, 'machines' | 'nodes'>): Steps<readonly OverviewRow[]> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const listed = new Set(machines.map(({ id }) => id));
  const unpaired = nodes.filter(({ machine }) => machine === null);
  const byMachine = new Map(unpaired.map((node) => [namedBy(node, listed), node]));
  yield;
  const shown = new Set<NodeStatus>();
  const rows = yield* mapEach(machines, (machine) => {
    const node =
      machine.node !== null ? byName.get(machine.node) : machine.warning ? undefined : byMachine.get(machine.id);
    if (node !== undefined) shown.add(node);
    return rowOf(machine, node);
  });
  const others = unpaired.filter((node) => !shown.has(node));
  return [...rows, ...others.map((node) => rowOf(undefined, node))];
}

/** The ID of the node's machine if fleet lists it: the one in its annotations, else the one that it reports. */
function namedBy({ reportedId, mark }: NodeStatus, listed: ReadonlySet<string>): string | undefined {
  return [mark, reportedId].find((id) => id !== null && listed.has(id)) ?? undefined;
}

/** The rows by concern, then by verdict, then by address. */
export function mostUrgentFirst(rows: readonly OverviewRow[]): readonly OverviewRow[] {
  return atOnce(mostUrgentSteps(rows));
}

/** `mostUrgentFirst` in steps; the sort is one, of some 20 ms for 20,000 rows. */
export function* mostUrgentSteps(rows: readonly OverviewRow[]): Steps<readonly OverviewRow[]> {
  const keyed = yield* mapEach(rows, (row) => ({ row, order: orderOf(row) }));
  yield;
  keyed.sort((a, b) => (a.order < b.order ? -1 : Number(a.order > b.order)));
  yield;
  return keyed.map(({ row }) => row);
}

/** The sort key of a row. Numbers are padded, so that 10.0.0.9 comes before 10.0.0.10. */
function orderOf({ machine, node, verdict, concern }: OverviewRow): string {
  const address = (machine ?? node)?.addresses[0] ?? 'no address';
  return `${RANKS[concern]} ${verdict.verdict} ${address.replace(/\d+/g, (digits) => digits.padStart(12, '0'))}`;
}

/** A verdict with the number of its rows and the concern of the most urgent of them. */
export interface VerdictCount {
  readonly verdict: string;
  readonly count: number;
  readonly concern: Concern;
}

/** The verdicts of the rows, the most urgent first. */
export function countVerdicts(rows: readonly OverviewRow[]): readonly VerdictCount[] {
  const counts = new Map<string, VerdictCount>();
  for (const { verdict, concern } of rows) {
    const before = counts.get(verdict.verdict);
    const worst = before !== undefined && RANKS[before.concern] < RANKS[concern] ? before.concern : concern;
    counts.set(verdict.verdict, { verdict: verdict.verdict, count: (before?.count ?? 0) + 1, concern: worst });
  }
  return [...counts.values()].toSorted((a, b) => RANKS[a.concern] - RANKS[b.concern]);
}

function rowOf(machine: MachineStatus | undefined, node: NodeStatus | undefined): OverviewRow {
  const ofNode = node && { verdict: node, concern: concernOf(node) };
  const ofMachine = machine && { verdict: machine, concern: concernOf(machine) };
  const own = ofNode ?? ofMachine;
  if (own === undefined) throw new TypeError('a row has a machine or a node');
  const isMachineWorse = ofMachine?.verdict.warning && RANKS[ofMachine.concern] < RANKS[own.concern];
  const { verdict, concern } = isMachineWorse ? ofMachine : own;
  return { machine, node, verdict, concern };
}

/** `next` with another delay, such as ` in 29m`, or with none, in place of the ` in 29m30s` of the plan. */
export function withDelay(next: string, delay: string): string {
  return next.replace(/ in (\d+h)?(\d+m)?(\d+s)?(?=$|;)/, delay);
}

/**
 * The concern of a verdict: at least `watch` for a warning, and for a kept node whose kubelet is unreachable, as most deaths begin; `trouble`
 * for a registration that failed; `watch` for a verdict of a newer version.
 */
export function concernOf(one: MachineStatus | NodeStatus): Concern {
  const { verdict, warning } = one;
  if (verdict === 'register' && warning) return 'trouble';
  const concern = isVerdict(verdict) ? CONCERNS[verdict] : 'watch';
  const isToCheck = warning || ('evidence' in one && isKeptUnreachable(one));
  return isToCheck && RANKS[concern] > RANKS.watch ? 'watch' : concern;
}

/** Whether the node is kept though its kubelet is unreachable, because it is still reporting. */
export function isKeptUnreachable({ verdict, evidence }: Pick<NodeStatus, 'verdict' | 'evidence'>): boolean {
  return verdict === 'keep' && evidence?.alive === true && evidence.kubelet === 'silent';
}

function isVerdict(word: string): word is VerdictName {
  return Object.hasOwn(CONCERNS, word);
}
