/** The daemon: runs passes by schedule and on demand, one at a time, and reports its health and status. */

import type { EventRecorder } from '../events/recorder.ts';
import type { Target } from '../http/request-error.ts';
import type { PassLog } from '../log/pass-log.ts';
import { type Metrics, reportPass } from '../metrics/metrics.ts';
import { inTurnsIfLarge } from '../reconcile/observe/turns.ts';
import type { Policy } from '../reconcile/plan/policy.ts';
import type { PassReport, Reconciler } from '../reconcile/reconciler.ts';
import { countPass } from '../status/counts.ts';
import type { Status } from '../status/document.ts';
import { History } from '../status/history.ts';
import { type LastPasses, statusSteps } from '../status/status.ts';
import type { Clock } from '../time/clock.ts';
import { formatDuration } from '../time/duration.ts';
import { atOnce, type Steps } from '../time/steps.ts';
import { Backoff } from './backoff.ts';
import type { Schedule } from './schedule.ts';
import type { SlowAnswers } from './slow-answers.ts';

export interface DaemonParts {
  readonly reconciler: Reconciler;
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly passLog: PassLog;
  /** Undefined when no Events are written. */
  readonly events: EventRecorder | undefined;
  readonly metrics: Metrics;
  readonly slowAnswers: Pick<SlowAnswers, 'take'>;
  readonly version: string;
  readonly clusterName: string;
  /** Of fleet and the API server. */
  readonly endpoints: Readonly<Record<Target, string>>;
  /** Shown in the status; the selector as the operator wrote it. */
  readonly policy: Policy;
  readonly selector: string;
  readonly dryRun: boolean;
  readonly passTimeoutMs: number;
}

/** How long a running write may take to finish once the daemon stops. */
const DRAIN_MS = 4_000;
/** A pass that exceeds its deadline, or is overdue, by more than this means that the process is stuck. */
const STUCK_MS = 60_000;

/** What is known of the passes that have ended. The end of a pass replaces it, so that a status shows one moment. */
interface Passes extends LastPasses {
  /** Monotonic ms of the end of the last good one. */
  readonly goodAtMs: number | undefined;
  readonly history: History;
}

