/** A table of text that fits into a width: columns that matter less are left out, long cells are cut. */
import { onOneLine } from '../../text/quote.ts';
import { cutTo, padTo, widthOf } from './layout.ts';
import type { Cell, Style, Terminal } from './terminal.ts';

/** A column of a table, in the order in which it is shown. */
export interface Column {
  readonly heading: string;
  /** Which columns are shown where there is no room for all: 0 always, then 1, 2, ... as long as they fit. */
  readonly rank: number;
  /** The width down to which its cells may be cut; undefined where they may not. */
  readonly narrowest?: number;
}

const GAP = '  ';
/** A cell longer than this is hostile, not informative. */
const LONGEST_CELL = 1_000;

interface PlainCell {
  readonly text: string;
  readonly style: Style | undefined;
}

/** The heading and one line for each row. Without `width` every column is shown and nothing is cut. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { terminal, width }: { readonly terminal: Terminal; readonly width: number | undefined },
): readonly string[] {
  const headings = columns.map(({ heading }): PlainCell => ({ text: heading, style: 'heading' }));
  const cells = [headings, ...rows.map((row) => row.map(plain))];
  const natural = columns.map((_, at) => cells.reduce((most, row) => Math.max(most, widthOf(row[at]?.text ?? '')), 0));
  const widths = width === undefined ? natural : fitWidths(columns, natural, width);
  return cells.map((row) => lineOf(row, widths, terminal));
}

function lineOf(row: readonly PlainCell[], widths: readonly (number | undefined)[], terminal: Terminal): string {
  const shown = row.flatMap(({ text, style }, at) => {
    const width = widths[at];
    if (width === undefined) return [];
    const cut = cutTo(text, width);
    const padding = padTo(cut, width).slice(cut.length);
    return [(style === undefined ? cut : terminal.paint({ text: cut, style })) + padding];
  });
  return shown.join(GAP).trimEnd();
}

/** The width of each column; undefined for those that are left out. */
function fitWidths(columns: readonly Column[], natural: readonly number[], width: number): (number | undefined)[] {
  const least = columns.map(({ narrowest }, at) => Math.min(natural[at] ?? 0, narrowest ?? Number.POSITIVE_INFINITY));
  const order = columns.map((column, at) => ({ at, rank: column.rank })).toSorted((a, b) => a.rank - b.rank);
  const widths: (number | undefined)[] = columns.map(() => undefined);
  let left = width + GAP.length;
  for (const { at, rank } of order) {
    const needed = (least[at] ?? 0) + GAP.length;
    if (needed > left && rank > 0) continue;
    widths[at] = least[at];
    left -= needed;
  }
  // What is left goes to the columns that are cut, the first of them first; where not even these fit, the widest lose.
  for (const { at } of order) {
    const now = widths[at];
    if (now === undefined || left <= 0) continue;
    const more = Math.min(left, (natural[at] ?? 0) - now);
    widths[at] = now + more;
    left -= more;
  }
  return left < 0 ? shrunk(widths, -left) : widths;
}

/** The widths, with so many columns less, taken from the widest. */
function shrunk(widths: readonly (number | undefined)[], columns: number): (number | undefined)[] {
  const result = [...widths];
  for (let missing = columns; missing > 0; missing -= 1) {
    const widest = result.reduce<number>((best, each, at) => ((each ?? 0) > (result[best] ?? 0) ? at : best), 0);
    const width = result[widest] ?? 0;
    if (width <= 1) return result;
    result[widest] = width - 1;
  }
  return result;
}

function plain(cell: Cell): PlainCell {
  const { text, style } = typeof cell === 'string' ? { text: cell, style: undefined } : cell;
  return { text: onOneLine(text, LONGEST_CELL), style };
}
