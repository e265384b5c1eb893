/** The verdict of every machine, and which of those without a node are registered (DESIGN 3). */

import { nodeNameProblem } from '../../kubernetes/names.ts';
import type { Era } from '../../kubernetes/registry.ts';
import { formatDuration } from '../../time/duration.ts';
import type { Observation } from '../evidence/liveness.ts';
import { type Candidate, isCandidate, type Machine } from '../evidence/machines.ts';
import { MACHINE_ID, type Origin } from '../evidence/marks.ts';
import { addressesOf, hasOwnName, isReporting, type Node, reports } from '../evidence/node.ts';
import { CLAIM_WORDS, type Conflict, isShared, type Pair } from '../evidence/pair.ts';
import { fingerprint, type Register, undoable } from './action.ts';
import type { PlanInput } from './input.ts';
import { draftFor, labelsFor } from './labels.ts';
import { isFutile, isHidden, type Memory, undoing } from './memory.ts';
import type { Note } from './note.ts';
import type { Now } from './policy.ts';
import type { Steadiness } from './steadiness.ts';
import { undoneNote } from './upkeep.ts';
import type { MachineVerdict } from './verdict.ts';

export interface Registration {
  readonly actions: readonly Register[];
  /** By machine id. */
  readonly verdicts: ReadonlyMap<string, MachineVerdict>;
  readonly notes: readonly Note[];
  /** Keys of registrations that do not stand in this pass. */
  readonly missing: ReadonlySet<string>;
}

/** A machine that is registered, and as what. */
interface Chosen {
  readonly machine: Candidate;
  readonly name: string;
  readonly origin: Origin;
}

/** Machines are taken in the order of their ids, so that of two that want one name the smallest id has it. */
export function planRegistrations(input: PlanInput): Registration {
  const { observation, steadiness, memory, policy, now } = input;
  const { era, pairing } = observation;
  const verdicts = new Map<string, MachineVerdict>();
  const actions: Register[] = [];
  const notes: Note[] = [];
  const missing = new Set<string>();
  const withoutNode: Candidate[] = [];
  for (const machine of observation.machines.values()) {
    const pair = pairing.byMachine.get(machine.id);
    if (pair !== undefined) verdicts.set(machine.id, pairedVerdict(pair, input));
    else if (isCandidate(machine)) withoutNode.push(machine);
    else verdicts.set(machine.id, unfitVerdict(machine));
  }
  if (withoutNode.length === 0) return { actions, verdicts, notes, missing };

  const situation = situationOf(observation, steadiness, memory);
  for (const machine of withoutNode.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const choice = consider(machine, situation);
    if (!('machine' in choice)) {
      verdicts.set(machine.id, choice);
      continue;
    }
    const { labels, notes: leftOut } = labelsFor(choice.machine, policy.nodeLabels, era);
    const draft = draftFor(choice.machine, choice, { labels, ownerId: policy.ownerId, since: now.wall }, era);
    const action: Register = { kind: 'register', machine: choice.machine, draft };
    notes.push(...leftOut);
    const postponed = futility(action, memory, era, now) ?? undone(action, memory, era, now);
    if (postponed.key !== undefined) missing.add(postponed.key);
    if (postponed.note !== undefined) notes.push(postponed.note);
    if (postponed.verdict !== undefined) {
      verdicts.set(machine.id, postponed.verdict);
      continue;
    }
    situation.taken.set(choice.name, `machine ${machine.id} is registered under this name`);
    actions.push(action);
    verdicts.set(machine.id, {
      name: 'register',
      reason: `its kubelet is healthy and it has no node: registered as ${choice.name}`,
      node: choice.name,
    });
  }
  return { actions, verdicts, notes, missing };
}

function unfitVerdict({ matches, problem }: Machine): MachineVerdict {
  if (!matches) return { name: 'not-selected', reason: 'its metadata does not match the selector' };
  return { name: 'unusable', reason: problem ?? 'fleet gives it no address', isWarning: true };
}

function pairedVerdict({ machine, node, claim }: Pair, { steadiness, evidence }: PlanInput): MachineVerdict {
  const verdict = { name: 'has-node', node: node.name } as const;
  const unsteady = steadiness.machines.get(machine.id);
  if (unsteady !== undefined) return { ...verdict, reason: unsteady, isWarning: true };
  const reason = `node ${node.name}, matched by ${CLAIM_WORDS[claim]}`;
  if (claim === 'mark' && evidence.get(node.name)?.hasOwnAddress === true) {
    return {
      ...verdict,
      reason: `${reason} alone: it reports ${addressesOf(node).join(', ')}, and fleet gives the machine ${machine.address}`,
      next: `kept; if it is the node of another host: kubectl annotate node ${node.name} ${MACHINE_ID}-`,
      isWarning: true,
    };
  }
  if (node.otherOwner === undefined) return { ...verdict, reason };
  return {
    ...verdict,
    reason: `${reason}, which the kube-register with KUBE_REGISTER_OWNER_ID=${node.otherOwner} manages`,
    next: `kept; if that machine is not in its fleet any more: kubectl delete node ${node.name}`,
    isWarning: true,
  };
}

