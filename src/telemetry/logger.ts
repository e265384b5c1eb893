/** The log: one line an event on standard output, as JSON or for people, without secrets and without tricks on the terminal. */
import { isatty } from 'node:tty';
import { type LevelWithSilent, type Logger, pino } from 'pino';
import { escapeControls } from '../quote.ts';

/** Where the lines go; a terminal says so with `isTTY`. */
export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  readonly format: 'json' | 'pretty';
  /** True when NO_COLOR is set. A destination that is no terminal never gets colours. */
  readonly noColor?: boolean;
  /** Standard output unless given. */
  readonly destination?: LogDestination;
}

const STDOUT = 1;
/** Lines that wait for a full disk or a reader that has gone; more than this is dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_CAUSES = 5;
const REDACTED = '[redacted]';
const SECRET_KEYS = ['token', 'authorization', 'Authorization', 'password', 'headers.authorization', 'config'];

/**
 * Makes the program's logger. Every line is written before the call returns, so nothing is lost at exit. Nothing that goes
 * wrong with the destination reaches the caller: a daemon must outlive the reader of its log.
 *
 * Asynchronous because pino-pretty is loaded only when it is asked for. No pino transports: they need worker threads and
 * files of their own, which a program in one file does not have.
 */
export async function createLogger(options: LoggerOptions): Promise<Logger> {
  const { level, format, noColor = false, destination = standardOutput() } = options;
  const withStack = level === 'debug' || level === 'trace';
  const lines =
    format === 'pretty'
      ? await prettyLines(destination, !noColor && destination.isTTY === true, withStack)
      : destination;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => mapErrors(fields, withStack),
      },
      // What is logged as `err` has become a plain object by then; pino's own serializer would look for more in it.
      serializers: { err: (value: unknown) => value },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: REDACTED },
      hooks: { streamWrite: (line) => escapeControls(scrubSecrets(line)) },
    },
    lines,
  );
}

function standardOutput(): LogDestination {
  const stream = pino.destination({ dest: STDOUT, sync: true, maxLength: MAX_WAITING_BYTES });
  // Without a listener a full disk would be an exception in whoever logs. The lines wait and are written when there is room.
  stream.on('error', () => {});
  return { write: (line) => stream.write(line), isTTY: isatty(STDOUT) };
}

async function prettyLines(
  destination: LogDestination,
  colorize: boolean,
  withStack: boolean,
): Promise<LogDestination> {
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({
    colorize,
    singleLine: true,
    // The sentence tells people the same.
    ignore: 'event,lastedMs,times,flaps,flappedMs,action,node,machine,verdict',
    errorLikeObjectKeys: withStack ? ['err'] : [],
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
  });
  return { write: (line) => destination.write(prettify(spellOutEscapes(line))) };
}

/** Errors carry whatever their makers hung on them (axios: the whole request, credentials included), so only this is kept. */
function mapErrors(fields: Record<string, unknown>, withStack: boolean): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? describe(value, withStack) : value]),
  );
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

/** The second line of defence, on the finished JSON line: hence a backslash and what follows it count as one character. */
function scrubSecrets(line: string): string {
  return line
    .replace(/\bBearer (?:\\.|[^\s"\\])+/g, `Bearer ${REDACTED}`)
    .replace(/:\/\/[^\s"\\/?#@]+@/g, `://${REDACTED}@`);
}

/** Makes every escape in a JSON line the text it is written with, so that no control is left, a line end included, once it is parsed. */
function spellOutEscapes(line: string): string {
  return line.replace(/\\(.)/g, (whole, character) => (character === '"' || character === '\\' ? whole : `\\${whole}`));
}
