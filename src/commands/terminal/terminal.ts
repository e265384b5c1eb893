/** Where commands print: colors on a terminal alone, a line of progress, and no control characters from hostile text. */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Concern } from '../../status/overview.ts';
import { escapeControls, onOneLine } from '../../text/quote.ts';
import { yamlText } from './yaml.ts';

/** A standard stream; a terminal says so with `isTTY`, and how large it is. It emits `resize` where that changes. */
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** The size of a window in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What of a process a command sees. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a text is about; its color follows. */
export type Style = Concern | 'heading' | 'added' | 'removed' | 'changed';

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

const LONGEST_LINE = 1_000;
const PROGRESS_EVERY_MS = 1_000;

/** The standard output takes nothing, as on a full disk. */
export class OutputError extends Error {
  override readonly name = 'OutputError';

  constructor({ code, message }: NodeJS.ErrnoException) {
    super(`cannot write to the standard output (${code ?? message})`);
  }
}

/** https://no-color.org; a pipe or a file never gets colours. */
export class Terminal {
  readonly #host: Host;
  readonly #isColored: boolean;
  #hasReader = true;

  constructor(host: Host) {
    this.#host = host;
    this.#isColored = host.stdout.isTTY === true && (host.env['NO_COLOR'] ?? '') === '' && host.env['TERM'] !== 'dumb';
  }

  /** Whether the output is a terminal that obeys control sequences, and its size is known. */
  get canDraw(): boolean {
    return this.size !== undefined && this.#host.env['TERM'] !== 'dumb';
  }

  /** The width of the terminal in characters; undefined for a pipe or a file, or where it is not known. */
  get columns(): number | undefined {
    const { isTTY, columns } = this.#host.stdout;
    return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
  }

  /** The size of the window; undefined for a pipe or a file, or where it is not known. */
  get size(): Size | undefined {
    const { columns } = this;
    const { rows } = this.#host.stdout;
    return columns !== undefined && rows !== undefined && rows > 0 ? { columns, rows } : undefined;
  }

  /** Whether somebody may still read what is printed; `head` goes once it has seen enough. */
  get hasReader(): boolean {
    return this.#hasReader;
  }

  /** Resolves when the text is written, or nobody reads any more. Throws OutputError when it cannot be written. */
  print(text: string): Promise<void> {
    const { stdout } = this.#host;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => {
        this.#hasReader = error.code !== 'EPIPE';
        if (this.#hasReader) reject(new OutputError(error));
        else resolve();
      };
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

  /** For programs; what JSON escapes is escaped. Throws OutputError. */
  printYaml(value: unknown): Promise<void> {
    return this.print(yamlText(value));
  }

  /** The text on one line, without control characters, whole. */
  plain(text: string): string {
    return onOneLine(text, Math.max(1, text.length));
  }

  /** One line for what is not the result: it does not end up in a pipe. The text may be hostile. */
  note(text: string): void {
    this.#host.stderr.write(`${onOneLine(text, LONGEST_LINE)}\n`);
  }

  /** Sends text with control sequences as it is. A terminal that has been closed takes nothing, and SIGHUP ends the process then. */
  control(text: string): void {
    const { stdout } = this.#host;
    if (stdout.listenerCount('error', ignore) === 0) stdout.on('error', ignore);
    stdout.write(text);
  }

  /** Calls back each time that the size of the window changes, until the returned function is called. */
  onResize(callback: () => void): () => void {
    const { stdout } = this.#host;
    stdout.on('resize', callback);
    return () => {
      stdout.off('resize', callback);
    };
  }

  /** On one line, whatever the text holds. */
  paint({ text, style }: { readonly text: string; readonly style: Style }): string {
    const line = onOneLine(text, LONGEST_LINE);
    return this.#isColored ? styleText(STYLES[style], line, { validateStream: false }) : line;
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

function ignore(): void {}
