/** Reads an EnvironmentFile as systemd does: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile= */

/** A variable, and the line on which it is set. */
export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** What a backslash escapes in double quotes. */
const ESCAPED_IN_QUOTES = '"\\`$';
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Every assignment in the order of the file. A line that is none is ignored, as systemd ignores it. */
export function readEnvironmentFile(text: string): readonly Assignment[] {
  const found: Assignment[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    const end = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at);
    const [, name = '', space = ''] = /^\s*([^\s=#;][^=]*?)\s*=([ \t]*)/.exec(text.slice(at, end)) ?? [];
    if (!NAME.test(name)) {
      at = end + 1;
      continue;
    }
    const read = readValue(text, text.indexOf('=', at) + 1 + space.length);
    found.push({ name, value: read.value, line: text.slice(0, start).split('\n').length });
    at = read.end + 1;
  }
  return found;
}

/** The value that begins there, and where its last line ends. Quoted and unquoted parts may follow one another. */
function readValue(text: string, start: number): { readonly value: string; readonly end: number } {
  let value = '';
  /** The length of the value without blanks at its end, which belong to it only in quotes. */
  let kept = 0;
  let quote = '';
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    if (quote === '' && character === '\n') break;
    if (character === '\\' && quote !== "'") {
      at += 1;
      if (next === '\n') continue;
      value += quote === '"' && !ESCAPED_IN_QUOTES.includes(next) ? character + next : next;
      kept = value.length;
    } else if (quote !== '' && character === quote) {
      quote = '';
      kept = value.length;
    } else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else {
      value += character;
      if (quote !== '' || !/\s/.test(character)) kept = value.length;
    }
  }
  return { value: value.slice(0, kept), end: at };
}
