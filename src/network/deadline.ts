/** A time limit that ends early with a signal, and leaves nothing behind. */
import { onAbort } from './on-abort.ts';

/**
 * Its signal is aborted once the time is over, or with another signal. AbortSignal.timeout would keep its timer until then, and AbortSignal.any
 * would leave something at a signal that lives as long as the daemon. To be forgotten once what it bounds is over.
 */
export class Deadline {
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #forgetSource: () => void;
  /** Whether the time was over before the other signal was aborted. */
  hasPassed = false;

  /** In ms. `reason` is what the signal is aborted with once the time is over. */
  constructor(source: AbortSignal, ms: number, reason?: Error) {
    this.#timer = setTimeout(() => {
      this.hasPassed = !this.#end.signal.aborted;
      this.#end.abort(reason);
    }, ms);
    const stop = () => this.#end.abort(source.reason);
    this.#forgetSource = source.aborted ? () => {} : onAbort(source, stop);
    if (source.aborted) stop();
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#forgetSource();
  }
}
