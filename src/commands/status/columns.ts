/** The columns of the table of `kube-register status`, and the cells of each row. */
import { KUBELET_WORDS } from '../../reconcile/evidence/liveness.ts';
import type { NodeStatus, Status } from '../../status/document.ts';
import { type OverviewRow, withDelay } from '../../status/overview.ts';
import { formatAge } from '../../time/duration.ts';
import type { Column } from '../terminal/table.ts';
import type { Cell } from '../terminal/terminal.ts';
import { ageOf } from './ages.ts';

/** A column, and its cell in a row at this time (wall ms). */
export interface StatusColumn extends Column {
  cell(row: OverviewRow, now: number): Cell;
}

const NAME: StatusColumn = { heading: 'NAME', rank: 0, narrowest: 15, cell: nameOf };
const ADDRESS: StatusColumn = { heading: 'ADDRESS', rank: 4, cell: addressText };
const METADATA: StatusColumn = {
  heading: 'METADATA',
  rank: 6,
  narrowest: 20,
  cell: ({ machine }) => metadataText(machine?.metadata),
};
const KUBELET: StatusColumn = {
  heading: 'KUBELET',
  rank: 2,
  cell: ({ machine, node }) => kubeletText(machine?.kubelet ?? null, node),
};
const VERDICT: StatusColumn = {
  heading: 'VERDICT',
  rank: 0,
  cell: ({ verdict: { verdict }, concern }) => ({ text: verdict, style: concern }),
};
const SINCE: StatusColumn = { heading: 'SINCE', rank: 3, cell: ({ verdict }, now) => ageOf(verdict.since, now) };
const NEXT: StatusColumn = {
  heading: 'NEXT',
  rank: 1,
  narrowest: 30,
  cell: ({ verdict }, now) => nextText(verdict, now),
};
const MANAGED: StatusColumn = { heading: 'MANAGED', rank: 7, cell: ({ node }) => managedText(node) };
const REASON: StatusColumn = {
  heading: 'REASON',
  rank: 8,
  narrowest: 30,
  cell: ({ verdict }) => verdict.reason || '-',
};

function machineColumn(id: (id: string) => string): StatusColumn {
  return {
    heading: 'MACHINE',
    rank: 5,
    cell: ({ machine, node }) => id(machine?.id ?? node?.mark ?? '-'),
  };
}

/** For a terminal: those that fit into it are shown. */
export const WINDOW_COLUMNS: readonly StatusColumn[] = [
  NAME,
  machineColumn(shortId),
  ADDRESS,
  METADATA,
  KUBELET,
  VERDICT,
  SINCE,
  NEXT,
];

const FULL_ID = machineColumn((id) => id);

/** For a pipe: nothing is shortened. */
export const PIPE_COLUMNS: readonly StatusColumn[] = [NAME, FULL_ID, ADDRESS, METADATA, KUBELET, VERDICT, SINCE, NEXT];

/** For `-o wide`. */
export const WIDE_COLUMNS: readonly StatusColumn[] = [...PIPE_COLUMNS.slice(0, -1), MANAGED, NEXT, REASON];

/** The name of the node; the address or the ID of a machine without one. */
function nameOf({ machine, node }: OverviewRow): string {
  return node?.name ?? machine?.addresses[0] ?? machine?.id ?? '-';
}

function addressText({ machine, node }: OverviewRow): string {
  return (machine ?? node)?.addresses.join(',') || '-';
}

/** As fleetctl shortens them: the first eight characters and dots. */
function shortId(id: string): string {
  return id.length > 8 ? `${id.slice(0, 8)}...` : id;
}

function metadataText(metadata: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(metadata ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.join(',') || '-';
}

/** That of the node where the machine's address was not asked. */
function kubeletText(kubelet: Status['machines'][number]['kubelet'], node: NodeStatus | undefined): Cell {
  if (kubelet === null) return node?.evidence == null ? '-' : KUBELET_WORDS[node.evidence.kubelet];
  const style = kubelet.state === 'healthy' ? 'well' : kubelet.state === 'answers' ? 'watch' : 'trouble';
  return { text: KUBELET_WORDS[kubelet.state], style };
}

function managedText(node: NodeStatus | undefined): string {
  if (node === undefined) return '-';
  if (node.otherOwner !== null) return `by ${node.otherOwner}`;
  return node.origin === 'unmarked' ? 'no' : node.origin;
}

/** What is due is counted from now; the plan counted it from the pass. */
function nextText({ next, due }: OverviewRow['verdict'], now: number): string {
  if (next === null) return '-';
  return due === null ? next : withDelay(next, ` in ${formatAge(Date.parse(due) - now)}`);
}
