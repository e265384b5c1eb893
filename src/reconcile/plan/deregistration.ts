/** The verdict of every node with our annotations, and which of them are deregistered (DESIGN 4). */
import { formatDuration } from '../../time/duration.ts';
import { describe, type Evidence, type Observation } from '../evidence/liveness.ts';
import { isReporting, type Node } from '../evidence/node.ts';
import { type Deregister, fingerprint } from './action.ts';
import { guard, type Hold } from './guard.ts';
import type { PlanInput } from './input.ts';
import {
  aliveVerdict,
  keptVerdict,
  leavingVerdict,
  type MarkedNode,
  type MarkedRow,
  mismatchVerdict,
  REASON_TEXTS,
  vetoOf,
  wholeSeconds,
} from './kept.ts';
import {
  elapsedSince,
  extendGrace,
  extendMismatch,
  type Grace,
  MISMATCH_MS,
  type Mismatch,
  PASSES_TO_BELIEVE,
  sharesGrace,
} from './memory/graces.ts';
import { type Deregistered, isRefused, type Memory, trackReturns } from './memory/memory.ts';
import type { Note } from './note.ts';
import type { Now, Policy } from './policy.ts';
import type { NodeVerdict, Reason } from './verdict.ts';

export interface Deregistration {
  readonly actions: readonly Deregister[];
  /** By node name: every managed node, and the unmanaged ones with a mismatch of more than ten minutes. */
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  readonly notes: readonly Note[];
  readonly hold: Hold | undefined;
  /** The number of managed nodes. */
  readonly managed: number;
  /** This planner's part of the memory for the next pass. */
  readonly memory: Pick<Memory, 'graces' | 'mismatches' | 'answered' | 'besideOthers' | 'deregistered'>;
}

/** A managed node that is not alive in this pass, and nothing but its grace period keeps it. */
interface DeadNode {
  readonly node: MarkedNode;
  readonly evidence: Evidence;
  readonly reason: Reason;
  readonly grace: Grace;
  readonly graceMs: number;
}

/**
 *     alive: never deregistered           not alive, and marked                              deregistered after
 *       reachable, reporting  keep          another node of its machine   left-over          MISSING_GRACE
 *                                           is reporting
 *       reporting only        probe-suspect not listed by fleet           machine-gone       MISSING_GRACE
 *       reachable only        not-posting   its machine does not match    metadata-changed   MISSING_GRACE *
 *       no longer matches     unmatched     its machine matches           unhealthy          UNHEALTHY_GRACE *
 *       not listed            orphan
 *
 *     * only if this process has reached its kubelet at an address that is checked now; else `unheard`: kept
 *
 * Then, in this order: veto, settings, deletion guard, grace period, pacing.
 */
