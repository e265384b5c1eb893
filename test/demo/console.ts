/** What the demo prints: steps, what was read, and the daemon's log, wrapped and colored on a terminal. */
import { stripVTControlCharacters, styleText } from 'node:util';
import wrapAnsi from 'wrap-ansi';

type Style = Parameters<typeof styleText>[0];

const isColored = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
const LOG_STYLES: Readonly<Record<string, Style>> = { info: 'dim', warn: 'yellow', error: 'red', fatal: 'red' };

function styled(style: Style, text: string): string {
  return isColored ? styleText(style, text) : text;
}

/** Prints a text behind a margin, in the width of the terminal; in a pipe on one line. */
function print(margin: string, text: string, style?: Style): void {
  const indent = ' '.repeat(stripVTControlCharacters(margin).length);
  const width = process.stdout.isTTY === true ? Math.max(40, process.stdout.columns - indent.length) : undefined;
  const lines = (width === undefined ? text : wrapAnsi(text, width)).split('\n');
  for (const [index, line] of lines.entries()) {
    console.log((index === 0 ? margin : indent) + (style === undefined ? line : styled(style, line)));
  }
}

/** A plain sentence. */
export function say(sentence: string): void {
  print('', sentence);
}

/** The heading of a step: `3/7  The kubelet of 127.1.0.1 dies`. */
export function step(number: number, of: number, sentence: string): void {
  console.log('');
  print(styled('cyan', `${number}/${of}  `), sentence, 'bold');
}

/** What was read back from the daemon. */
export function result(sentence: string): void {
  print(styled('green', '  => '), sentence);
}

/** A line of the daemon's log. */
export function logLine(level: string, message: string): void {
  print(styled('dim', '   | '), message, LOG_STYLES[level] ?? 'dim');
}

/** Commands, each with what it shows. */
export function commands(list: readonly (readonly [command: string, shows: string])[]): void {
  const width = Math.max(...list.map(([command]) => command.length));
  for (const [command, shows] of list) console.log(`  ${styled('bold', command.padEnd(width))}  ${shows}`);
}
