/** Watches for answers of fleet and the API server that take so long that they may soon take too long. */
import type { RequestObserver } from '../http/http-client.ts';
import type { Target } from '../http/request-error.ts';
import type { Settings } from '../settings/settings.ts';

/** An answer is slow when it takes this share of the timeout of its request. */
const SLOW_SHARE = 0.5;

/** Passes requests on to another observer, and keeps the longest slow answer of each server. */
export class SlowAnswers implements RequestObserver {
  readonly #next: RequestObserver;
  readonly #limitsMs: Readonly<Record<Target, number>>;
  readonly #longestMs = new Map<Target, number>();

  constructor(next: RequestObserver, { fleet, api }: Pick<Settings, 'fleet' | 'api'>) {
    this.#next = next;
    this.#limitsMs = { fleet: fleet.timeoutMs * SLOW_SHARE, kubernetes: api.timeoutMs * SLOW_SHARE };
  }

  requestDone(target: Target, code: string, seconds: number): void {
    this.#next.requestDone(target, code, seconds);
    const ms = Math.round(seconds * 10) * 100;
    if (code === 'error' || ms < this.#limitsMs[target]) return;
    this.#longestMs.set(target, Math.max(ms, this.#longestMs.get(target) ?? 0));
  }

  requestRetried(target: Target): void {
    this.#next.requestRetried(target);
  }

  /** The longest slow answer of each server since this was last called, in ms, to the tenth of a second. */
  take(): ReadonlyMap<Target, number> {
    const taken = new Map(this.#longestMs);
    this.#longestMs.clear();
    return taken;
  }
}