export function planDeregistrations(input: PlanInput): Deregistration {
  const { observation, evidence, memory, policy, now } = input;
  const elapsedMs = elapsedSince(memory.lastGoodMs, now.monotonicMs, policy.intervalMs);
  const verdicts = new Map<string, NodeVerdict>();
  const notes: Note[] = [];
  const mismatches = new Map<string, Mismatch>();
  const answered = new Map<string, readonly string[]>();
  const besideOthers = new Map<string, number>();
  const dead: DeadNode[] = [];
  const notAlive: string[] = [];
  let managed = 0;
  let counted = 0;

  for (const node of observation.nodes) {
    const known = evidence.get(node.name);
    if (known === undefined) continue;
    const mismatch = mismatchOf(known, memory.mismatches.get(node.uid), observation, elapsedMs);
    if (mismatch !== undefined) mismatches.set(node.uid, mismatch);
    const answeredAt = answeredAddresses(node, known, mismatch, memory);
    if (answeredAt.length > 0) answered.set(node.uid, answeredAt);
    const besideMs = timeBesideOthers(node, known, memory, elapsedMs);
    if (besideMs !== undefined) besideOthers.set(node.uid, besideMs);
    if (!isMarked(node)) {
      const verdict = mismatchVerdict({ node, known, mismatch }, input);
      if (verdict !== undefined && known.fleet === 'matches') verdicts.set(node.name, verdict);
      continue;
    }
    managed += 1;
    if (node.leaving !== undefined) {
      verdicts.set(node.name, leavingVerdict(node));
      continue;
    }
    const row = { node, known, reason: reasonFor(known), veto: vetoOf(node), mismatch, answered: answeredAt };
    if (countsForGuard(row)) {
      counted += 1;
      if (!known.alive) notAlive.push(node.name);
    }
    const kept = keepVerdict(row, input);
    if (kept !== undefined) {
      verdicts.set(node.name, kept);
      continue;
    }
    const before = memory.graces.get(node.uid);
    const found = deadNode(row, before, elapsedMs, policy);
    dead.push(found);
    if (before !== undefined && !sharesGrace(before.reason, found.reason)) notes.push(newGrace(found, before, now));
  }

  const deregistered = trackReturns(memory, (id, gone) => hasReturned(id, gone, observation), now.monotonicMs);
  const hold = guard({ notAlive, counted, managed }, deregistered, policy);
  const chosen = hold === undefined ? choose(dead, managed, input) : new Set<DeadNode>();
  for (const each of dead) verdicts.set(each.node.name, deadVerdict(each, { hold, chosen, policy }));
  return {
    actions: [...chosen].map((each) => deregister(each, observation)),
    verdicts,
    notes,
    hold,
    managed,
    memory: {
      // A hold ends every grace period, so that the nodes that recover last are not the first to be deregistered.
      graces: new Map(hold === undefined ? dead.map(({ node, grace }) => [node.uid, grace]) : []),
      mismatches,
      answered,
      besideOthers,
      deregistered,
    },
  };
}

function isMarked(node: Node): node is MarkedNode {
  return node.mark !== undefined;
}

/** The node's mismatch after this pass, or undefined. Where the pass could not read both sides, it stays as it was. */
function mismatchOf(
  known: Evidence,
  before: Mismatch | undefined,
  { era }: Observation,
  elapsedMs: number,
): Mismatch | undefined {
  const hasAnswer = known.answeredAt.length > 0;
  if (known.isReporting) {
    return hasAnswer || known.kubelet === 'unasked' ? undefined : extendMismatch(before, 'probe-suspect', elapsedMs);
  }
  const isReachable = known.kubelet === 'healthy' || known.kubelet === 'answers';
  if (!isReachable || !era.keepsConditions) return undefined;
  return known.ready === 'unread' ? before : extendMismatch(before, 'not-posting', elapsedMs);
}

/** For how long it and another node at its address, or of its machine, were both reporting; undefined when they never were. */
function timeBesideOthers(
  { uid }: Node,
  { isReporting, successor, endpoints }: Evidence,
  { besideOthers }: Memory,
  elapsedMs: number,
): number | undefined {
  const before = besideOthers.get(uid);
  const isBeside =
    isReporting && (successor !== undefined || endpoints.some(({ otherNode }) => otherNode !== undefined));
  if (!isBeside) return before;
  return before === undefined ? 0 : before + elapsedMs;
}

/** Where its kubelet was reachable. Empty after `probe-suspect`: then an unreachable kubelet does not mean a dead one. */
function answeredAddresses(
  { uid }: Node,
  { answeredAt }: Evidence,
  mismatch: Mismatch | undefined,
  { answered }: Memory,
): readonly string[] {
  if (mismatch?.kind === 'probe-suspect' && mismatch.watchedMs >= MISMATCH_MS) return [];
  const before = answered.get(uid) ?? [];
  const isKnown = answeredAt.every((address) => before.includes(address));
  return isKnown ? before : [...new Set([...before, ...answeredAt])];
}

/** Nodes that an operator keeps, and left-over ones, count in neither number of the deletion guard. */
function countsForGuard({ known, reason, veto }: MarkedRow): boolean {
  const isLeftOver = !known.alive && reason === 'left-over';
  return veto === undefined && !isLeftOver;
}

