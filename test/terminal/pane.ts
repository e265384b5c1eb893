/** A window of tmux in which a command runs: what it shows, its size, its keys, and how it was left. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished, vi } from 'vitest';
import { folderOfTest } from '../integration/program.ts';

const run = promisify(execFile);
const PATIENCE = { timeout: 30_000, interval: 50 };

export interface PaneOptions {
  readonly columns: number;
  readonly rows: number;
  /** Variables of the command beside PATH; tmux sets TERM. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A window. Its server of tmux ends with the test. */
export class Pane {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Runs the command, a line for sh. When it has ended, the last line is `exit CODE`, where a shell has its prompt. */
  static async open(command: string, { columns, rows, env = {} }: PaneOptions): Promise<Pane> {
    const socket = join(await folderOfTest(), 'tmux');
    const pane = new Pane(socket);
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    onTestFinished(async () => {
      await pane.#tmux('kill-server').catch(() => {});
    });
    await pane.#tmux(
      ...['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), ...variables],
      `${command}; printf "exit $?"; exec cat`,
    );
    return pane;
  }

  /** The lines that are shown, without the empty ones at the end; one that is wider than the window is several. */
  async lines(): Promise<readonly string[]> {
    return (await this.#tmux('capture-pane', '-p')).trimEnd().split('\n');
  }

  /** As `lines`, with the escape sequences of colors. */
  async colored(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** The lines, once one of them matches. */
  async showing(pattern: RegExp): Promise<readonly string[]> {
    return vi.waitFor(async () => {
      const lines = await this.lines();
      if (lines.some((line) => pattern.test(line))) return lines;
      throw new Error(`this is not shown: ${pattern}; what is:\n${lines.join('\n')}`);
    }, PATIENCE);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Types a key, named as in tmux: `C-c`. */
  async press(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
  }

  /** Sends SIGTERM to the program that runs in the window. */
  async terminate(): Promise<void> {
    const shell = (await this.#tmux('display-message', '-p', '#{pane_pid}')).trim();
    const children = await readFile(`/proc/${shell}/task/${shell}/children`, 'utf8');
    process.kill(Number(children.trim().split(' ')[0]), 'SIGTERM');
  }

  /** Whether the alternate screen is shown, and the cursor. */
  async state(): Promise<{ readonly isAlternate: boolean; readonly hasCursor: boolean }> {
    const text = await this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}');
    const [alternate, cursor] = text.trim().split(' ');
    return { isAlternate: alternate === '1', hasCursor: cursor === '1' };
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const env = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
    return (await run('tmux', ['-S', this.#socket, ...args], { env })).stdout;
  }
}
