/** The verdict of every machine, and which of those without a node are registered. */
import { nodeNameProblem } from '../kubernetes/names.ts';
import type { Era } from '../kubernetes/registry.ts';
import { type Action, fingerprint, type Register } from './action.ts';
import { draftFor, labelsFor, type Note } from './labels.ts';
import { type Candidate, isCandidate, type Machine } from './machines.ts';
import { isFutile, isHidden, type Memory } from './memory.ts';
import type { Now, Policy } from './policy.ts';
import { type Conflict, type GivenName, type Node, STEPS } from './resolve.ts';
import type { MachineVerdict } from './verdict.ts';
import type { Observation } from './witnesses.ts';

export interface Registration {
  readonly actions: readonly Action[];
  /** By machine id. */
  readonly verdicts: ReadonlyMap<string, MachineVerdict>;
  readonly notes: readonly Note[];
}

/** What is spoken for: a node's name, and the address of a machine that is registered in this very pass. */
interface Taken {
  readonly names: Map<string, string>;
  readonly addresses: Map<string, string>;
}

/** Machines are taken in the order of their ids, so that of two that want one name or address the smallest id has it. */
export function planRegistrations(observation: Observation, memory: Memory, policy: Policy, now: Now): Registration {
  const { era } = observation;
  const taken = takenBy(observation);
  const verdicts = new Map<string, MachineVerdict>();
  const actions: Action[] = [];
  const notes: Note[] = [];
  const machines = [...observation.machines.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const machine of machines) {
    const outcome = consider(machine, observation, memory, taken);
    if ('name' in outcome) {
      verdicts.set(machine.id, outcome);
      continue;
    }
    const { labels, notes: leftOut } = labelsFor(outcome.machine, policy.nodeLabels, era);
    const draft = draftFor(outcome.machine, outcome.as, labels, era, now.wall);
    const action: Register = { kind: 'register', machine: outcome.machine, draft };
    notes.push(...leftOut);
    const futile = futility(action, memory, era, now);
    if (futile !== undefined) {
      verdicts.set(machine.id, futile);
      continue;
    }
    taken.names.set(outcome.as, `machine ${machine.id} is registered under this name`);
    taken.addresses.set(outcome.machine.address, machine.id);
    actions.push(action);
    verdicts.set(machine.id, {
      name: 'register',
      reason: `its kubelet is healthy and it has no node: registered as ${outcome.as}`,
      node: outcome.as,
    });
  }
  return { actions, verdicts, notes };
}

/** The verdict of a machine whose registration was asked for so lately that the answer would be the same. */
function futility(action: Register, memory: Memory, era: Era, now: Now): MachineVerdict | undefined {
  const { name } = action.draft;
  if (isFutile(memory, fingerprint(action), now.monotonicMs)) {
    return {
      name: 'refused',
      reason: `the API server refused to create node ${name}`,
      next: 'tried again within ten minutes, or as soon as the request would be another one',
    };
  }
  if (isHidden(memory, name, now.monotonicMs)) {
    return {
      name: 'hidden',
      reason:
        `it is registered as ${name}, but the API server (${era.server}) does not list it: ` +
        `such a server lists a minion only while it reaches its kubelet at http://${name}:10250/healthz`,
      next: 'registered again within ten minutes if it is still not listed',
    };
  }
  return undefined;
}

function takenBy({ nodes, resolution }: Observation): Taken {
  const whose = (name: string) => {
    const owner = resolution.byNode.get(name)?.machine.id;
    return owner === undefined ? 'there and is not its own' : `machine ${owner}'s`;
  };
  return {
    names: new Map(nodes.map(({ name }) => [name, `node ${name} is ${whose(name)}`])),
    addresses: new Map(),
  };
}

function consider(
  machine: Machine,
  { resolution, names, kubelets }: Observation,
  memory: Memory,
  taken: Taken,
): MachineVerdict | { readonly machine: Candidate; readonly as: string } {
  if (!machine.matches) {
    return { name: 'not-selected', reason: 'its metadata does not match the selector' };
  }
  if (!isCandidate(machine)) {
    return { name: 'unusable', reason: machine.problem ?? 'fleet gives it no address' };
  }
  const match = resolution.byMachine.get(machine.id);
  if (match !== undefined) {
    return { name: 'has-node', node: match.node.name, reason: `its node, found by ${STEPS[match.step]}` };
  }
  const conflict = resolution.conflicts.get(machine.id);
  if (conflict !== undefined) return { name: 'conflict', reason: describeConflict(conflict) };

  const kubelet = kubelets.get(machine.address);
  if (kubelet?.state !== 'healthy') {
    return {
      name: 'waiting',
      reason: kubelet?.detail ?? `the kubelet at ${machine.address} was not asked`,
      next: 'registered once its kubelet is healthy',
    };
  }
  const as = nameFor(memory.lastNames.get(machine.id), names.get(machine.id), taken);
  if ('problem' in as) return { name: as.verdict, reason: as.problem };
  const sharer = taken.addresses.get(machine.address);
  if (sharer !== undefined) {
    return { name: 'conflict', reason: `machine ${sharer} is registered with its address ${machine.address}` };
  }
  return { machine, as: as.name };
}

/** The name its last node had, if it is free, else the one that NODE_NAME gives. */
function nameFor(
  last: string | undefined,
  given: GivenName | undefined,
  taken: Taken,
): { readonly name: string } | { readonly verdict: 'unnamed' | 'conflict'; readonly problem: string } {
  if (last !== undefined && !taken.names.has(last) && nodeNameProblem(last) === undefined) return { name: last };
  if (given === undefined) return { verdict: 'unnamed', problem: 'it was given no name' };
  if ('problem' in given) return { verdict: 'unnamed', problem: given.problem };
  const holder = taken.names.get(given.name);
  if (holder !== undefined) return { verdict: 'conflict', problem: holder };
  const problem = nodeNameProblem(given.name);
  if (problem !== undefined) {
    return { verdict: 'unnamed', problem: `${JSON.stringify(given.name)} cannot be a node's name: ${problem}` };
  }
  return given;
}

function describeConflict(conflict: Conflict): string {
  if (conflict.kind === 'taken') return `node ${conflict.node.name} is machine ${conflict.by.id}'s`;
  const names = conflict.nodes.map((node: Node) => node.name).join(', ');
  return `several nodes could be its own and none is both Ready and at its address: ${names}`;
}
