/** The verdict of every node that bears our mark: kept, watched, or deregistered (DESIGN 4). The rules an operator trusts. */
import { formatDuration } from '../../time/duration.ts';
import { describe, type Evidence, type Observation } from '../evidence/liveness.ts';
import { isKept, type Mark } from '../evidence/marks.ts';
import { isReporting, type Node } from '../evidence/node.ts';
import { type Deregister, fingerprint } from './action.ts';
import { guard, type Hold } from './guard.ts';
import type { PlanInput } from './input.ts';
import {
  type Deregistered,
  DOUBT_MS,
  type Doubt,
  type Grace,
  isFutile,
  type Memory,
  PASSES_TO_BELIEVE,
  sharesGrace,
  watch,
  watchDoubt,
  watchedSince,
  watchReturns,
} from './memory.ts';
import type { Note } from './note.ts';
import type { Now, Policy } from './policy.ts';
import { describeFinalizers } from './registration.ts';
import type { NodeVerdict, Reason } from './verdict.ts';

export interface Deregistration {
  readonly actions: readonly Deregister[];
  /** By node name, for every node with our mark, and for unmarked ones that have been half alive for ten minutes. */
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  readonly notes: readonly Note[];
  readonly hold: Hold | undefined;
  /** Nodes with our mark. */
  readonly managed: number;
  /** What the next pass has to know. */
  readonly memory: Pick<Memory, 'graces' | 'doubts' | 'answered' | 'deregistered'>;
}

type MarkedNode = Node & { readonly mark: Mark };

/** A marked node that is not alive in this pass. */
interface Gone {
  readonly node: MarkedNode;
  readonly evidence: Evidence;
  readonly reason: Reason;
  readonly grace: Grace;
  readonly graceMs: number;
}

/**
 *     alive: never deregistered           not alive, and marked                              deregistered after
 *       answers and reports   keep          another node of its machine   left-over          MISSING_GRACE
 *                                           is reporting
 *       reports only          probe-suspect not listed by fleet           machine-gone       MISSING_GRACE
 *       answers only          not-posting   its machine does not match    metadata-changed   MISSING_GRACE *
 *       no longer matches     unmatched     its machine matches           unhealthy          UNHEALTHY_GRACE *
 *       not listed            orphan
 *
 *     * only if its kubelet has answered this process at an address that is asked now; else `unheard`: kept
 *
 * Then, in this order: veto, settings, deletion guard, grace period, pacing.
 */
export function planDeregistrations(input: PlanInput): Deregistration {
  const { observation, evidence, steadiness, memory, policy, now } = input;
  const elapsedMs = watchedSince(memory, now.monotonicMs, policy.intervalMs);
  const verdicts = new Map<string, NodeVerdict>();
  const notes: Note[] = [];
  const doubts = new Map<string, Doubt>();
  const answered = new Map<string, readonly string[]>();
  const due: Gone[] = [];
  const looksGone: string[] = [];
  let managed = 0;
  let counted = 0;

  for (const node of observation.nodes) {
    const known = evidence.get(node.name);
    if (known === undefined) continue;
    const doubt = watchHalfLife(known, memory.doubts.get(node.uid), observation, elapsedMs);
    if (doubt !== undefined) doubts.set(node.uid, doubt);
    const heard = heardOf(node, known, doubt, memory);
    if (heard.length > 0) answered.set(node.uid, heard);
    if (!isMarked(node)) {
      const halfAlive = halfAliveVerdict({ node, known, doubt }, input);
      if (halfAlive !== undefined && known.fleet === 'matches') verdicts.set(node.name, halfAlive);
      continue;
    }
    managed += 1;
    if (node.leaving !== undefined) {
      verdicts.set(node.name, leavingVerdict(node));
      continue;
    }
    const veto = vetoOf(node);
    const reason = reasonFor(known);
    const isLeftOver = !known.alive && reason === 'left-over';
    if (veto === undefined && !isLeftOver) {
      counted += 1;
      if (!known.alive) looksGone.push(node.name);
    }
    const row = { node, known, reason, veto, doubt, heard };
    const unsteady = steadiness.nodes.get(node.name);
    const kept =
      unsteady !== undefined ? inTurns(unsteady) : known.alive ? aliveVerdict(row, input) : keptVerdict(row, input);
    if (kept !== undefined) {
      verdicts.set(node.name, kept);
      continue;
    }
    const before = memory.graces.get(node.uid);
    const grace = watch(before, { reason, mark: node.mark.machineId }, elapsedMs);
    const graceMs = reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs;
    const gone: Gone = { node, evidence: known, reason, grace, graceMs };
    due.push(gone);
    if (before !== undefined && !sharesGrace(before.reason, reason)) notes.push(takeover(gone, before, now));
  }

  const deregistered = watchReturns(memory, (id, gone) => isBack(id, gone, observation), now.monotonicMs);
  const hold = guard({ gone: looksGone, counted, managed }, deregistered, policy);
  const chosen = hold === undefined ? choose(due, managed, input) : new Set<Gone>();
  for (const gone of due) verdicts.set(gone.node.name, goneVerdict(gone, { hold, chosen, policy }));
  return {
    actions: [...chosen].map((gone) => deregister(gone, observation)),
    verdicts,
    notes,
    hold,
    managed,
    memory: {
      // A hold ends every grace period, so that the nodes that recover last are not the first to go.
      graces: new Map(hold === undefined ? due.map(({ node, grace }) => [node.uid, grace]) : []),
      doubts,
      answered,
      deregistered,
    },
  };
}

