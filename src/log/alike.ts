/** Writes like lines of one pass: up to three of a kind each, and one line with the names for more. */
import { firstNames } from '../text/names.ts';
import { plural } from '../text/plural.ts';
import { forEach, type Steps } from '../time/steps.ts';
import type { Fields, Log, LogEvent } from './log-events.ts';

/** A line that may have others like it in the same pass. */
export interface Line {
  /** Lines of one kind are alike, and have the same event. */
  readonly kind: string;
  readonly event: LogEvent;
  readonly message: string;
  readonly fields: Fields;
  /** Fields that all lines of this kind have. */
  readonly common: Fields;
  /** The name of what the line is about, and the beginning of the line for so many: `13 nodes: orphan`. Without it lines are not combined. */
  readonly group?: { readonly name: string; readonly many: (count: number) => string };
}

/** Lines of a kind that are written one by one: with a group, and without. */
const ONE_BY_ONE = 3;
const MOST = 20;
const NAMES_SHOWN = 20;

/** Writes the lines, kind by kind; those that one line combines or only counts go to the debug level. */
export function* writeAlike(log: Log, lines: readonly Line[]): Steps<void> {
  for (const alike of byKind(lines)) {
    const [{ event, message: example, common, group }] = alike;
    if (group === undefined || alike.length <= ONE_BY_ONE) {
      for (const { message, fields } of alike.slice(0, MOST)) log.write(event, message, { ...fields, ...common });
      const rest = alike.slice(MOST);
      if (rest.length > 0)
        log.write(
          event,
          `${plural(rest.length, 'more line')} of this kind (logged at KUBE_REGISTER_LOG_LEVEL=debug)`,
          common,
        );
      yield* forEach(rest, ({ message }) => log.debug(message));
      continue;
    }
    const names = alike.flatMap((line) => line.group?.name ?? []);
    const message = `${group.many(alike.length)}: ${firstNames(names, NAMES_SHOWN)}; for example ${example}`;
    log.write(event, message, { ...common, names: names.slice(0, NAMES_SHOWN), count: alike.length });
    yield* forEach(alike, ({ message: each }) => log.debug(each));
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
