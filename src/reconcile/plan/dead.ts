/** Dead nodes: their grace periods and verdicts, and which of them are deregistered in this pass. */
import { formatDuration } from '../../time/duration.ts';
import { describe, type Evidence, type Observation } from '../evidence/liveness.ts';
import { type Deregister, fingerprint } from './action.ts';
import type { Hold } from './guard.ts';
import type { PlanInput } from './input.ts';
import { type MarkedNode, type MarkedRow, REASON_TEXTS, wholeSeconds } from './kept.ts';
import { extendGrace, type Grace, PASSES_TO_BELIEVE } from './memory/graces.ts';
import { isRefused } from './memory/memory.ts';
import type { Note } from './note.ts';
import type { Now, Policy } from './policy.ts';
import type { NodeVerdict, Reason } from './verdict.ts';

/** A managed node that is not alive in this pass, and nothing but its grace period keeps it. */
export interface DeadNode {
  readonly node: MarkedNode;
  readonly evidence: Evidence;
  readonly reason: Reason;
  readonly grace: Grace;
  readonly graceMs: number;
}

/** The dead node of a row, with its grace period after this pass. */
export function deadNode(
  { node, known, reason }: MarkedRow,
  before: Grace | undefined,
  elapsedMs: number,
  policy: Policy,
): DeadNode {
  const grace = extendGrace(before, { reason, mark: node.mark.machineId }, elapsedMs);
  const graceMs = reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs;
  return { node, evidence: known, reason, grace, graceMs };
}

/** The nodes to deregister in this pass: at most 1% of the managed nodes, and at least one; the longest dead first, failed ones last. */
export function choose(
  dead: readonly DeadNode[],
  managed: number,
  { observation, policy, memory, now }: PlanInput,
): ReadonlySet<DeadNode> {
  const ready = dead.filter(
    (each) =>
      remainingMs(each, policy.intervalMs) === 0 &&
      !isRefused(memory, fingerprint(deregister(each, observation)), now.monotonicMs),
  );
  ready.sort(
    (a, b) =>
      a.grace.failures - b.grace.failures ||
      b.grace.watchedMs - a.grace.watchedMs ||
      b.grace.passes - a.grace.passes ||
      (a.node.name < b.node.name ? -1 : 1),
  );
  return new Set(ready.slice(0, Math.max(1, Math.floor(managed / 100))));
}

/** The ms until the grace period is over and enough passes saw the node; 0 then. */
function remainingMs({ grace, graceMs }: DeadNode, intervalMs: number): number {
  return Math.max(graceMs - grace.watchedMs, (PASSES_TO_BELIEVE - grace.passes) * intervalMs, 0);
}

/** The note that one grace period replaces another. */
export function newGrace({ node, reason, graceMs }: DeadNode, before: Grace, { monotonicMs }: Now): Note {
  return {
    kind: 'takeover',
    key: `${node.uid} ${monotonicMs}`,
    text: `node ${node.name}: ${REASON_TEXTS[reason]} (before: ${REASON_TEXTS[before.reason]}); a new grace period begins; it will be deregistered in ${formatDuration(graceMs)}`,
  };
}

/** The verdict of a dead node. */
export function deadVerdict(
  dead: DeadNode,
  { hold, chosen, policy }: { hold: Hold | undefined; chosen: ReadonlySet<DeadNode>; policy: Policy },
): NodeVerdict {
  if (hold !== undefined) {
    return {
      name: 'held',
      reason: `${REASON_TEXTS[dead.reason]}; ${describe(dead.evidence)}`,
      next: `kept while the deletion guard is active; then a new grace period of ${formatDuration(dead.graceMs)} begins`,
      isWarning: true,
    };
  }
  const reason = explain(dead);
  if (chosen.has(dead)) return { name: 'deregister', reason, next: 'will be deregistered in this pass' };
  const dueInMs = remainingMs(dead, policy.intervalMs);
  if (dueInMs > 0) {
    return {
      name: 'in-grace',
      reason,
      next: `will be deregistered in ${formatDuration(wholeSeconds(dueInMs))}`,
      dueInMs,
    };
  }
  return {
    name: 'queued',
    reason,
    next: 'will be deregistered in one of the next passes (at most 1% of the managed nodes a pass)',
  };
}

/** `missing from fleet for 3m10s of 15m, seen in 7 passes; kubelet unreachable; node Unknown` */
function explain({ evidence, reason, grace, graceMs }: DeadNode): string {
  const passes = grace.passes === 1 ? '1 pass' : `${grace.passes} passes`;
  const watched = `${formatDuration(wholeSeconds(grace.watchedMs))} of ${formatDuration(graceMs)}`;
  return `${REASON_TEXTS[reason]} for ${watched}, seen in ${passes}; ${describe(evidence)}`;
}

/** The action that deregisters a dead node. */
export function deregister(dead: DeadNode, { era }: Observation): Deregister {
  const { node, reason, evidence } = dead;
  const { endpoints } = evidence;
  const machineId = node.mark.machineId;
  return { kind: 'deregister', node, reason, machineId, endpoints, era, why: explain(dead) };
}
