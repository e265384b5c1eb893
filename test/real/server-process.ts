/** One server as a child process that writes its log to a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_MS = 90_000;
const POLL_MS = 50;

export interface ServerOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Whether it serves; asked until it says so. What it throws counts as no. */
  readonly isReady: () => Promise<boolean>;
}

export class ServerProcess {
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it is ready, at once when it runs already. Throws an Error with the end of its log when it ends before, or does
   * not come up.
   */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const { program, args, logFile } = this.#options;
    const log = openSync(logFile, 'a');
    const child = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    process.once('exit', this.#killNow);
    const deadline = performance.now() + READY_MS;
    while (!(await this.#options.isReady().catch(() => false))) {
      if (child.exitCode !== null || child.signalCode !== null) throw await this.#failure('it ended by itself');
      if (performance.now() > deadline) throw await this.#failure(`it was not ready within ${READY_MS / 1000} s`);
      await sleep(POLL_MS);
    }
  }

  /** Ends it at once, as a machine does that loses power: what was answered is in etcd, and nobody says good-bye. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    process.off('exit', this.#killNow);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It keeps its connections and does nothing, until it goes on. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  readonly #killNow = (): void => {
    this.#child?.kill('SIGKILL');
  };

  async #failure(what: string): Promise<Error> {
    const { program, logFile } = this.#options;
    const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-15);
    return new Error(`${program}: ${what}; the end of ${logFile}:\n${lines.join('\n')}`);
  }
}