/** Why a registration is not sent in this pass, where it is not. */
interface Postponed {
  readonly verdict?: MachineVerdict;
  readonly note?: Note;
  readonly key?: string;
}

/** A registration that was asked for so lately that the answer would be the same. */
function futility(action: Register, memory: Memory, era: Era, now: Now): Postponed | undefined {
  const { name } = action.draft;
  if (isFutile(memory, fingerprint(action), now.monotonicMs)) {
    return {
      verdict: {
        name: 'refused',
        reason: `the API server refused to create node ${name}`,
        next: 'tried again within ten minutes, or as soon as the request would be another one',
        isWarning: true,
      },
    };
  }
  if (isHidden(memory, name, now.monotonicMs)) {
    return {
      verdict: {
        name: 'hidden',
        reason:
          `it is registered as ${name}, but the API server (${era.server}) does not list it: ` +
          `such a server lists a minion only while it reaches its kubelet at http://${name}:10250/healthz`,
        next: 'registered again within ten minutes if it is still not listed',
        isWarning: true,
      },
    };
  }
  return undefined;
}

/** A registration that others have undone, so that it waits longer each time. */
function undone(action: Register, memory: Memory, era: Era, now: Now): Postponed {
  const what = era.hidesMinions ? undefined : undoable(action);
  if (what === undefined) return {};
  const { times, waitMs } = undoing(memory, what.key, what.wanted, now.monotonicMs);
  if (times === 0) return { key: what.key };
  const { name } = action.draft;
  const note = undoneNote(`node ${name}`, 'deleted', what.key, { times, waitMs });
  if (waitMs === 0) return { key: what.key, note };
  return {
    key: what.key,
    note,
    verdict: {
      name: 'undone',
      reason: `something else deleted its node ${name} ${times === 1 ? 'once' : `${times} times`} after it was registered`,
      next: `registered again in ${formatDuration(Math.ceil(waitMs / 1_000) * 1_000)}; find out who deletes it: a cloud controller deletes nodes that it does not know`,
      dueInMs: waitMs,
      isWarning: true,
    },
  };
}

/** What a machine without a node meets. */
interface Situation {
  readonly observation: Observation;
  readonly steadiness: Steadiness;
  readonly memory: Memory;
  /** Nodes without a machine. */
  readonly unpaired: readonly Node[];
  /** By name of a node, why no other machine can be registered under it. */
  readonly taken: Map<string, string>;
}

function situationOf(observation: Observation, steadiness: Steadiness, memory: Memory): Situation {
  const { nodes, pairing } = observation;
  const whose = ({ name, otherOwner }: Node) => {
    const owner = pairing.byNode.get(name)?.machine.id;
    if (owner !== undefined) return `that of machine ${owner}`;
    return otherOwner === undefined ? 'there and is not its own' : `managed by another kube-register (${otherOwner})`;
  };
  return {
    observation,
    steadiness,
    memory,
    unpaired: nodes.filter(({ name }) => !pairing.byNode.has(name)),
    taken: new Map(nodes.map((node) => [node.name, `node ${node.name} is ${whose(node)}`])),
  };
}

