/** Machines and nodes side by side: one row for each machine with its node, then one for each node without a machine. */
import type { MACHINE_VERDICTS, NODE_VERDICTS } from '../reconcile/verdict.ts';
import type { MachineStatus, NodeStatus, Status } from './status-document.ts';

/**
 * How much a verdict is to worry a person: `well` is as it should be; `watch` lasts until somebody looks at it; `trouble` ends
 * with a node that goes, or keeps a machine out; `idle` is nobody's business.
 */
export type Concern = 'well' | 'watch' | 'trouble' | 'idle';

type VerdictName = (typeof MACHINE_VERDICTS)[number] | (typeof NODE_VERDICTS)[number];

const CONCERNS: Readonly<Record<VerdictName, Concern>> = {
  keep: 'well',
  adopt: 'well',
  register: 'well',
  'has-node': 'well',
  recognised: 'watch',
  'probe-suspect': 'watch',
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
  'not-selected': 'idle',
  foreign: 'idle',
};

/** `src/page/page.js` has the same order. */
export const RANKS: Readonly<Record<Concern, number>> = { trouble: 0, watch: 1, well: 2, idle: 3 };

/** At least one of `machine` and `node` is there. */
export interface OverviewRow {
  readonly machine: MachineStatus | undefined;
  readonly node: NodeStatus | undefined;
  /** The node's verdict where there is a node, for it says the rest; else the machine's. */
  readonly verdict: Pick<NodeStatus, 'verdict' | 'reason' | 'since' | 'next' | 'due'>;
  readonly concern: Concern;
}

/**
 * In the order of the status: machines, then nodes that have none. A machine that did not come to a node, as one that no longer matches, has
 * the node that names it, if there is one.
 */
export function overviewOf({ machines, nodes }: Pick<Status, 'machines' | 'nodes'>): readonly OverviewRow[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const homeless = new Map(nodes.filter(({ machine }) => machine === null).map((node) => [namedBy(node), node]));
  const housed = new Set<NodeStatus>();
  const rows = machines.map((machine) => {
    const node = machine.node === null ? homeless.get(machine.id) : byName.get(machine.node);
    if (node !== undefined) housed.add(node);
    return rowOf(machine, node);
  });
  const others = nodes.filter((node) => node.machine === null && !housed.has(node));
  return [...rows, ...others.map((node) => rowOf(undefined, node))];
}

/** The id of the machine that a node without one would be asked for by fleet's word: what it reports, else what its mark says. */
function namedBy({ reportedId, mark, name }: NodeStatus): string {
  return reportedId ?? mark ?? `node ${name}`;
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
  const verdict = node ?? machine;
  if (verdict === undefined) throw new TypeError('a row has a machine or a node');
  return { machine, node, verdict, concern: concernOf(verdict.verdict) };
}

/** `deregistered`, of `deregistered in 29m30s`: as time goes by the moment that it is due at is told, and not how long that was. */
export function withoutDelay(next: string): string {
  return next.replace(/ in (\d+h)?(\d+m)?(\d+s)?$/, '');
}

/** `watch` for a word that this version does not know: the daemon that was asked may be newer. */
export function concernOf(verdict: string): Concern {
  return isVerdict(verdict) ? CONCERNS[verdict] : 'watch';
}

function isVerdict(word: string): word is VerdictName {
  return Object.hasOwn(CONCERNS, word);
}