function isMarked(node: Node): node is MarkedNode {
  return node.mark !== undefined;
}

/** Reports only, or answers only. A pass that could not tell changes nothing. */
function watchHalfLife(
  known: Evidence,
  before: Doubt | undefined,
  { era }: Observation,
  elapsedMs: number,
): Doubt | undefined {
  const hasAnswer = known.answeredAt.length > 0;
  if (known.isReporting) {
    return hasAnswer || known.kubelet === 'unasked' ? undefined : watchDoubt(before, 'probe-suspect', elapsedMs);
  }
  const isAnswered = known.kubelet === 'healthy' || known.kubelet === 'answers';
  if (!isAnswered || !era.keepsConditions) return undefined;
  return known.ready === 'unread' ? before : watchDoubt(before, 'not-posting', elapsedMs);
}

/** Where its kubelet has answered: forgotten once the health check has proved to tell nothing. */
function heardOf(
  { uid }: Node,
  { answeredAt }: Evidence,
  doubt: Doubt | undefined,
  { answered }: Memory,
): readonly string[] {
  if (doubt?.kind === 'probe-suspect' && doubt.watchedMs >= DOUBT_MS) return [];
  const before = answered.get(uid) ?? [];
  const isKnown = answeredAt.every((address) => before.includes(address));
  return isKnown ? before : [...new Set([...before, ...answeredAt])];
}

interface MarkedRow {
  readonly node: MarkedNode;
  readonly known: Evidence;
  readonly reason: Reason;
  readonly veto: string | undefined;
  readonly doubt: Doubt | undefined;
  readonly heard: readonly string[];
}

/** The verdict of a node that was deleted and is still there. */
export function leavingVerdict(node: Node): NodeVerdict {
  return {
    name: 'leaving',
    reason: `it was deleted at ${node.leaving?.since ?? ''} and waits for ${describeFinalizers(node)}`,
    next: `gone once they are removed; if their controller no longer runs: kubectl patch node ${node.name} --type=merge -p '{"metadata":{"finalizers":null}}'`,
    isWarning: true,
  };
}

/** A node of something that goes back and forth is in no row of the table meanwhile. */
function inTurns(reason: string): NodeVerdict {
  return { name: 'conflict', reason, next: 'kept', isWarning: true };
}

function aliveVerdict(row: MarkedRow, input: PlanInput): NodeVerdict {
  const { known } = row;
  const said = describe(known);
  switch (known.fleet) {
    case 'no-match':
      return {
        name: 'unmatched',
        reason: `machine ${known.machineId} no longer matches the selector, but the node is alive: ${said}`,
        next: 'kept: stop the kubelet on that machine, or give it its metadata back',
        isWarning: true,
      };
    case 'not-listed':
      return {
        name: 'orphan',
        reason: `machine ${known.machineId} is missing from fleet, but the node is alive: ${said} (${known.kubeletDetail})`,
        next: "kept: fleet's agent is down on that machine, or something else has its address",
        isWarning: true,
      };
    case 'matches':
      return halfAliveVerdict(row, input) ?? secondNode(row, input) ?? untold(row) ?? { name: 'keep', reason: said };
  }
}

/** A status of an unknown shape and a silent kubelet tell nothing. */
function untold({ node, known }: MarkedRow): NodeVerdict | undefined {
  if (known.ready !== 'unreadable' || known.answeredAt.length > 0) return undefined;
  return {
    name: 'unheard',
    reason: `${describe(known)}: nothing tells whether it is alive`,
    next: `kept while its status cannot be read: kubectl get node ${node.name} -o yaml`,
    isWarning: true,
  };
}

