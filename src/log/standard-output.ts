/** Standard output for the log: lines are written at once where possible; a slow reader does not block the process. */
import { constants, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { plural } from '../text/plural.ts';
import { formatDuration } from '../time/duration.ts';

/** Lines that wait for the reader, or for space on a disk. While they take more than this, new lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
const RETRY_MS = { min: 20, max: 1_000 };
/** At the end of the process: how long the reader may read nothing, and how long it has in all. */
const FINISH_MS = { idle: 200, max: 1_000 };

/** Lines that were dropped because nothing read them. */
export interface Dropped {
  readonly lines: number;
  /** From the first dropped line until all waiting lines were written. */
  readonly lastedMs: number;
}

/** A file descriptor; `write` throws EAGAIN when it accepts nothing now. */
interface Sink {
  write(bytes: Buffer): number;
}

/** Writes lines to one sink, and keeps them while the sink accepts none. Errors of the sink do not reach the caller. */
export class LineWriter {
  readonly #sink: Sink;
  readonly #monotonic: () => number;
  /** Lines that are not written yet, the oldest first. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #retryMs = RETRY_MS.min;
  #dropped: { lines: number; readonly sinceMs: number } | undefined;
  #onFlushed: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #onDropped: (dropped: Dropped) => void = () => {};

  constructor(sink: Sink, monotonic: () => number = () => performance.now()) {
    this.#sink = sink;
    this.#monotonic = monotonic;
  }

  /** Calls back once lines can be written again: a line that the callback logs stands where the others are missing. */
  onDropped(callback: (dropped: Dropped) => void): void {
    this.#onDropped = callback;
  }

  write(line: string): void {
    if (this.#dropped !== undefined) {
      this.#dropped.lines += 1;
      return;
    }
    const bytes = Buffer.from(line);
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#dropped = { lines: 1, sinceMs: this.#monotonic() };
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    // While other lines wait, a retry is scheduled already.
    if (this.#waiting.length === 1 && this.#drain() !== 'drained') this.#retryLater();
  }

  /** Writes the waiting lines; gives up soon when the reader reads nothing. Blocks. */
  finish(): void {
    const startedMs = this.#monotonic();
    let progressMs = startedMs;
    for (;;) {
      const before = this.#waitingBytes;
      if (this.#drain() !== 'full') return;
      const nowMs = this.#monotonic();
      if (this.#waitingBytes < before) progressMs = nowMs;
      if (nowMs - progressMs >= FINISH_MS.idle || nowMs - startedMs >= FINISH_MS.max) return;
      pause();
    }
  }

  /** Calls back once no line waits, or none can be written. pino calls it by this name. */
  flush(done: () => void): void {
    if (this.#waiting.length === 0) {
      done();
      return;
    }
    this.#onFlushed.push(done);
    this.#timer?.ref();
  }

  #retryLater(): void {
    this.#timer = setTimeout(() => {
      const before = this.#waitingBytes;
      const outcome = this.#drain();
      this.#retryMs = this.#waitingBytes < before ? RETRY_MS.min : Math.min(2 * this.#retryMs, RETRY_MS.max);
      const flushed = outcome === 'full' ? [] : this.#onFlushed.splice(0);
      if (outcome === 'drained') this.#reportDropped();
      else this.#retryLater();
      for (const done of flushed) done();
    }, this.#retryMs);
    // Only a pending flush keeps the process alive; the daemon has timers of its own.
    if (this.#onFlushed.length === 0) this.#timer.unref();
  }

  #reportDropped(): void {
    const dropped = this.#dropped;
    if (dropped === undefined) return;
    this.#dropped = undefined;
    this.#onDropped({ lines: dropped.lines, lastedMs: Math.round(this.#monotonic() - dropped.sinceMs) });
  }

  #drain(): 'drained' | 'full' | 'broken' {
    while (this.#waiting.length > 0) {
      // One write for many lines, but not for all: each retry would copy all of them.
      const next =
        this.#waiting.length > 1 ? Buffer.concat(this.#waiting.splice(0, LINES_AT_ONCE)) : this.#waiting.shift();
      if (next === undefined) break;
      let written = 0;
      try {
        written = this.#sink.write(next);
      } catch (error) {
        this.#waiting.unshift(next);
        return isFull(error) ? 'full' : 'broken';
      }
      this.#waitingBytes -= written;
      if (written < next.length) this.#waiting.unshift(next.subarray(written));
    }
    return 'drained';
  }
}

const LINES_AT_ONCE = 64;
const STDOUT = 1;

/** Opens the standard output of this process. Lines that wait when the process exits are written then, as far as they are read. */
export function standardOutput(): LineWriter & { readonly isTTY: boolean } {
  const isTTY = isatty(STDOUT);
  const fd = isTTY ? terminal() : withoutBlocking(STDOUT);
  const writer = new LineWriter({ write: (bytes) => writeSync(fd, bytes) });
  process.on('exit', () => writer.finish());
  return Object.assign(writer, { isTTY });
}

/** Makes a pipe or a socket non-blocking: Node does so when it opens its stream. Files do not block for long. */
function withoutBlocking(fd: number): number {
  void process.stdout;
  return fd;
}

/** Opens the same terminal non-blocking, for this process alone; else Ctrl-S would block every write. */
function terminal(): number {
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return STDOUT;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** `dropped 12 log lines: nothing read the log for 3s` */
export function describeDropped({ lines, lastedMs }: Dropped): string {
  return `dropped ${plural(lines, 'log line')}: nothing read the log for ${formatDuration(lastedMs)}`;
}
