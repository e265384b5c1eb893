/** Standard output for the log: a line is written at once where that is possible, and nobody ever waits for the reader. */
import { constants, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { plural } from '../text/plural.ts';
import { formatDuration } from '../time/duration.ts';

/** Lines that wait for the reader, or for room on a disk. While they take more than this, new lines are dropped. */
const MOST_WAITING_BYTES = 1024 * 1024;
const RETRY_MS = { first: 20, most: 1_000 };
/** At the end of the process: how long a reader may take nothing, and how long it may take in all. */
const LAST_WRITES_MS = { idle: 200, most: 1_000 };

/** Lines that were dropped because nobody took them. */
export interface Dropped {
  readonly lines: number;
  /** From the first to the moment at which all that waited was written. */
  readonly lastedMs: number;
}

/** What of a file it needs; `write` throws EAGAIN when nothing can be taken now. */
interface Sink {
  write(bytes: Buffer): number;
}

/** Writes to one sink. Nothing that goes wrong there reaches the caller. */
export class LineWriter {
  readonly #sink: Sink;
  readonly #monotonic: () => number;
  /** What could not be written yet, the oldest first. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #retryMs = RETRY_MS.first;
  #dropped: { lines: number; readonly sinceMs: number } | undefined;
  #onFlushed: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #tell: (dropped: Dropped) => void = () => {};

  constructor(sink: Sink, monotonic: () => number = () => performance.now()) {
    this.#sink = sink;
    this.#monotonic = monotonic;
  }

  /** Calls back once the reader is back: a line that is logged then comes where the others are missing. */
  onDropped(tell: (dropped: Dropped) => void): void {
    this.#tell = tell;
  }

  write(line: string): void {
    if (this.#dropped !== undefined) {
      this.#dropped.lines += 1;
      return;
    }
    const bytes = Buffer.from(line);
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes.length > MOST_WAITING_BYTES) {
      this.#dropped = { lines: 1, sinceMs: this.#monotonic() };
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    // Otherwise a retry is due.
    if (this.#waiting.length === 1 && this.#drain() !== 'drained') this.#retryLater();
  }

  /** Writes what waits, and does not wait for a reader that takes nothing. */
  finish(): void {
    const startedMs = this.#monotonic();
    let takenMs = startedMs;
    for (;;) {
      const before = this.#waitingBytes;
      if (this.#drain() !== 'full') return;
      const nowMs = this.#monotonic();
      if (this.#waitingBytes < before) takenMs = nowMs;
      if (nowMs - takenMs >= LAST_WRITES_MS.idle || nowMs - startedMs >= LAST_WRITES_MS.most) return;
      pause();
    }
  }

  /** Calls back once nothing waits, or nothing can be written. Named as pino calls it. */
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
      this.#retryMs = this.#waitingBytes < before ? RETRY_MS.first : Math.min(2 * this.#retryMs, RETRY_MS.most);
      const flushed = outcome === 'full' ? [] : this.#onFlushed.splice(0);
      if (outcome === 'drained') this.#tellOfDropped();
      else this.#retryLater();
      for (const done of flushed) done();
    }, this.#retryMs);
    // A daemon lives by other timers; only who waits for the log keeps the process.
    if (this.#onFlushed.length === 0) this.#timer.unref();
  }

  #tellOfDropped(): void {
    const dropped = this.#dropped;
    if (dropped === undefined) return;
    this.#dropped = undefined;
    this.#tell({ lines: dropped.lines, lastedMs: Math.round(this.#monotonic() - dropped.sinceMs) });
  }

  #drain(): 'drained' | 'full' | 'broken' {
    while (this.#waiting.length > 0) {
      // One write for many lines, but none that would copy all that waits again and again.
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

/** The standard output of this process. What waits when the process exits is written then, as far as the reader takes it. */
export function standardOutput(): LineWriter & { readonly isTTY: boolean } {
  const isTTY = isatty(STDOUT);
  const fd = isTTY ? terminal() : withoutBlocking(STDOUT);
  const writer = new LineWriter({ write: (bytes) => writeSync(fd, bytes) });
  process.on('exit', () => writer.finish());
  return Object.assign(writer, { isTTY });
}

/** Node makes a pipe or a socket so when it makes its stream of it. A disk is never waited for long. */
function withoutBlocking(fd: number): number {
  void process.stdout;
  return fd;
}

/** The same terminal for this process alone: Ctrl-S there stops whoever writes, unless it is opened so. */
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

/** For people. */
export function describeDropped({ lines, lastedMs }: Dropped): string {
  return `dropped ${plural(lines, 'log line')}: nothing read the log for ${formatDuration(lastedMs)}`;
}
