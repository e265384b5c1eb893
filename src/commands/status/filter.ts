/** Which rows `kube-register status` shows: by name, verdict, metadata, and whether they need attention. */
import { matches } from '../../fleet/selector.ts';
import type { Status } from '../../status/document.ts';
import { rowsAbout } from '../../status/find.ts';
import { mostUrgentFirst, type OverviewRow, overviewOf } from '../../status/overview.ts';
import { plural } from '../../text/plural.ts';
import { onOneLine } from '../../text/quote.ts';
import type { StatusFilter } from '../cli/command.ts';

/** The filter of a command without flags. */
export const NO_FILTER: StatusFilter = { names: [], verdicts: [], trouble: false, selector: undefined };

/** The rows that meet the filter, the most urgent first, and how many there are without it. */
export interface ShownRows {
  readonly rows: readonly OverviewRow[];
  readonly total: number;
  /** The names of the filter that nothing has. */
  readonly unknown: readonly string[];
}

/** Applies the filter. A node without a machine has no metadata, so no selector selects it. */
export function shownRows(status: Status, { names, verdicts, trouble, selector }: StatusFilter): ShownRows {
  const all = mostUrgentFirst(overviewOf(status));
  const about = names.map((name) => ({ name, found: rowsAbout(all, name) }));
  const named = new Set(about.flatMap(({ found }) => found));
  const rows = all.filter(
    (row) =>
      (names.length === 0 || named.has(row)) &&
      (verdicts.length === 0 || hasVerdict(row, verdicts)) &&
      (!trouble || needsAttention(row)) &&
      (selector === undefined || isSelected(row, selector)),
  );
  const unknown = about.filter(({ found }) => found.length === 0).map(({ name }) => name);
  return { rows, total: all.length, unknown };
}

/** A row shows one verdict; its machine may have another. */
function hasVerdict({ machine, node, verdict }: OverviewRow, verdicts: readonly string[]): boolean {
  return [verdict, machine, node].some((one) => one !== undefined && verdicts.includes(one.verdict));
}

function needsAttention({ concern }: OverviewRow): boolean {
  return concern === 'trouble' || concern === 'watch';
}

function isSelected({ machine }: OverviewRow, selector: NonNullable<StatusFilter['selector']>): boolean {
  return machine !== undefined && matches(selector, new Map(Object.entries(machine.metadata)));
}

/** `--verdict held`; undefined without a filter. */
export function filterText({ names, verdicts, trouble, selector }: StatusFilter): string | undefined {
  const parts = [
    ...(names.length > 0 ? [names.length > 3 ? plural(names.length, 'name') : names.join(' ')] : []),
    ...(verdicts.length > 0 ? [`--verdict ${verdicts.join(',')}`] : []),
    ...(trouble ? ['--trouble'] : []),
    ...(selector === undefined ? [] : [`--selector ${selector.text}`]),
  ];
  return parts.length === 0 ? undefined : onOneLine(parts.join(' '), 200);
}

/** The status with the machines and nodes of these rows alone. */
export function statusOf(status: Status, rows: readonly OverviewRow[]): Status {
  const machines = new Set(rows.flatMap(({ machine }) => machine ?? []));
  const nodes = new Set(rows.flatMap(({ node }) => node ?? []));
  return {
    ...status,
    machines: status.machines.filter((machine) => machines.has(machine)),
    nodes: status.nodes.filter((node) => nodes.has(node)),
  };
}
