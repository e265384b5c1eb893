/** The verdict of every node with our annotations, and which of them are deregistered. */
import { forEach, type Steps } from '../../time/steps.ts';
import type { Evidence, Observation } from '../evidence/liveness.ts';
import { isReporting, type Node } from '../evidence/node.ts';
import type { Deregister } from './action.ts';
import { choose, type DeadNode, deadNode, deadVerdict, deregister, newGrace } from './dead.ts';
import { guard, type Hold, massHold } from './guard.ts';
import type { PlanInput } from './input.ts';
import {
  aliveVerdict,
  keptVerdict,
  leavingVerdict,
  type MarkedNode,
  type MarkedRow,
  mismatchVerdict,
  vetoOf,
} from './kept.ts';
import { elapsedSince, extendMismatch, MISMATCH_MS, type Mismatch, sharesGrace } from './memory/graces.ts';
import { type Deregistered, type Memory, trackReturns } from './memory/memory.ts';
import { NextMap } from './memory/next-map.ts';
import type { Note } from './note.ts';
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
  readonly memory: Pick<
    Memory,
    'graces' | 'mismatches' | 'answered' | 'suspects' | 'besideOthers' | 'deregistered' | 'held'
  >;
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
export function* planDeregistrations(input: PlanInput): Steps<Deregistration> {
  const { observation, evidence, memory, policy, now } = input;
  const elapsedMs = elapsedSince(memory.lastGoodMs, now.monotonicMs, policy.intervalMs);
  const mismatches = new Map<string, Mismatch>();
  const answered = new NextMap(memory.answered);
  const suspects = new Set<string>();
  const besideOthers = new Map<string, number>();
  const found = nothingFound();
  yield* forEach(observation.nodes, (node) => {
    const known = evidence.get(node.name);
    if (known === undefined) return;
    const mismatch = mismatchOf(known, memory.mismatches.get(node.uid), observation, elapsedMs);
    if (mismatch !== undefined) mismatches.set(node.uid, mismatch);
    const answeredAt = answeredAddresses(node, known, memory);
    if (answeredAt.length > 0) answered.set(node.uid, answeredAt);
    const isSuspect = isProbeSuspect(node, known, mismatch, memory);
    if (isSuspect) suspects.add(node.uid);
    const besideMs = timeBesideOthers(node, known, memory, elapsedMs);
    if (besideMs !== undefined) besideOthers.set(node.uid, besideMs);
    if (isMarked(node)) {
      const heardAt = isSuspect ? [] : answeredAt;
      const row = { node, known, reason: reasonFor(known), veto: vetoOf(node), mismatch, answered: heardAt };
      addManaged(row, input, elapsedMs, found);
    } else {
      const verdict = mismatchVerdict({ node, known, mismatch }, input);
      if (verdict !== undefined) found.verdicts.set(node.name, verdict);
    }
  });

  const { verdicts, notes, dead, managed } = found;
  const deregistered = trackReturns(memory, (id, gone) => hasReturned(id, gone, observation), now.monotonicMs);
  const hold = guard(found, { deregistered, held: memory.held }, policy);
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
      answered: answered.map,
      suspects,
      besideOthers,
      deregistered,
      held: heldBy(massHold(found, memory.held, policy), found, observation),
    },
  };
}

/** What is held from now on. While a hold only lasts, nodes that die are no part of it. */
function heldBy(hold: Hold | undefined, { notAlive, stillHeld }: Findings, { nodes }: Observation): Memory['held'] {
  if (hold === undefined) return undefined;
  const names = new Set(stillHeld.map(({ name }) => name));
  if (hold.isLasting !== true) for (const name of notAlive) names.add(name);
  return { uids: new Set(nodes.filter(({ name }) => names.has(name)).map(({ uid }) => uid)), counted: hold.managed };
}

/** What the nodes of a pass come to. */
interface Findings {
  readonly verdicts: Map<string, NodeVerdict>;
  readonly notes: Note[];
  readonly dead: DeadNode[];
  /** Names of the nodes that are not alive, of those that count for the deletion guard. */
  readonly notAlive: string[];
  /** The nodes that the guard held in the last pass and that are not alive still. */
  readonly stillHeld: { readonly name: string; readonly isVetoed: boolean }[];
  /** How many of these have a machine that fleet lists. */
  listed: number;
  managed: number;
  /** The number of nodes that count for the deletion guard. */
  counted: number;
}

function nothingFound(): Findings {
  return { verdicts: new Map(), notes: [], dead: [], notAlive: [], stillHeld: [], listed: 0, managed: 0, counted: 0 };
}

/** Adds the verdict of a managed node, or adds it to the dead ones. */
function addManaged(row: MarkedRow, input: PlanInput, elapsedMs: number, found: Findings): void {
  const { node, known } = row;
  found.managed += 1;
  if (node.leaving !== undefined) {
    found.verdicts.set(node.name, leavingVerdict(node, node.leaving));
    return;
  }
  if (!known.alive && input.memory.held?.uids.has(node.uid) === true) {
    found.stillHeld.push({ name: node.name, isVetoed: row.veto !== undefined });
  }
  if (countsForGuard(row)) {
    found.counted += 1;
    if (!known.alive) found.notAlive.push(node.name);
    if (!known.alive && known.fleet !== 'not-listed') found.listed += 1;
  }
  const kept = keepVerdict(row, input);
  if (kept !== undefined) {
    found.verdicts.set(node.name, kept);
    return;
  }
  const before = input.memory.graces.get(node.uid);
  const dead = deadNode(row, before, elapsedMs, input.policy);
  found.dead.push(dead);
  if (before !== undefined && !sharesGrace(before.reason, dead.reason)) {
    found.notes.push(newGrace(dead, before, input.now));
  }
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

/** Whether it was probe-suspect after its kubelet was last reachable. */
function isProbeSuspect(
  { uid }: Node,
  { answeredAt }: Evidence,
  mismatch: Mismatch | undefined,
  { suspects }: Memory,
): boolean {
  if (answeredAt.length > 0) return false;
  return suspects.has(uid) || (mismatch?.kind === 'probe-suspect' && mismatch.watchedMs >= MISMATCH_MS);
}

/** Where its kubelet was reachable. */
function answeredAddresses({ uid }: Node, { answeredAt }: Evidence, { answered }: Memory): readonly string[] {
  const before = answered.get(uid) ?? [];
  const isKnown = answeredAt.every((address) => before.includes(address));
  return isKnown ? before : [...new Set([...before, ...answeredAt])];
}

/**
 * Nodes that an operator keeps, and left-over ones, count in neither number of the deletion guard. A node whose annotations name another machine
 * than the one whose ID it reports is no left-over for it: kubelets from one image may all report the ID of one listed machine.
 */
function countsForGuard({ node, known, reason, veto }: MarkedRow): boolean {
  const isLeftOver = !known.alive && reason === 'left-over' && node.mark.machineId === known.machineId;
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
