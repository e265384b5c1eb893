/** How soon a pass that could not see fleet or the API server is tried again: after 1, 2, 4 ... s, where the schedule is slower. */
import { TARGETS } from '../http/request-error.ts';
import type { PassReport } from '../reconcile/reconciler.ts';

const SECOND = 1_000;
/** Far above every interval between passes. */
const MOST_DOUBLINGS = 20;

/** Counts the passes in a row that could not see fleet or the API server. */
export class Backoff {
  #failed = 0;

  /**
   * The ms until the next attempt after this pass; undefined when it saw both servers, or when the schedule is sooner. A pass that exceeded its
   * deadline is left to the schedule: it has tried for long enough. `scheduledMs` is undefined while the schedule is not running.
   */
  after({ failures }: Pick<PassReport, 'failures'>, scheduledMs: number | undefined): number | undefined {
    if (!TARGETS.some((target) => failures.has(target))) {
      this.#failed = 0;
      return undefined;
    }
    const delayMs = SECOND * 2 ** Math.min(this.#failed, MOST_DOUBLINGS);
    this.#failed += 1;
    return scheduledMs === undefined || delayMs >= scheduledMs ? undefined : delayMs;
  }
}