/** Where nobody writes conditions, nothing tells which of two nodes of a machine its kubelet uses. */
function secondNode({ node, known }: MarkedRow, { observation: { era, pairing } }: PlanInput): NodeVerdict | undefined {
  const paired = pairing.byMachine.get(known.machineId ?? '')?.node;
  if (era.keepsConditions || paired === undefined || paired === node) return undefined;
  return {
    name: 'conflict',
    reason: `machine ${known.machineId} has node ${paired.name} too, and this API server does not tell which of them its kubelet uses`,
    next: `kept; if its kubelet does not use this name: kubectl delete node ${node.name}`,
    isWarning: true,
  };
}

/** Undefined before ten minutes: a death and a birth both pass through it. */
function halfAliveVerdict(
  { node, known, doubt }: Pick<MarkedRow, 'known' | 'doubt'> & { readonly node: Node },
  { observation }: PlanInput,
): NodeVerdict | undefined {
  if (doubt === undefined || doubt.watchedMs < DOUBT_MS) return undefined;
  return doubt.kind === 'probe-suspect'
    ? probeSuspect(known, doubt)
    : notPosting(node, known, doubt, observation.givenNames);
}

function probeSuspect(known: Evidence, doubt: Doubt): NodeVerdict {
  return {
    name: 'probe-suspect',
    reason: `node Ready, but its kubelet has been unreachable for ${formatDuration(wholeSeconds(doubt.watchedMs))} (${known.kubeletDetail})`,
    next: 'kept: either the health check cannot reach it (KUBE_REGISTER_HEALTHZ_URL, a firewall), or the controller manager does not mark dead nodes',
    isWarning: true,
  };
}

function notPosting(node: Node, known: Evidence, doubt: Doubt, givenNames: ReadonlySet<string>): NodeVerdict {
  const isGiven = givenNames.has(node.name);
  const way = isGiven
    ? 'set --hostname-override of that kubelet to this name, or KUBE_REGISTER_NODE_NAME to what it calls itself'
    : `if it uses another name now: kubectl delete node ${node.name}`;
  return {
    name: 'not-posting',
    reason: `its kubelet answers, but the node has not been Ready for ${formatDuration(wholeSeconds(doubt.watchedMs))} (${describe(known)})`,
    next: `kept: that kubelet posts under another name or cannot reach the API server; ${way}`,
    isWarning: true,
  };
}

/** The verdict of a node that is not alive and is kept all the same, whatever its grace period; undefined when there is none. */
function keptVerdict(row: MarkedRow, { observation, policy }: PlanInput): NodeVerdict | undefined {
  const { node, known, reason, veto, heard } = row;
  const said = `${REASON_WORDS[reason]}; ${describe(known)}`;
  if (observation.pairing.contested.has(node.name)) {
    return {
      name: 'conflict',
      reason: `several nodes match machine ${known.machineId}; ${describe(known)}`,
      next: `kept; if it is not in use: kubectl delete node ${node.name}`,
      isWarning: true,
    };
  }
  if (veto !== undefined) return vetoed(node, said, veto, known);
  if (policy.neverDeregister !== undefined) {
    return { name: 'spared', reason: said, next: `kept: ${policy.neverDeregister}` };
  }
  if ((reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs) === Number.POSITIVE_INFINITY) {
    const setting = reason === 'unhealthy' ? 'KUBE_REGISTER_UNHEALTHY_GRACE' : 'KUBE_REGISTER_MISSING_GRACE';
    return { name: 'spared', reason: said, next: `kept: ${setting}=never` };
  }
  if (observation.era.hidesMinions) {
    return { name: 'spared', reason: said, next: `kept: ${observation.era.server} deletes no dead minion` };
  }
  const needsAnswer = reason === 'unhealthy' || reason === 'metadata-changed';
  if (needsAnswer && !known.places.some(({ address }) => heard.includes(address))) {
    return {
      name: 'unheard',
      reason: `${said}, and it never answered this process: silence proves nothing`,
      next: `kept; if it is dead: kubectl delete node ${node.name}`,
      isWarning: true,
    };
  }
  return undefined;
}

function vetoed(node: Node, reason: string, veto: string, known: Evidence): NodeVerdict {
  const isRetired = known.fleet === 'not-listed' && !isKept(node);
  return isRetired
    ? {
        name: 'vetoed',
        reason,
        next: `kept: ${veto}; if the machine is retired: kubectl delete node ${node.name}`,
        isWarning: true,
      }
    : { name: 'vetoed', reason, next: `kept: ${veto}` };
}

