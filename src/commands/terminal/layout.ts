/** Fits text into columns of a terminal: characters count as wide as a terminal draws them. */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

const SEGMENTER = new Intl.Segmenter();

/** The number of columns that a line takes. */
export function widthOf(line: string): number {
  return stringWidth(line);
}

/** The line, cut at its end with `…` where it is wider than this. It has no colors. */
export function cutTo(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let cut = '';
  let width = 0;
  for (const { segment } of SEGMENTER.segment(line)) {
    width += widthOf(segment);
    if (width >= columns) break;
    cut += segment;
  }
  return columns > 0 ? `${cut.trimEnd()}…` : '';
}

/** The line with spaces up to this width. */
export function padTo(line: string, columns: number): string {
  return line + ' '.repeat(Math.max(0, columns - widthOf(line)));
}

/** In less room than this, lines of words are harder to read than a line that the terminal breaks. */
const LEAST_ROOM = 20;

/** The text in lines of this width, broken between words. A longer word stays whole, so that it can be copied; so does a text without a width. */
export function wrap(text: string, columns: number | undefined): readonly string[] {
  return columns === undefined || columns < LEAST_ROOM ? [text] : wrapAnsi(text, columns).split('\n');
}

/** The line in at most so many lines that are no wider than this; what does not fit is cut with `…`. It has no colors. */
export function wrapTo(line: string, columns: number, mostLines: number): readonly string[] {
  const lines = wrapAnsi(line, columns, { hard: true }).split('\n');
  if (lines.length <= mostLines) return lines;
  const rest = lines.slice(mostLines - 1).join(' ');
  return [...lines.slice(0, mostLines - 1), cutTo(rest, columns)];
}
