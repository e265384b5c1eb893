/** Makes the logger: one line per event on standard output, as JSON or for people, without secrets and control characters. */
import { type LevelWithSilent, type Logger, pino } from 'pino';
import { escapeControls } from '../text/quote.ts';
import { logOf } from './log-events.ts';
import { fieldsInWords } from './pretty-fields.ts';
import { type Dropped, describeDropped, standardOutput } from './standard-output.ts';

/** Where the lines go. `isTTY` is true for a terminal. */
export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean;
  /** Calls back once no line waits, or none can be written. */
  flush?(done: () => void): void;
  /** Calls back when lines were dropped and lines can be written again. */
  onDropped?(callback: (dropped: Dropped) => void): void;
}

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  readonly format: 'json' | 'pretty';
  /** True when NO_COLOR is set. Only a terminal gets colors. */
  readonly noColor?: boolean;
  /** Standard output unless given. */
  readonly destination?: LogDestination;
}

const MAX_CAUSES = 5;
const REDACTED = '[redacted]';
const SECRET_KEYS: readonly string[] = ['token', 'authorization', 'Authorization', 'password', 'config'];
/** Secrets are looked for so many levels deep; an object may be part of itself. */
const MOST_LEVELS = 5;

/**
 * Makes the program's logger. A line is written before the call returns, unless the reader is slow; see LineWriter. Errors of the
 * destination do not reach the caller: the daemon must outlive the reader of its log.
 *
 * Asynchronous because pino-pretty is loaded only when it is used. Without pino transports: they need worker threads and files of their
 * own, which the single-file build does not have.
 */
export async function createLogger(options: LoggerOptions): Promise<Logger> {
  const { level, format, noColor = false, destination = standardOutput() } = options;
  const withStack = level === 'debug' || level === 'trace';
  const lines =
    format === 'pretty' ? await prettyLines(destination, !noColor && destination.isTTY === true) : destination;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => shownFields(fields, withStack),
      },
      // `err` is a plain object by now (see `shownFields`), which pino's own serializer would change again.
      serializers: { err: (value: unknown) => value },
      // For what goes into a message. Paths with wildcards would be taken apart for each field of each line.
      redact: { paths: [...SECRET_KEYS], censor: REDACTED },
      hooks: { streamWrite: (line) => escapeControls(scrubSecrets(line)) },
    },
    lines,
  );
  destination.onDropped?.((dropped) => {
    const { lines: count, lastedMs } = dropped;
    logOf(logger).write('log-lines-dropped', describeDropped(dropped), { dropped: count, lastedMs });
  });
  return logger;
}

async function prettyLines(destination: LogDestination, colorize: boolean): Promise<LogDestination> {
  // By its default export: where a bundle is split it has no other.
  const { prettyFactory } = (await import('pino-pretty')).default;
  const prettify = prettyFactory({
    colorize,
    // The fields follow the message instead.
    hideObject: true,
    messageFormat: (record, key) => `${record[key]}${fieldsInWords(record)}`,
    translateTime: "UTC:yyyy-mm-dd'T'HH:MM:ss.l'Z'",
    customPrettifiers: { time: (time) => String(time) },
  });
  return {
    write: (line) => destination.write(prettify(spellOutEscapes(line))),
    flush: (done) => (destination.flush === undefined ? done() : destination.flush(done)),
  };
}

/** The fields without secrets. Of errors only type and message stay: axios attaches the whole request, credentials included. */
function shownFields(fields: object, withStack: boolean, levels = MOST_LEVELS): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      SECRET_KEYS.includes(key) ? REDACTED : shown(value, withStack, levels - 1),
    ]),
  );
}

function shown(value: unknown, withStack: boolean, levels: number): unknown {
  if (value instanceof Error) return describe(value, withStack);
  if (typeof value !== 'object' || value === null || levels === 0) return value;
  if (Array.isArray(value)) return value.map((each) => shown(each, withStack, levels - 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return shown(value.toJSON(), withStack, levels - 1);
  return shownFields(value, withStack, levels);
}

function describe(error: Error, withStack: boolean): { type: string; message: string; stack?: string[] } {
  const brief = { type: error.name, message: error.message };
  return withStack ? { ...brief, stack: stackLines(error) } : brief;
}

function stackLines(error: Error): string[] {
  const lines = (error.stack ?? String(error)).split('\n');
  let cause = error.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    lines.push(...`caused by ${cause.stack ?? String(cause)}`.split('\n'));
    cause = cause.cause;
  }
  return lines;
}

/** Removes tokens and passwords in URLs from a finished JSON line, in case `redact` missed them. An escape counts as one character. */
function scrubSecrets(line: string): string {
  return line
    .replace(/\bBearer (?:\\.|[^\s"\\])+/g, `Bearer ${REDACTED}`)
    .replace(/:\/\/[^\s"\\/?#@]+@/g, `://${REDACTED}@`);
}

/** Doubles the backslash of every escape in a JSON line, so that parsing it gives no control characters and no line ends. */
function spellOutEscapes(line: string): string {
  return line.replace(/\\(.)/g, (whole, character) => (character === '"' || character === '\\' ? whole : `\\${whole}`));
}
