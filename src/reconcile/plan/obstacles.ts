/** Why a machine without a node is not registered yet: an unpaired node that may be its own. */
import type { Observation } from '../evidence/liveness.ts';
import type { Candidate } from '../evidence/machines.ts';
import { hasOwnName, isReporting, type Node, reports } from '../evidence/node.ts';
import type { MachineVerdict } from './verdict.ts';

/**
 * The verdict `waiting` with the unpaired node that may be the machine's own, or undefined. Registering the machine now might give it a
 * second node. `lastName` is the name of the node it was paired with last.
 */
export function obstacleTo(
  machine: Candidate,
  lastName: string | undefined,
  unpaired: readonly Node[],
  observation: Observation,
): MachineVerdict | undefined {
  const { names, era } = observation;
  const given = names.get(machine.id);
  const givenName = given !== undefined && 'name' in given ? given.name : undefined;
  for (const node of unpaired) {
    const sign = ownershipSign(node, machine, observation);
    if (sign !== undefined) return isReporting(node, era) ? otherName(node, sign) : perhapsOwn(node, sign);
    if (node.leaving !== undefined && (node.name === lastName || node.name === givenName)) return nameLeaving(node);
  }
  return undefined;
}

function otherName({ name }: Node, sign: string): MachineVerdict {
  return {
    name: 'waiting',
    reason: `node ${name} ${sign} and is reporting: its kubelet uses that name`,
    next: `will be registered once that node is gone; to rename it, set --hostname-override of its kubelet, then: kubectl delete node ${name}`,
    isWarning: true,
  };
}

function perhapsOwn({ name }: Node, sign: string): MachineVerdict {
  return {
    name: 'waiting',
    reason: `node ${name} ${sign}, so it may be the node of this machine`,
    next: `will be registered once that node is gone, or matched with it once that node is reporting; if it is not in use: kubectl delete node ${name}`,
    isWarning: true,
  };
}

function nameLeaving(node: Node): MachineVerdict {
  return {
    name: 'waiting',
    reason: `node ${node.name} is being deleted and waits for ${describeFinalizers(node)}`,
    next: `will be registered once it is gone; to see its finalizers: kubectl get node ${node.name} -o jsonpath='{.metadata.finalizers}'`,
    isWarning: true,
  };
}

/** What suggests that the node is the machine's own; undefined where nothing does. */
function ownershipSign(node: Node, machine: Candidate, { machines, givenNames, era }: Observation): string | undefined {
  const { mark, facts } = node;
  const isItsOwnName = hasOwnName(node, givenNames);
  const isInUse = isItsOwnName || isReporting(node, era);
  if (isInUse && facts?.machineId === machine.id) return `reports machine ID ${machine.id}`;
  if (isInUse && mark?.machineId === machine.id) return `has the annotation of machine ${machine.id}`;
  if (!reports(node, machine.address)) return undefined;
  if (mark === undefined) return `is unmanaged and reports address ${machine.address}`;
  const isElsewhere = machines.has(facts?.machineId ?? '') || machines.has(mark.machineId);
  return isItsOwnName && !isElsewhere ? `reports address ${machine.address}` : undefined;
}

/** `finalizers a, b` */
export function describeFinalizers({ leaving }: Node): string {
  const finalizers = leaving?.finalizers ?? [];
  return finalizers.length === 0 ? 'the API server' : `finalizers ${finalizers.join(', ')}`;
}
