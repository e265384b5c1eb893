/** The Events of a pass: what was done to nodes, and that the deletion guard became active. */
import type { NodeEvent } from '../kubernetes/events.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { PassChanges } from '../status/history.ts';
import { mapEach, type Steps } from '../time/steps.ts';
import { combineSimilar, type EventContent } from './similar-events.ts';

/**
 * The Events of a pass, in steps, without those of the other copy; none when the API server does not accept Events. Many of one reason are combined,
 * each Event for as many nodes as its message can name.
 */
export function* eventSteps(
  { seen, outcomes, startedAt, durationMs }: PassReport,
  { hold }: PassChanges,
): Steps<readonly NodeEvent[]> {
  if (seen === undefined || !seen.observation.era.takesEvents) return [];
  const at = startedAt + durationMs;
  const done = (yield* mapEach(outcomes, eventOf)).filter((event) => event !== undefined);
  const held = hold === 'began' ? heldEvents(seen.plan) : [];
  yield;
  return combineSimilar([...done, ...held]).map((event) => ({ ...event, at }));
}

/** Only actions that this process did: another copy writes Events for its own. */
function eventOf({ action, result, detail }: Outcome): EventContent | undefined {
  if (result !== 'done') return undefined;
  switch (action.kind) {
    case 'register': {
      const { machine, draft } = action;
      const how = detail === undefined ? '' : ` (${detail})`;
      const message = `registered as the node of machine ${machine.id} at ${machine.address}: its kubelet is healthy${how}`;
      return { reason: 'Registered', node: draft.name, message };
    }
    case 'adopt': {
      const { machine, node } = action;
      const message = `adopted as the node of machine ${machine.id} at ${machine.address}: kube-register manages it now`;
      return { reason: 'Adopted', node: node.name, message };
    }
    case 'deregister': {
      const { node, reason, why, machineId } = action;
      const message = `deregistered as the node of machine ${machineId}: ${reason}: ${why}`;
      return { reason: 'Deregistered', node: node.name, message };
    }
    case 'label':
      return undefined;
  }
}

function heldEvents({ nodes, hold }: NonNullable<PassReport['seen']>['plan']): EventContent[] {
  if (hold === undefined) return [];
  return [...nodes]
    .filter(([, { name }]) => name === 'held')
    .map(([node, { reason }]) => ({ reason: 'DeregistrationHeld', node, message: `${reason}; ${hold.message}` }));
}
