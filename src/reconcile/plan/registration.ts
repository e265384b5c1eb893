/** The verdict of every machine, and which of those without a node are registered. */

import { nodeNameProblem } from '../../kubernetes/names.ts';
import type { Era } from '../../kubernetes/registry.ts';
import { timesInWords } from '../../text/plural.ts';
import { forEach, type Steps } from '../../time/steps.ts';
import type { Observation } from '../evidence/liveness.ts';
import { type Candidate, isCandidate, type Machine } from '../evidence/machines.ts';
import { MACHINE_ID, type Origin, OWNER } from '../evidence/marks.ts';
import { addressesOf, type Node } from '../evidence/node.ts';
import { CLAIM_WORDS, type Conflict, isShared, type Pair } from '../evidence/pair.ts';
import { fingerprint, type Register } from './action.ts';
import { type Alternations, UNIQUE_MACHINE_ID } from './alternations.ts';
import type { PlanInput } from './input.ts';
import { draftFor, labelsFor } from './labels.ts';
import { isHidden, isRefused, type Memory } from './memory/memory.ts';
import type { Note } from './note.ts';
import { obstacleTo } from './obstacles.ts';
import type { Now } from './policy.ts';
import { describeWait, undoneBefore } from './upkeep.ts';
import type { MachineVerdict } from './verdict.ts';

export interface Registration {
  readonly actions: readonly Register[];
  /** By machine id. */
  readonly verdicts: ReadonlyMap<string, MachineVerdict>;
  readonly notes: readonly Note[];
  /** Keys of registrations whose node is missing in this pass. */
  readonly missing: ReadonlySet<string>;
}

/** A machine that is registered, and as what. */
interface Chosen {
  readonly machine: Candidate;
  readonly name: string;
  readonly origin: Origin;
}

/** Gives every machine its verdict. Machines are taken in the order of their IDs: of two that want one name the smallest ID has it. */
export function* planRegistrations(input: PlanInput): Steps<Registration> {
  const { observation } = input;
  const { pairing } = observation;
  const verdicts = new Map<string, MachineVerdict>();
  const actions: Register[] = [];
  const notes: Note[] = [];
  const missing = new Set<string>();
  const withoutNode: Candidate[] = [];
  yield* forEach(observation.machines.values(), (machine) => {
    const pair = pairing.byMachine.get(machine.id);
    if (pair !== undefined) verdicts.set(machine.id, pairedVerdict(pair, input));
    else if (isCandidate(machine)) withoutNode.push(machine);
    else verdicts.set(machine.id, unfitVerdict(machine));
  });
  if (withoutNode.length === 0) return { actions, verdicts, notes, missing };

  const context = contextOf(input);
  for (const machine of withoutNode.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    yield;
    const choice = chooseName(machine, context);
    if (!('machine' in choice)) {
      verdicts.set(machine.id, choice);
      continue;
    }
    const { action, notes: leftOut } = registerAs(choice, input);
    const postponed = postponement(action, input);
    notes.push(...leftOut, ...(postponed.note === undefined ? [] : [postponed.note]));
    if (postponed.key !== undefined) missing.add(postponed.key);
    if (postponed.verdict !== undefined) {
      verdicts.set(machine.id, postponed.verdict);
      continue;
    }
    context.taken.set(choice.name, machine);
    actions.push(action);
    verdicts.set(machine.id, {
      name: 'register',
      reason: `its kubelet is healthy and it has no node; node name: ${choice.name}`,
      node: choice.name,
    });
  }
  return { actions, verdicts, notes, missing };
}

function registerAs(
  chosen: Chosen,
  { observation: { era }, policy, now }: PlanInput,
): { readonly action: Register; readonly notes: readonly Note[] } {
  const { machine } = chosen;
  const { labels, notes } = labelsFor(machine, policy.nodeLabels, era);
  const draft = draftFor(machine, chosen, { labels, ownerId: policy.ownerId, since: now.wall }, era);
  return { action: { kind: 'register', machine, draft }, notes };
}

function unfitVerdict({ matches, problem, addresses }: Machine): MachineVerdict {
  if (!matches) return { name: 'not-selected', reason: 'its metadata does not match the selector' };
  const remedy =
    addresses.length > 1
      ? UNIQUE_MACHINE_ID
      : 'set public_ip in /etc/fleet/fleet.conf of that machine, then: systemctl restart fleet';
  return {
    name: 'unusable',
    reason: problem ?? 'fleet gives it no address',
    next: `not registered; ${remedy}`,
    isWarning: true,
  };
}

