/** The figures of one pass, for the log, the metrics and the status. */

import { isCandidate } from '../reconcile/evidence/machines.ts';
import type { Plan } from '../reconcile/plan/plan.ts';
import type { Observed } from '../reconcile/reconciler.ts';
import { tally } from '../text/tally.ts';

/** States that are counted, not disjoint. Also the values of the metric label `state`. */
export const MACHINE_STATES = ['listed', 'matched', 'healthy', 'silent', 'conflict', 'unusable'] as const;
type MachineState = (typeof MACHINE_STATES)[number];

export interface Counts {
  readonly machines: Readonly<Record<MachineState, number>>;
  /** By verdict; a verdict that no node has is absent. */
  readonly nodes: ReadonlyMap<string, number>;
  readonly managed: number;
  readonly held: number;
  /** Writes that something else has undone. */
  readonly undone: number;
}

export function countPass(observation: Observed, plan: Plan): Counts {
  const machines: Record<MachineState, number> = {
    listed: observation.machines.size,
    matched: 0,
    healthy: 0,
    silent: 0,
    conflict: 0,
    // Records without a machine ID count too.
    unusable: observation.skippedRecords,
  };
  for (const machine of observation.machines.values()) {
    if (machine.matches) machines.matched += 1;
    const kubelet = isCandidate(machine) ? observation.kubelets.get(machine.address)?.state : undefined;
    if (kubelet === 'healthy' || kubelet === 'silent') machines[kubelet] += 1;
    const verdict = plan.machines.get(machine.id)?.name;
    if (verdict === 'conflict' || verdict === 'unusable') machines[verdict] += 1;
  }
  const nodes = tally([...plan.nodes.values()].map(({ name }) => name));
  const undone = plan.notes.filter(({ kind }) => kind === 'undone').length;
  return { machines, nodes, managed: plan.managed, held: nodes.get('held') ?? 0, undone };
}