/** `cannot tell` vetoes too: what cannot be read is not deleted. */
function vetoOf(node: Node): string | undefined {
  if (isKept(node)) return 'kube-register.io/keep is set on it';
  if (node.facts === undefined) return undefined;
  if (node.facts.unschedulable === true) return 'it is cordoned';
  return node.facts.unschedulable === undefined ? 'its spec.unschedulable cannot be read' : undefined;
}

function reasonFor({ fleet, successor }: Evidence): Reason {
  if (successor !== undefined) return 'left-over';
  if (fleet === 'not-listed') return 'machine-gone';
  return fleet === 'no-match' ? 'metadata-changed' : 'unhealthy';
}

const REASON_WORDS: Readonly<Record<Reason, string>> = {
  unhealthy: 'not alive',
  'metadata-changed': 'its machine no longer matches',
  'machine-gone': 'missing from fleet',
  'left-over': 'another node of its machine is reporting',
};

/** Whether the machine of a deregistered node has come back with a kubelet that answers, or as a node of the same name. */
function isBack(id: string, { name, uid }: Deregistered, { machines, kubelets, nodes, era }: Observation): boolean {
  const address = machines.get(id)?.address ?? '';
  const answer = kubelets.get(address);
  if (answer !== undefined && answer.state !== 'silent') return true;
  return nodes.some((node) => node.name === name && node.uid !== uid && isReporting(node, era));
}

/** At most 1 % of the managed nodes, and at least one: the longest gone first, behind them those that failed before. */
function choose(
  due: readonly Gone[],
  managed: number,
  { observation, policy, memory, now }: PlanInput,
): ReadonlySet<Gone> {
  const ready = due.filter(
    (gone) =>
      remainingMs(gone, policy.intervalMs) === 0 &&
      !isFutile(memory, fingerprint(deregister(gone, observation)), now.monotonicMs),
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

/** Zero once the grace period has been watched to its end and enough passes saw it. */
function remainingMs({ grace, graceMs }: Gone, intervalMs: number): number {
  return Math.max(graceMs - grace.watchedMs, (PASSES_TO_BELIEVE - grace.passes) * intervalMs, 0);
}

function takeover(gone: Gone, before: Grace, { monotonicMs }: Now): Note {
  const { node, reason, grace, graceMs } = gone;
  const left = formatDuration(wholeSeconds(Math.max(graceMs - grace.watchedMs, 0)));
  return {
    kind: 'takeover',
    key: `${node.uid} ${monotonicMs}`,
    text: `node ${node.name}: ${REASON_WORDS[reason]} now, instead of: ${REASON_WORDS[before.reason]}; a new grace period begins: deregistered in ${left}`,
  };
}

function goneVerdict(
  gone: Gone,
  { hold, chosen, policy }: { hold: Hold | undefined; chosen: ReadonlySet<Gone>; policy: Policy },
): NodeVerdict {
  const reason = explain(gone);
  if (hold !== undefined) {
    return {
      name: 'held',
      reason,
      next: 'kept: its grace period starts anew when the deletion guard is inactive again',
      isWarning: true,
    };
  }
  if (chosen.has(gone)) return { name: 'deregister', reason, next: 'deregistered in this pass' };
  const dueInMs = remainingMs(gone, policy.intervalMs);
  if (dueInMs > 0) {
    return { name: 'in-grace', reason, next: `deregistered in ${formatDuration(wholeSeconds(dueInMs))}`, dueInMs };
  }
  return { name: 'queued', reason, next: 'deregistered when its turn comes' };
}

/** `missing from fleet for 3m10s of 15m, seen in 7 passes; kubelet unreachable; node Unknown` */
function explain({ evidence, reason, grace, graceMs }: Gone): string {
  const passes = grace.passes === 1 ? '1 pass' : `${grace.passes} passes`;
  const watched = `${formatDuration(wholeSeconds(grace.watchedMs))} of ${formatDuration(graceMs)}`;
  return `${REASON_WORDS[reason]} for ${watched}, seen in ${passes}; ${describe(evidence)}`;
}

function deregister(gone: Gone, { era }: Observation): Deregister {
  const { node, reason, evidence } = gone;
  const { places } = evidence;
  const machineId = node.mark.machineId;
  return { kind: 'deregister', node, reason, machineId, places, era, why: explain(gone) };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