function pairedVerdict({ machine, node, claim }: Pair, { alternations, evidence, policy }: PlanInput): MachineVerdict {
  const verdict = { name: 'has-node', node: node.name } as const;
  const alternation = alternations.machines.get(machine.id);
  if (alternation !== undefined) {
    return { ...verdict, reason: alternation.reason, next: `kept; ${alternation.remedy}`, isWarning: true };
  }
  const reason = `node ${node.name}, matched by ${CLAIM_WORDS[claim]}`;
  if (claim === 'mark' && evidence.get(node.name)?.hasOwnAddress === true) {
    return {
      ...verdict,
      reason: `${reason} alone: the node reports ${addressesOf(node).join(', ')}, and fleet lists the machine at ${machine.address}`,
      next: `kept; if it is the node of another host: kubectl annotate node ${node.name} ${MACHINE_ID}-`,
      isWarning: true,
    };
  }
  if (node.otherOwner === undefined) return { ...verdict, reason };
  return {
    ...verdict,
    reason: `${reason}, is managed by the kube-register with KUBE_REGISTER_OWNER_ID=${node.otherOwner}`,
    next: `kept; to manage it here: kubectl annotate --overwrite node ${node.name} ${OWNER}=${policy.ownerId}`,
    isWarning: true,
  };
}

/** Why a registration is not sent in this pass, where it is not. */
interface Postponed {
  readonly verdict?: MachineVerdict;
  readonly note?: Note;
  readonly key?: string;
}

/** Why the registration is not sent in this pass, and what is noted of it. */
function postponement(action: Register, input: PlanInput): Postponed {
  const { observation, memory, now } = input;
  return futility(action, memory, observation.era, now) ?? undone(action, memory, observation.era, now);
}

/** The verdict of a registration that the server would answer as it did within the last ten minutes. */
function futility(action: Register, memory: Memory, era: Era, now: Now): Postponed | undefined {
  const { name } = action.draft;
  if (isRefused(memory, fingerprint(action), now.monotonicMs)) {
    return {
      verdict: {
        name: 'refused',
        reason: `the API server refused to create node ${name}`,
        next: 'retried within 10m, or as soon as the request differs; the log has the answer of the API server',
        isWarning: true,
      },
    };
  }
  if (isHidden(memory, name, now.monotonicMs)) {
    return {
      verdict: {
        name: 'hidden',
        reason:
          `registered as ${name}, but the API server (${era.server}) does not list it: ` +
          `it lists a minion only while it reaches its kubelet at http://${name}:10250/healthz`,
        next: 'check that URL from the machine of the API server; will be registered again within 10m if it is still not listed',
        isWarning: true,
      },
    };
  }
  return undefined;
}

/** The pause and the warning of a registration that others have undone. */
function undone(action: Register, memory: Memory, era: Era, now: Now): Postponed {
  if (era.hidesMinions) return {};
  const { name } = action.draft;
  const { times, waitMs, ...postponed } = undoneBefore(action, [`node ${name}`, 'deleted'], memory, now);
  if (waitMs === 0) return postponed;
  return {
    ...postponed,
    verdict: {
      name: 'undone',
      reason: `something else deleted its node ${name} ${timesInWords(times)} after it was registered`,
      next: `will be registered again ${describeWait(waitMs)}; find out what deletes it: a cloud controller deletes nodes that it does not know`,
      dueInMs: waitMs,
      isWarning: true,
    },
  };
}

/** What decides under which name a machine without a node is registered. */
interface Context {
  readonly observation: Observation;
  readonly alternations: Alternations;
  readonly memory: Memory;
  /** Nodes without a machine. */
  readonly unpaired: readonly Node[];
  /** By name: the node that has it, or the machine that is registered under it in this pass. */
  readonly taken: Map<string, Node | Candidate>;
}

function contextOf({ observation, alternations, memory }: PlanInput): Context {
  const { nodes, pairing } = observation;
  return {
    observation,
    alternations,
    memory,
    unpaired: nodes.filter(({ name }) => !pairing.byNode.has(name)),
    taken: new Map(nodes.map((node) => [node.name, node])),
  };
}

