/** Writes like lines of one pass: the first twenty of a kind each, and one line for the rest. */
import type { Fields, Log, LogEvent } from './log-events.ts';

export interface Line {
  /** Lines of one kind are alike, and have the same event. */
  readonly kind: string;
  readonly event: LogEvent;
  readonly message: string;
  readonly fields: Fields;
  /** Fields that all lines of this kind have. */
  readonly common: Fields;
  /** The message that counts the lines that are not written. */
  readonly more: (count: number) => string;
}

const LINES_OF_A_KIND = 20;

/** Writes the lines, kind by kind; those that are only counted go to the debug level. */
export function writeAlike(log: Log, lines: readonly Line[]): void {
  for (const [first, ...others] of byKind(lines)) {
    const written = [first, ...others.slice(0, LINES_OF_A_KIND - 1)];
    const rest = others.slice(LINES_OF_A_KIND - 1);
    for (const { event, message, fields, common } of written) log.write(event, message, { ...fields, ...common });
    if (rest.length > 0) log.write(first.event, first.more(rest.length), first.common);
    for (const { message } of rest) log.debug(message);
  }
}

function byKind(lines: readonly Line[]): Iterable<readonly [Line, ...Line[]]> {
  const kinds = new Map<string, [Line, ...Line[]]>();
  for (const line of lines) {
    const alike = kinds.get(line.kind);
    if (alike === undefined) kinds.set(line.kind, [line]);
    else alike.push(line);
  }
  return kinds.values();
}