function consider(machine: Candidate, situation: Situation): MachineVerdict | Chosen {
  const { observation, steadiness, memory, taken } = situation;
  const { pairing, names, kubelets } = observation;
  const conflict = pairing.conflicts.get(machine.id);
  if (conflict !== undefined) {
    return inConflict(describeConflict(conflict, memory.lastNodes.get(machine.id)?.name), conflict);
  }
  const unsteady = steadiness.machines.get(machine.id);
  if (unsteady !== undefined) return inConflict(unsteady);
  if (isShared(observation, machine.address)) {
    const tenants = observation.machinesAt.get(machine.address) ?? [];
    const others = tenants.map(({ id }) => id).filter((id) => id !== machine.id);
    return inConflict(`fleet gives its address ${machine.address} to machine ${others.join(', ')} too`);
  }

  const kubelet = kubelets.get(machine.address);
  if (kubelet?.state !== 'healthy') {
    return {
      name: 'waiting',
      reason: kubelet?.detail ?? `the kubelet at ${machine.address} was not asked`,
      next: 'registered once its kubelet is healthy',
    };
  }
  const last = memory.lastNodes.get(machine.id);
  const obstacle = obstacleTo(machine, last, situation);
  if (obstacle !== undefined) return obstacle;
  if (last?.origin === 'own-name' && !taken.has(last.name) && nodeNameProblem(last.name) === undefined) {
    return { machine, name: last.name, origin: 'own-name' };
  }
  const given = names.get(machine.id) ?? { problem: 'NODE_NAME gave it no name' };
  if ('problem' in given) return { name: 'unnamed', reason: given.problem, isWarning: true };
  const holder = taken.get(given.name);
  if (holder !== undefined) return inConflict(holder);
  const problem = nodeNameProblem(given.name);
  if (problem !== undefined) {
    const reason = `${JSON.stringify(given.name)} cannot be a node's name: ${problem}`;
    return { name: 'unnamed', reason, isWarning: true };
  }
  return { machine, name: given.name, origin: 'named' };
}

/** An unpaired node that may be the machine's own: to register it now might make it a second one. */
function obstacleTo(
  machine: Candidate,
  last: { readonly name: string } | undefined,
  { observation, unpaired }: Situation,
): MachineVerdict | undefined {
  const { names, era } = observation;
  const given = names.get(machine.id);
  const wanted = new Set([last?.name, given !== undefined && 'name' in given ? given.name : undefined]);
  for (const node of unpaired) {
    const isUp = isReporting(node, era);
    const why = maybeOwn(node, machine, observation);
    if (why !== undefined && isUp) {
      return {
        name: 'waiting',
        reason: `node ${node.name} ${why} and is reporting: its kubelet uses that name`,
        next: `registered once that node is gone; to rename it, set --hostname-override of its kubelet, then: kubectl delete node ${node.name}`,
        isWarning: true,
      };
    }
    if (why !== undefined) {
      return {
        name: 'waiting',
        reason: `node ${node.name} ${why}, so it may be its own`,
        next: `registered once that node is gone, or matched to it once that node is reporting; if it is not in use: kubectl delete node ${node.name}`,
        isWarning: true,
      };
    }
    if (node.leaving !== undefined && wanted.has(node.name)) {
      return {
        name: 'waiting',
        reason: `node ${node.name} is being deleted and waits for ${describeFinalizers(node)}`,
        next: `registered once it is gone: kubectl get node ${node.name} -o jsonpath='{.metadata.finalizers}'`,
        isWarning: true,
      };
    }
  }
  return undefined;
}

function maybeOwn(node: Node, machine: Candidate, { machines, givenNames, era }: Observation): string | undefined {
  const { mark, facts } = node;
  const isItsOwnName = hasOwnName(node, givenNames);
  const isInUse = isItsOwnName || isReporting(node, era);
  if (isInUse && facts?.machineId === machine.id) return `reports machine ${machine.id}`;
  if (isInUse && mark?.machineId === machine.id) return `bears the mark of machine ${machine.id}`;
  if (!reports(node, machine.address)) return undefined;
  if (mark === undefined) return `is unmanaged and reports its address ${machine.address}`;
  const isElsewhere = machines.has(facts?.machineId ?? '') || machines.has(mark.machineId);
  return isItsOwnName && !isElsewhere ? `reports its address ${machine.address}` : undefined;
}

/** `finalizers a, b` */
export function describeFinalizers({ leaving }: Node): string {
  const finalizers = leaving?.finalizers ?? [];
  return finalizers.length === 0 ? 'the API server' : `finalizers ${finalizers.join(', ')}`;
}

function inConflict(reason: string, conflict?: Conflict): MachineVerdict {
  const nodes = conflict?.kind === 'ambiguous' ? conflict.nodes.map(({ name }) => name) : [];
  const next =
    nodes.length === 0
      ? 'not registered while this lasts'
      : `none of them is deregistered; delete those that are not in use: kubectl delete node ${nodes.join(' ')}`;
  return { name: 'conflict', reason, next, isWarning: true };
}

function describeConflict(conflict: Conflict, lastName: string | undefined): string {
  if (conflict.kind === 'taken') return `node ${conflict.node.name} is that of machine ${conflict.by.id}`;
  const names = conflict.nodes.map(({ name }) => name).join(', ');
  const last = lastName === undefined ? '' : `; its last one was ${lastName}`;
  return `several nodes match it by ${CLAIM_WORDS[conflict.claim]} and none better than the others: ${names}${last}`;
}
