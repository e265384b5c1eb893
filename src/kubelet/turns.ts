/** Which checks are under way and which wait: p-limit costs several promises and closures for each of the thousands that wait. */
import { onAbort } from '../network/on-abort.ts';
import type { KubeletAnswer } from './kubelet.ts';

/** A health check that waits for its turn or is under way. */
export interface Check {
  readonly address: string;
  readonly signal: AbortSignal;
  resolve(answer: KubeletAnswer): void;
  reject(reason: unknown): void;
}

/** What ends a check that is under way. */
interface Running {
  stop(): void;
}

/** Starts checks in the order in which they come, a limited number at a time. An aborted check is rejected at once. */
export class Turns {
  readonly #concurrency: number;
  readonly #start: (check: Check) => Running;
  #waiting: Check[] = [];
  /** The index of the first of `#waiting` that has not had its turn. */
  #next = 0;
  readonly #running = new Map<Check, Running>();
  readonly #signals = new WeakSet<AbortSignal>();

  /** `start` begins a check, which calls `end` later. */
  constructor(concurrency: number, start: (check: Check) => Running) {
    this.#concurrency = concurrency;
    this.#start = start;
  }

  /** Takes a check whose signal is not aborted. */
  take(check: Check): void {
    if (!this.#signals.has(check.signal)) {
      this.#signals.add(check.signal);
      onAbort(check.signal, () => this.#abort(check.signal));
    }
    this.#waiting.push(check);
    this.#startNext();
  }

  /** A check is over: the next one has its turn. */
  end(check: Check): void {
    this.#running.delete(check);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running.size < this.#concurrency) {
      const check = this.#waiting[this.#next];
      if (check === undefined) {
        this.#waiting = [];
        this.#next = 0;
        return;
      }
      this.#next += 1;
      try {
        this.#running.set(check, this.#start(check));
      } catch (error) {
        check.reject(error);
      }
    }
  }

  #abort(signal: AbortSignal): void {
    const isAborted = (check: Check) => check.signal === signal;
    const waiting = this.#waiting.slice(this.#next);
    const running = [...this.#running].filter(([check]) => isAborted(check));
    this.#waiting = waiting.filter((check) => !isAborted(check));
    this.#next = 0;
    for (const [check, each] of running) {
      each.stop();
      this.#running.delete(check);
      check.reject(signal.reason);
    }
    for (const check of waiting) if (isAborted(check)) check.reject(signal.reason);
    this.#startNext();
  }
}