/** The verdict of a node that is kept whatever its grace period; undefined for a dead one. */
function keepVerdict(row: MarkedRow, input: PlanInput): NodeVerdict | undefined {
  const alternation = input.alternations.nodes.get(row.node.name);
  // It is in no row of the table: it is unknown which of two hosts was observed.
  if (alternation !== undefined) {
    return { name: 'conflict', reason: alternation.reason, next: `kept; ${alternation.remedy}`, isWarning: true };
  }
  return row.known.alive ? aliveVerdict(row, input) : keptVerdict(row, input);
}

function deadNode(
  { node, known, reason }: MarkedRow,
  before: Grace | undefined,
  elapsedMs: number,
  policy: Policy,
): DeadNode {
  const grace = extendGrace(before, { reason, mark: node.mark.machineId }, elapsedMs);
  const graceMs = reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs;
  return { node, evidence: known, reason, grace, graceMs };
}

function reasonFor({ fleet, successor }: Evidence): Reason {
  if (successor !== undefined) return 'left-over';
  if (fleet === 'not-listed') return 'machine-gone';
  return fleet === 'no-match' ? 'metadata-changed' : 'unhealthy';
}

/** Whether the machine of a deregistered node has a reachable kubelet again, or another node of that name is reporting. */
function hasReturned(id: string, { name, uid }: Deregistered, observation: Observation): boolean {
  const { machines, kubelets, nodes, era } = observation;
  const answer = kubelets.get(machines.get(id)?.address ?? '');
  if (answer !== undefined && answer.state !== 'silent') return true;
  return nodes.some((node) => node.name === name && node.uid !== uid && isReporting(node, era));
}

/** The nodes to deregister in this pass: at most 1% of the managed nodes, and at least one; the longest dead first, failed ones last. */
function choose(
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
function newGrace({ node, reason, grace, graceMs }: DeadNode, before: Grace, { monotonicMs }: Now): Note {
  const left = formatDuration(wholeSeconds(Math.max(graceMs - grace.watchedMs, 0)));
  return {
    kind: 'takeover',
    key: `${node.uid} ${monotonicMs}`,
    text: `node ${node.name}: ${REASON_TEXTS[reason]} (before: ${REASON_TEXTS[before.reason]}); a new grace period begins: deregistered in ${left}`,
  };
}

function deadVerdict(
  dead: DeadNode,
  { hold, chosen, policy }: { hold: Hold | undefined; chosen: ReadonlySet<DeadNode>; policy: Policy },
): NodeVerdict {
  const reason = explain(dead);
  if (hold !== undefined) {
    return {
      name: 'held',
      reason,
      next: 'kept: the deletion guard is active, and its message says why; once it is inactive, a new grace period begins',
      isWarning: true,
    };
  }
  if (chosen.has(dead)) return { name: 'deregister', reason, next: 'deregistered in this pass' };
  const dueInMs = remainingMs(dead, policy.intervalMs);
  if (dueInMs > 0) {
    return { name: 'in-grace', reason, next: `deregistered in ${formatDuration(wholeSeconds(dueInMs))}`, dueInMs };
  }
  return {
    name: 'queued',
    reason,
    next: 'deregistered in one of the next passes (at most 1% of the managed nodes a pass)',
  };
}

/** `missing from fleet for 3m10s of 15m, seen in 7 passes; kubelet unreachable; node Unknown` */
function explain({ evidence, reason, grace, graceMs }: DeadNode): string {
  const passes = grace.passes === 1 ? '1 pass' : `${grace.passes} passes`;
  const watched = `${formatDuration(wholeSeconds(grace.watchedMs))} of ${formatDuration(graceMs)}`;
  return `${REASON_TEXTS[reason]} for ${watched}, seen in ${passes}; ${describe(evidence)}`;
}

function deregister(dead: DeadNode, { era }: Observation): Deregister {
  const { node, reason, evidence } = dead;
  const { endpoints } = evidence;
  const machineId = node.mark.machineId;
  return { kind: 'deregister', node, reason, machineId, endpoints, era, why: explain(dead) };
}
