/** Grace periods and mismatches: how long consecutive good passes have seen the same of a node. */
import type { Reason } from '../verdict.ts';

/** How long a node has been seen not alive, for reasons that share one grace period. */
export interface Grace {
  readonly reason: Reason;
  /** The machine that the node's annotations named. */
  readonly mark: string;
  /** Watched time: the sum of `elapsedSince` over the passes that saw it. */
  readonly watchedMs: number;
  /** Consecutive good passes that saw it, this one included. */
  readonly passes: number;
  /** Deregistrations that failed. Nodes with fewer of them come first. */
  readonly failures: number;
}

/** A row of the table in deregistration.ts, for one machine. */
type Row = Pick<Grace, 'reason' | 'mark'>;

/** The node's Ready condition and its kubelet disagree: only the node is reporting, or only the kubelet is reachable. */
export interface Mismatch {
  readonly kind: 'probe-suspect' | 'not-posting';
  /** Watched time, as in `Grace`. */
  readonly watchedMs: number;
}

/** A row counts, and annotations of another machine are replaced, only after this many consecutive good passes. */
export const PASSES_TO_BELIEVE = 3;

/** A mismatch becomes a verdict after this much watched time. A node that starts or stops has one for a short time. */
export const MISMATCH_MS = 10 * 60_000;

/**
 * The ms that count between the last good pass and now: at most two intervals, so that failed, late or missed passes, and a suspended
 * machine, add nothing.
 */
export function elapsedSince(lastGoodMs: number | undefined, nowMs: number, intervalMs: number): number {
  if (lastGoodMs === undefined) return 0;
  return Math.min(Math.max(nowMs - lastGoodMs, 0), 2 * intervalMs);
}

/** Whether two reasons share a grace period: `unhealthy` has its own, the others share one. */
export function sharesGrace(a: Reason, b: Reason): boolean {
  return (a === 'unhealthy') === (b === 'unhealthy');
}

/** The node's grace after a good pass that saw it in this row. Another grace period, or another machine, starts at zero. */
export function extendGrace(before: Grace | undefined, row: Row, elapsedMs: number): Grace {
  if (!isInRow(before, row)) return { ...row, watchedMs: 0, passes: 1, failures: 0 };
  return { ...before, ...row, watchedMs: before.watchedMs + elapsedMs, passes: before.passes + 1 };
}

/** Whether the grace is that of the row: the same grace period and the same machine. */
export function isInRow(grace: Grace | undefined, { reason, mark }: Row): grace is Grace {
  return grace !== undefined && sharesGrace(grace.reason, reason) && grace.mark === mark;
}

/** The node's mismatch after a good pass that saw this kind. Another kind starts at zero. */
export function extendMismatch(before: Mismatch | undefined, kind: Mismatch['kind'], elapsedMs: number): Mismatch {
  return { kind, watchedMs: before?.kind === kind ? before.watchedMs + elapsedMs : 0 };
}