export class Daemon {
  readonly #parts: DaemonParts;
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  readonly #startedAt: number;
  #running: { readonly done: Promise<void>; readonly sinceMs: number } | undefined;
  #runAgain = false;
  readonly #backoff = new Backoff();
  /** The pass that is tried again before the schedule's next one; `at` in wall ms. */
  #retry: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined;
  #onChange = () => {};
  #passes: Passes = { last: undefined, good: undefined, goodAtMs: undefined, history: new History() };

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.wall();
  }

  /** Starts the first pass at once and the others by schedule. */
  start(): void {
    this.#parts.schedule.start(() => this.#tick());
    this.requestPass();
  }

  /** Sets the callback for when a pass has begun or ended, which changes the status. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Starts a pass now, or right after the running one. */
  requestPass(): void {
    if (this.#running === undefined) this.#begin();
    else this.#runAgain = true;
  }

  /**
   * Stops the daemon: health checks are aborted, a running write may finish within 4 s, and waiting Events within 2 s. Resolves when
   * everything has ended.
   */
  async stop(): Promise<void> {
    this.#parts.schedule.stop();
    this.#forgetRetry();
    this.#stop.abort(new Error('the daemon stops'));
    const drain = setTimeout(() => this.#abandon.abort(new Error('the daemon stops')), DRAIN_MS);
    await this.#running?.done;
    await this.#parts.events?.finish(this.#abandon.signal);
    clearTimeout(drain);
  }

  /** Runs a single pass and reports it. */
  runOnce(): Promise<PassReport> {
    this.#forgetRetry();
    const pass = this.#pass();
    const done = pass.then(() => {
      this.#running = undefined;
      this.#onChange();
    });
    this.#running = { done, sinceMs: this.#parts.clock.monotonic() };
    this.#onChange();
    return pass;
  }

  async #pass(): Promise<PassReport> {
    const { reconciler, slowAnswers } = this.#parts;
    const pass = await reconciler.runOnce({ stop: this.#stop.signal, abandon: this.#abandon.signal });
    const report = { ...pass, slowMs: slowAnswers.take() };
    const recording = this.#record(report);
    const { seen } = report;
    this.#passes = seen === undefined ? atOnce(recording) : await inTurnsIfLarge(seen.observation, recording);
    return report;
  }

  /** Logs and counts a pass and writes its Events, in steps. Returns what is known of the passes from then on. */
  *#record(report: PassReport): Steps<Passes> {
    const { passLog, events, metrics, clock } = this.#parts;
    const nowMs = clock.monotonic();
    const { history, changes } = yield* this.#passes.history.after(report, clock.wall());
    const counts = report.seen && countPass(report.seen.observation, report.seen.plan);
    yield;
    yield* passLog.write(report, counts, nowMs, this.#retryAfter(report));
    if (events !== undefined) yield* events.record(report, changes);
    yield;
    reportPass(metrics, report, counts, (target) => history.server(target)?.up ?? false);
    const isGood = counts !== undefined && report.failures.size === 0;
    const good = isGood ? { good: { report, counts }, goodAtMs: nowMs } : {};
    return { ...this.#passes, ...good, last: report, history };
  }

  /** Why the process should be restarted, or undefined. An unreachable fleet or API server is no reason: a restart does not help. */
  healthz(): string | undefined {
    const { clock, schedule, passTimeoutMs } = this.#parts;
    if (this.#stop.signal.aborted) return undefined;
    if (this.#running !== undefined) {
      const ms = clock.monotonic() - this.#running.sinceMs;
      const isStuck = ms > passTimeoutMs + STUCK_MS;
      return isStuck ? `a pass has been running for ${formatDuration(ms)}` : undefined;
    }
    const overdueMs = clock.wall() - (schedule.next()?.getTime() ?? Number.POSITIVE_INFINITY);
    return overdueMs > STUCK_MS ? `the next pass is overdue by ${formatDuration(overdueMs)}` : undefined;
  }

  /** Why the daemon is not ready, or undefined. It is ready after a recent good pass, until it stops. */
  readyz(): string | undefined {
    const { clock, schedule, passTimeoutMs } = this.#parts;
    if (this.#stop.signal.aborted) return 'shutting down';
    const { goodAtMs } = this.#passes;
    if (goodAtMs === undefined) return 'no pass has succeeded yet';
    const ageMs = clock.monotonic() - goodAtMs;
    if (ageMs > 3 * schedule.intervalMs + passTimeoutMs) return `the last good pass was ${formatDuration(ageMs)} ago`;
    return undefined;
  }

  /** The time (wall ms) at which it was made. */
  get startedAt(): number {
    return this.#startedAt;
  }

  status(): Status {
    return atOnce(this.statusSteps());
  }

  /** The status at the moment of the first step. */
  *statusSteps(): Steps<Status> {
    const { version, clusterName, endpoints, dryRun, selector, policy, schedule, clock } = this.#parts;
    const frame = {
      version,
      clusterName,
      endpoints,
      dryRun,
      selector,
      policy,
      startedAt: this.#startedAt,
      nextPass: this.#retry === undefined ? schedule.next() : new Date(this.#retry.at),
      passRunning: this.#running !== undefined,
    };
    return yield* statusSteps(frame, this.#passes, this.#passes.history, clock);
  }

  /** Sets the timer for another attempt where one is due before the schedule's next pass; returns the ms until the next pass of either. */
  #retryAfter(report: PassReport): number | undefined {
    const { clock, schedule } = this.#parts;
    const next = schedule.next();
    const scheduledMs = next === undefined ? undefined : next.getTime() - clock.wall();
    const retryMs = this.#backoff.after(report, scheduledMs);
    if (retryMs === undefined) return scheduledMs;
    const timer = setTimeout(() => this.requestPass(), retryMs);
    this.#retry = { timer, at: clock.wall() + retryMs };
    return retryMs;
  }

  #forgetRetry(): void {
    clearTimeout(this.#retry?.timer);
    this.#retry = undefined;
  }

  #tick(): void {
    if (this.#running === undefined) this.#begin();
    else this.#parts.metrics.passSkipped();
  }

  #begin(): void {
    if (this.#stop.signal.aborted) return;
    void this.runOnce().then(() => {
      if (!this.#runAgain) return;
      this.#runAgain = false;
      this.#begin();
    });
  }
}
