/** Where commands print: colours on a terminal alone, columns, a line of progress, and no tricks from hostile text. */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Concern } from '../status/overview.ts';
import { escapeControls, onOneLine } from '../text/quote.ts';

/** A standard stream; a terminal says so with `isTTY`, and how wide it is. */
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What of a process a command sees. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Style = Concern | 'heading' | 'added' | 'removed' | 'changed';

const STYLES = {
  well: 'green',
  watch: 'yellow',
  trouble: 'red',
  idle: 'gray',
  heading: 'bold',
  added: 'green',
  removed: 'red',
  changed: 'yellow',
} as const satisfies Readonly<Record<Style, Parameters<typeof styleText>[0]>>;

/** One cell of a table. `text` may be hostile. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** A cell longer than this would push the others out of sight. */
const LONGEST_CELL = 100;
const LONGEST_LINE = 1_000;
const PROGRESS_EVERY_MS = 1_000;

/** The standard output takes nothing: a full disk, a reader that has gone. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
  readonly readerHasGone: boolean;

  constructor({ code, message }: NodeJS.ErrnoException) {
    super(`cannot write to the standard output (${code ?? message})`);
    this.readerHasGone = code === 'EPIPE';
  }
}

/** https://no-color.org; a pipe or a file never gets colours. */
export class Terminal {
  readonly #host: Host;
  readonly #isColored: boolean;

  constructor(host: Host) {
    this.#host = host;
    this.#isColored = host.stdout.isTTY === true && (host.env['NO_COLOR'] ?? '') === '' && host.env['TERM'] !== 'dumb';
  }

  /** Whether the output is a terminal, whose screen may be cleared. */
  get isWatched(): boolean {
    return this.#host.stdout.isTTY === true;
  }

  /** The width of the terminal in characters; undefined for a pipe or a file, or where it is not known. */
  get columns(): number | undefined {
    const { isTTY, columns } = this.#host.stdout;
    return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
  }

  /** Resolves when the text is written. Throws OutputError when it cannot be. */
  print(text: string): Promise<void> {
    const { stdout } = this.#host;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => reject(new OutputError(error));
      // Without a listener the error would be thrown once more, and end the process with its stack.
      stdout.on('error', fail);
      stdout.write(`${text}\n`, (error) => {
        if (error) return fail(error);
        stdout.off('error', fail);
        resolve();
      });
    });
  }

  /** For programs, on one line without `indent`. Throws OutputError. */
  printJson(value: unknown, indent?: number): Promise<void> {
    return this.print(escapeControls(JSON.stringify(value, null, indent)));
  }

  /** One line for what is not the result: it does not end up in a pipe. The text may be hostile. */
  note(text: string): void {
    this.#host.stderr.write(`${onOneLine(text, LONGEST_LINE)}\n`);
  }

  clear(): void {
    this.#host.stdout.write('\u001b[H\u001b[2J');
  }

  /** On one line, whatever the text holds. */
  paint({ text, style }: { readonly text: string; readonly style: Style }): string {
    const line = onOneLine(text, LONGEST_LINE);
    return this.#isColored ? styleText(STYLES[style], line, { validateStream: false }) : line;
  }

  /** Columns as wide as their widest cell, two spaces apart. */
  table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
    const all = [header.map((text): Cell => ({ text, style: 'heading' })), ...rows].map((row) => row.map(plain));
    const widths = header.map((_, column) =>
      all.reduce((widest, row) => Math.max(widest, row[column]?.text.length ?? 0), 0),
    );
    return all
      .map((row) =>
        row
          .map(({ text, style }, column) => {
            const painted = style === undefined ? text : this.paint({ text, style });
            return painted + ' '.repeat((widths[column] ?? 0) - text.length);
          })
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }

  /** Says on a terminal how long something has been going on, and wipes that when it is over. */
  async whileAtWork<T>(doing: string, work: Promise<T>): Promise<T> {
    const { stderr } = this.#host;
    if (stderr.isTTY !== true) return work;
    let seconds = 0;
    const timer = setInterval(() => {
      seconds += PROGRESS_EVERY_MS / 1_000;
      // What wraps could not be wiped.
      stderr.write(`\r${`${doing} ... ${seconds} s`.slice(0, (stderr.columns ?? 80) - 1)}`);
    }, PROGRESS_EVERY_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      if (seconds > 0) stderr.write('\r\u001b[K');
    }
  }
}

function plain(cell: Cell): { readonly text: string; readonly style: Style | undefined } {
  const { text, style } = typeof cell === 'string' ? { text: cell, style: undefined } : cell;
  return { text: onOneLine(text, LONGEST_CELL), style };
}
