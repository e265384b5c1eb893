/** Keeps a thousand like lines out of the log: of one kind, some get a line each, and the rest share one. */
import type { Fields, Log, LogEvent } from './log-events.ts';

export interface Line {
  /** Lines of one kind are alike, and of one event. */
  readonly kind: string;
  readonly event: LogEvent;
  readonly message: string;
  readonly fields: Fields;
  /** Fields that all of this kind have. */
  readonly common: Fields;
  /** The line of so many more of this kind. */
  readonly more: (count: number) => string;
}

/** Of so many lines of one kind each is said. */
const LINES_OF_A_KIND = 20;

export function sayAlike(log: Log, lines: readonly Line[]): void {
  for (const [first, ...others] of byKind(lines)) {
    const said = [first, ...others.slice(0, LINES_OF_A_KIND - 1)];
    const rest = others.slice(LINES_OF_A_KIND - 1);
    for (const { event, message, fields, common } of said) log.say(event, message, { ...fields, ...common });
    if (rest.length > 0) log.say(first.event, first.more(rest.length), first.common);
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