/** The name and origin that a machine is registered with, or the verdict of one that is not registered. */
function chooseName(machine: Candidate, context: Context): MachineVerdict | Chosen {
  const { observation, memory, taken } = context;
  const { names, kubelets } = observation;
  const conflict = conflictOf(machine, context);
  if (conflict !== undefined) return conflict;
  const kubelet = kubelets.get(machine.address);
  if (kubelet?.state !== 'healthy') {
    return {
      name: 'waiting',
      reason: kubelet?.detail ?? `the kubelet at ${machine.address} was not checked`,
      next: 'will be registered once its kubelet is healthy',
    };
  }
  const last = memory.lastNodes.get(machine.id);
  const obstacle = obstacleTo(machine, last?.name, context.unpaired, observation);
  if (obstacle !== undefined) return obstacle;
  if (last?.origin === 'own-name' && !taken.has(last.name) && nodeNameProblem(last.name) === undefined) {
    return { machine, name: last.name, origin: 'own-name' };
  }
  const given = names.get(machine.id) ?? { problem: 'KUBE_REGISTER_NODE_NAME gives it no name' };
  if ('problem' in given) return unnamed(given.problem);
  const holder = taken.get(given.name);
  if (holder !== undefined) return nameTaken(given.name, holder, observation);
  const problem = nodeNameProblem(given.name);
  if (problem !== undefined) return unnamed(`${JSON.stringify(given.name)} is not a valid node name: ${problem}`);
  return { machine, name: given.name, origin: 'named' };
}

function unnamed(reason: string): MachineVerdict {
  return {
    name: 'unnamed',
    reason,
    next: 'not registered without a valid name; KUBE_REGISTER_NODE_NAME says where names come from',
    isWarning: true,
  };
}

/** The verdict of a machine whose node, identity or address another machine has too. */
function conflictOf(machine: Candidate, { observation, alternations, memory }: Context): MachineVerdict | undefined {
  const conflict = observation.pairing.conflicts.get(machine.id);
  if (conflict !== undefined) return pairingConflict(conflict, memory.lastNodes.get(machine.id)?.name);
  const alternation = alternations.machines.get(machine.id);
  if (alternation !== undefined) return inConflict(alternation.reason, `not registered; ${alternation.remedy}`);
  if (!isShared(observation, machine.address)) return undefined;
  const sharers = observation.machinesAt.get(machine.address) ?? [];
  const others = sharers.map(({ id }) => id).filter((id) => id !== machine.id);
  return inConflict(
    `fleet lists machine ${others.join(', ')} at its address ${machine.address} too`,
    'not registered; set public_ip in /etc/fleet/fleet.conf of each of these machines, then: systemctl restart fleet',
  );
}

function pairingConflict(conflict: Conflict, lastName: string | undefined): MachineVerdict {
  if (conflict.kind === 'taken') {
    return inConflict(`node ${conflict.node.name} belongs to machine ${conflict.by.id}`, UNIQUE_NAME);
  }
  const names = conflict.nodes.map(({ name }) => name).join(', ');
  const last = lastName === undefined ? '' : `; its last node was ${lastName}`;
  return inConflict(
    `several nodes match it by ${CLAIM_WORDS[conflict.claim]} and none better than the others: ${names}${last}`,
    'none of them is deregistered; for each node that is not in use: kubectl delete node NAME',
  );
}

/** The verdict of a machine whose name a node or another machine has. */
function nameTaken(name: string, holder: Node | Candidate, { pairing }: Observation): MachineVerdict {
  const owner = pairing.byNode.get(name)?.machine.id;
  if (owner !== undefined) return inConflict(`node ${name} belongs to machine ${owner}`, UNIQUE_NAME);
  if (!('mark' in holder)) return inConflict(`machine ${holder.id} is registered as ${name}`, UNIQUE_NAME);
  const next = `not registered while node ${name} exists; if it is not in use: kubectl delete node ${name}`;
  return holder.otherOwner === undefined
    ? inConflict(`node ${name} exists and does not match this machine`, next)
    : inConflict(`node ${name} is managed by the kube-register with KUBE_REGISTER_OWNER_ID=${holder.otherOwner}`, next);
}

const UNIQUE_NAME = 'not registered; give each machine a name of its own (KUBE_REGISTER_NODE_NAME)';

function inConflict(reason: string, next: string): MachineVerdict {
  return { name: 'conflict', reason, next, isWarning: true };
}
