/** Machines and nodes side by side: one row for each machine with its node, then one for each node without a machine. */
import type { MACHINE_VERDICTS, NODE_VERDICTS } from '../reconcile/plan/verdict.ts';
import type { MachineStatus, NodeStatus, Status } from './document.ts';

/**
 * How much a verdict concerns a person: `well` is as it should be; `watch` lasts until somebody looks at it; `trouble` ends with a
 * node that is deregistered, or with a machine that gets none; `idle` concerns nobody.
 */
export type Concern = 'well' | 'watch' | 'trouble' | 'idle';

type VerdictName = (typeof MACHINE_VERDICTS)[number] | (typeof NODE_VERDICTS)[number];

/** Of a verdict that does not warn. */
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

/** `src/web/page/page.js` has the same order. */
export const RANKS: Readonly<Record<Concern, number>> = { trouble: 0, watch: 1, well: 2, idle: 3 };

/** At least one of `machine` and `node` is there. */
export interface OverviewRow {
  readonly machine: MachineStatus | undefined;
  readonly node: NodeStatus | undefined;
  /** The one of the two that concerns a person more; the node where they are equal. */
  readonly verdict: Pick<NodeStatus, 'verdict' | 'reason' | 'warning' | 'since' | 'next' | 'due'>;
  readonly concern: Concern;
}

/**
 * In the order of the status: machines, then nodes that have none. A machine without a node, as one that no longer matches, has the node
 * that names it in its row, if there is one; but not where the machine's own verdict warns, for each of the two is to be seen.
 */
export function overviewOf({ machines, nodes }: Pick<Status, 'machines' | 'nodes'>): readonly OverviewRow[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const listed = new Set(machines.map(({ id }) => id));
  const unpaired = nodes.filter(({ machine }) => machine === null);
  const byMachine = new Map(unpaired.map((node) => [namedBy(node, listed), node]));
  const shown = new Set<NodeStatus>();
  const rows = machines.map((machine) => {
    const node =
      machine.node !== null ? byName.get(machine.node) : machine.warning ? undefined : byMachine.get(machine.id);
    if (node !== undefined) shown.add(node);
    return rowOf(machine, node);
  });
  const others = unpaired.filter((node) => !shown.has(node));
  return [...rows, ...others.map((node) => rowOf(undefined, node))];
}

/** The id of its machine, where fleet lists it: the one in its annotations, else the one that it reports. */
function namedBy({ reportedId, mark }: NodeStatus, listed: ReadonlySet<string>): string | undefined {
  return [mark, reportedId].find((id) => id !== null && listed.has(id)) ?? undefined;
}

/** Trouble before what is to be looked at before what is well; then by verdict, then by address. */
export function mostUrgentFirst(rows: readonly OverviewRow[]): readonly OverviewRow[] {
  const keyed = rows.map((row) => ({ row, order: orderOf(row) }));
  keyed.sort((a, b) => (a.order < b.order ? -1 : Number(a.order > b.order)));
  return keyed.map(({ row }) => row);
}

/** Numbers are padded, so that 10.0.0.9 comes before 10.0.0.10. */
function orderOf({ machine, node, verdict, concern }: OverviewRow): string {
  const address = (machine ?? node)?.addresses[0] ?? 'no address';
  return `${RANKS[concern]} ${verdict.verdict} ${address.replace(/\d+/g, (digits) => digits.padStart(12, '0'))}`;
}

function rowOf(machine: MachineStatus | undefined, node: NodeStatus | undefined): OverviewRow {
  const ofNode = node && { verdict: node, concern: concernOf(node) };
  const ofMachine = machine && { verdict: machine, concern: concernOf(machine) };
  const own = ofNode ?? ofMachine;
  if (own === undefined) throw new TypeError('a row has a machine or a node');
  const isMachineWorse = ofMachine?.verdict.warning && RANKS[ofMachine.concern] < RANKS[own.concern];
  return { machine, node, ...(isMachineWorse ? ofMachine : own) };
}

/** `deregistered in 29m30s` with another delay, such as ` in 29m`, or with none: what the plan counted grows old. */
export function withDelay(next: string, delay: string): string {
  return next.replace(/ in (\d+h)?(\d+m)?(\d+s)?(?=$|;)/, delay);
}

/** At least `watch` where it warns, and for a word that this version does not know: the daemon that was asked may be newer. */
export function concernOf({ verdict, warning }: Pick<NodeStatus, 'verdict' | 'warning'>): Concern {
  const concern = isVerdict(verdict) ? CONCERNS[verdict] : 'watch';
  return warning && RANKS[concern] > RANKS.watch ? 'watch' : concern;
}

function isVerdict(word: string): word is VerdictName {
  return Object.hasOwn(CONCERNS, word);
}
