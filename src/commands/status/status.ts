/** `kube-register status` as text: a headline, what is known of the servers, and machines and nodes as a table. */
import type { Status } from '../../status/document.ts';
import { countVerdicts, type OverviewRow } from '../../status/overview.ts';
import { summarize } from '../../status/summary.ts';
import { plural } from '../../text/plural.ts';
import type { StatusFilter } from '../cli/command.ts';
import { cutTo, wrapTo } from '../terminal/layout.ts';
import { tableLines } from '../terminal/table.ts';
import type { Size, Style, Terminal } from '../terminal/terminal.ts';
import { PIPE_COLUMNS, type StatusColumn, WIDE_COLUMNS, WINDOW_COLUMNS } from './columns.ts';
import { filterText, type ShownRows } from './filter.ts';
import { type HeadLine, headLines, type Origin, withoutDaemonText } from './head.ts';

/** What is shown of a status, and where. */
export interface View {
  readonly shown: ShownRows;
  readonly filter: StatusFilter;
  readonly isWide: boolean;
  /** The window that it has to fit; undefined where nothing is cut and every row is shown. */
  readonly window: Size | undefined;
  /** What is wrong with the source since this status was read; it stands above the rest. */
  readonly problem?: string;
}

interface Paragraph {
  readonly text: string;
  readonly style: Style;
}

/** A sentence above the table may take so many lines of the window. */
const MOST_WRAPPED = 3;
/** The message of the guard ends in what to do. */
const MOST_OF_GUARD = 6;
/** The heading, some rows, and the count of the others: the lines above leave them room. */
const LEAST_TABLE = 6;

/** The lines of the text. In a window the headline stays, rows that do not fit are counted, and lines are cut. */
export function statusLines(status: Status, origin: Origin, view: View, terminal: Terminal): readonly string[] {
  const { window, shown } = view;
  const top = headline(status, origin, view).flatMap(({ text, style }) =>
    wrapped(text, window).map((line) => terminal.paint({ text: line, style })),
  );
  const filter = filterText(view.filter);
  const shownText = `${filter}: ${shown.rows.length} of ${plural(shown.total, 'row')}`;
  const lines = [
    ...headLines(status, origin),
    ...(filter === undefined ? [] : [{ name: 'shown', text: shownText } as const]),
  ].flatMap((line) => headText(line, window, terminal));
  const room = window === undefined ? lines.length : Math.max(0, window.rows - top.length - 2 - LEAST_TABLE);
  const head = lines.slice(0, room);
  const above = [...top, '', ...head, ...(head.length > 0 ? [''] : [])];
  const below = shown.rows.length === 0 ? [noneText(status, view)] : tableText(status, view, above.length, terminal);
  return [...above, ...below];
}

function headline(status: Status, origin: Origin, { problem }: View): readonly Paragraph[] {
  const { concern, sentence } = summarize(status);
  return [
    ...(problem === undefined ? [] : [{ text: problem, style: 'trouble' } as const]),
    ...('withoutDaemon' in origin
      ? [{ text: withoutDaemonText(origin.withoutDaemon), style: 'trouble' } as const]
      : []),
    { text: sentence, style: concern },
  ];
}

function wrapped(text: string, window: Size | undefined): readonly string[] {
  return window === undefined ? [text] : wrapTo(text, window.columns, MOST_WRAPPED);
}

const NAME_WIDTH = 12;

/** On one line; the message of the guard on several, for it has to be read. */
function headText({ name, text, style }: HeadLine, window: Size | undefined, terminal: Terminal): readonly string[] {
  const columns = window === undefined ? undefined : Math.max(1, window.columns - NAME_WIDTH);
  const lines =
    columns === undefined ? [text] : name === 'guard' ? wrapTo(text, columns, MOST_OF_GUARD) : [cutTo(text, columns)];
  return lines.map((line, at) => {
    const painted = style === undefined ? line : terminal.paint({ text: line, style });
    return `${(at === 0 ? name : '').padEnd(NAME_WIDTH)}${painted}`;
  });
}

function noneText({ counts }: Status, { shown, filter }: View): string {
  if (counts === null) return 'No pass has succeeded yet: nothing is known.';
  if (shown.total > 0) return `No row matches ${filterText(filter) ?? ''}.`;
  return 'fleet lists no machine, and Kubernetes has no node.';
}

function tableText(status: Status, view: View, linesAbove: number, terminal: Terminal): readonly string[] {
  const { window, shown, isWide } = view;
  const { rows } = shown;
  const room = window === undefined ? rows.length : Math.max(1, window.rows - linesAbove - 1);
  const fits = rows.length <= room;
  const some = fits ? rows : rows.slice(0, Math.max(1, room - 1));
  const now = Date.parse(status.now);
  const columns = columnsFor(some, window, isWide);
  const lines = tableLines(
    columns,
    some.map((row) => columns.map((column) => column.cell(row, now))),
    { terminal, width: window?.columns },
  );
  if (fits) return lines;
  const more = moreText(rows.slice(some.length));
  return [...lines, window === undefined ? more : cutTo(more, window.columns)];
}

/** In a window, a column of addresses that are the names says nothing. */
function columnsFor(rows: readonly OverviewRow[], window: Size | undefined, isWide: boolean): readonly StatusColumn[] {
  if (isWide) return WIDE_COLUMNS;
  if (window === undefined) return PIPE_COLUMNS;
  const named = rows.every(
    ({ machine, node }) => (machine ?? node)?.addresses.join() === (node?.name ?? machine?.addresses[0] ?? ''),
  );
  return named ? WINDOW_COLUMNS.filter(({ heading }) => heading !== 'ADDRESS') : WINDOW_COLUMNS;
}

/** `... 973 more: 23 in-grace, 950 keep`, the most urgent verdicts first. */
function moreText(rows: readonly OverviewRow[]): string {
  const counts = countVerdicts(rows).map(({ verdict, count }) => `${count} ${verdict}`);
  return `... ${rows.length} more: ${counts.join(', ')}`;
}
