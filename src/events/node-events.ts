/** Which Events a pass gives rise to: what was done to nodes, and that the deletion guard became active. */
import type { NodeEvent } from '../kubernetes/events.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { PassChanges } from '../status/history.ts';

/** When the deletion guard becomes active, so many of the nodes get an Event; the log and /status name all of them. */
const HELD_TOLD = 100;

/** None where the API server takes none. */
export function eventsOf({ seen, outcomes, startedAt, durationMs }: PassReport, { hold }: PassChanges): NodeEvent[] {
  if (seen === undefined || !seen.observation.era.takesEvents) return [];
  const at = startedAt + durationMs;
  const done = outcomes.flatMap((outcome) => eventOf(outcome) ?? []);
  const held = hold === 'began' ? heldEvents(seen.plan) : [];
  return [...done, ...held].map((event) => ({ ...event, at }));
}

type Told = Omit<NodeEvent, 'at'>;

/** Only what this daemon did itself; another copy tells of what it did. */
function eventOf({ action, result, detail }: Outcome): Told | undefined {
  if (result !== 'done') return undefined;
  switch (action.kind) {
    case 'register': {
      const { machine, draft } = action;
      const how = detail === undefined ? '' : ` (${detail})`;
      const message = `registered as the node of machine ${machine.id} at ${machine.address}, whose kubelet is healthy${how}`;
      return { reason: 'Registered', node: draft.name, message };
    }
    case 'adopt': {
      const { machine, node } = action;
      const message = `adopted as the node of machine ${machine.id} at ${machine.address}: kube-register manages it now`;
      return { reason: 'Adopted', node: node.name, message };
    }
    case 'deregister': {
      const { node, reason, why, machineId } = action;
      const message = `deregistered, it was the node of machine ${machineId}: ${reason}: ${why}`;
      return { reason: 'Deregistered', node: node.name, message };
    }
    case 'label':
      return undefined;
  }
}

function heldEvents({ nodes, hold }: NonNullable<PassReport['seen']>['plan']): Told[] {
  if (hold === undefined) return [];
  return [...nodes]
    .filter(([, { name }]) => name === 'held')
    .slice(0, HELD_TOLD)
    .map(([node, { reason }]) => ({ reason: 'DeregistrationHeld', node, message: `${reason}; ${hold.message}` }));
}
