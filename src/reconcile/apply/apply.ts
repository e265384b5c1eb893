/** Carries out the actions of a plan. An action that fails does not stop the others. */
import { RequestError } from '../../http/request-error.ts';
import type { NodeDraft, NodeRegistry } from '../../kubernetes/registry.ts';
import { describeHung } from '../evidence/hung.ts';
import { LABELS } from '../evidence/marks.ts';
import { toNode } from '../evidence/node.ts';
import {
  type Action,
  type Adopt,
  type ApplyOptions,
  type Clients,
  type Deregister,
  fingerprint,
  type Label,
  labelFingerprint,
  type Register,
} from '../plan/action.ts';
import { changeFor } from '../plan/labels.ts';
import { checkBeforeDelete } from './last-check.ts';

/**
 * What came of an action:
 *
 * - `done`: the API server did it
 * - `unneeded`: another copy of kube-register, or a person, had done it already
 * - `refused`: the last check before a delete found a reason against it
 * - `failed`: the API server did not do it
 * - `dry-run`: no request was made
 */
type Result = 'done' | 'unneeded' | 'refused' | 'failed' | 'dry-run';

export interface Outcome {
  readonly action: Action;
  readonly result: Result;
  /** The cause, for people, where `result` alone does not tell. */
  readonly detail?: string;
  /** The last check found the node alive. */
  readonly alive?: boolean;
  /** The fingerprint of a request that the server refused for its content, which is not repeated soon. */
  readonly refusedRequest?: string;
}

const CONCURRENT_ACTIONS = 10;

/** The outcomes of the actions that were begun, in the order of the plan. Never rejects. */
export async function apply(
  actions: readonly Action[],
  clients: Clients,
  options: ApplyOptions,
): Promise<readonly Outcome[]> {
  if (options.dryRun) return actions.map((action) => ({ action, result: 'dry-run' }));
  const outcomes: (Outcome | undefined)[] = [];
  // All take from one iterator: with a promise for each action that waits, thousands would come into being at once.
  const waiting = actions.entries();
  const takeNext = async () => {
    for (const [index, action] of waiting) outcomes[index] = await attempt(action, clients, options);
  };
  await Promise.all(Array.from({ length: CONCURRENT_ACTIONS }, takeNext));
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** Undefined for an action that was not begun. */
async function attempt(action: Action, clients: Clients, options: ApplyOptions): Promise<Outcome | undefined> {
  if (options.begin.aborted) return undefined;
  try {
    return await carryOut(action, clients, options);
  } catch (error) {
    if (error instanceof NotBegun) return undefined;
    const detail = error instanceof Error ? error.message : String(error);
    const failed: Outcome = { action, result: 'failed', detail };
    return isContentRefused(error) ? { ...failed, refusedRequest: fingerprint(action) } : failed;
  }
}

/** The reason of a signal that ends a pass because it took too long. */
export class PassOver extends Error {
  override readonly name = 'PassOver';

  constructor() {
    super('the pass took too long');
  }
}

/** The daemon stops during the last check: the delete was not begun. */
class NotBegun extends Error {}

async function carryOut(action: Action, clients: Clients, options: ApplyOptions): Promise<Outcome> {
  switch (action.kind) {
    case 'register':
      return register(action, clients.nodes, options);
    case 'adopt':
    case 'label':
      return update(action, clients.nodes, options);
    case 'deregister':
      return deregister(action, clients, options);
  }
}

/** Updates a node. If it changed since it was read, it is read, decided and written once more; then it is left to the next pass. */
async function update(action: Adopt | Label, nodes: NodeRegistry, { ownerId, finish }: ApplyOptions): Promise<Outcome> {
  const { node, wanted, change } = action;
  const first = await nodes.update(node.name, node.uid, node.resourceVersion, change, finish);
  if (first === 'updated') return { action, result: 'done' };
  const gone: Outcome = { action, result: 'unneeded', detail: 'the node is gone, or another node has its name' };
  if (first === 'gone') return gone;

  const record = await nodes.read(node.name, finish);
  if (record === undefined || record.uid !== node.uid) return gone;
  const current = toNode(record, ownerId);
  const isOurs = current.otherOwner === undefined && current.mark?.machineId === node.mark?.machineId;
  const again = changeFor(current, wanted).change;
  if (record.leaving !== undefined || !isOurs || again === undefined) {
    return { action, result: 'unneeded', detail: 'it changed meanwhile' };
  }
  const second = await nodes.update(node.name, current.uid, current.resourceVersion, again, finish);
  if (second === 'updated') return { action, result: 'done' };
  return second === 'gone' ? gone : { action, result: 'failed', detail: 'it changed during both attempts' };
}

async function register(
  action: Register,
  nodes: NodeRegistry,
  { hungKubelets, finish: signal }: ApplyOptions,
): Promise<Outcome> {
  const { machine, draft } = action;
  const first = await nodes.create(draft, signal);
  const created = first === 'labels-refused' ? await nodes.create(withoutLabels(draft), signal) : first;
  switch (created) {
    case 'created': {
      if (first === created) return { action, result: 'done' };
      const refusedRequest = labelFingerprint(machine, draft.labels);
      return { action, result: 'done', detail: 'without labels: the API server refused them', refusedRequest };
    }
    case 'exists':
      return { action, result: 'unneeded', detail: 'it was registered already' };
    case 'held-up': {
      const detail = `the API server does not answer while a kubelet that it checks hangs; ${describeHung(hungKubelets)}`;
      return { action, result: 'failed', detail };
    }
    case 'kubelet-unreached': {
      const detail = `the API server cannot reach its kubelet at http://${draft.name}:10250/healthz, and creates no minion without it`;
      return { action, result: 'failed', detail, refusedRequest: fingerprint(action) };
    }
    case 'labels-refused':
      return {
        action,
        result: 'failed',
        detail: 'the API server refused it with labels and without',
      };
  }
}

/** Without the annotation that lists our labels too: it would later remove labels that others wrote. */
function withoutLabels(draft: NodeDraft): NodeDraft {
  const annotations = new Map([...draft.annotations].filter(([key]) => key !== LABELS));
  return { ...draft, labels: new Map(), annotations };
}

/** Deletes the node, at once after a last check that finds nothing against it. */
async function deregister(action: Deregister, clients: Clients, options: ApplyOptions): Promise<Outcome> {
  const { name } = action.node;
  const gone: Outcome = { action, result: 'unneeded', detail: 'it was gone already' };
  try {
    const checked = await checkBeforeDelete(action, clients, options);
    if (checked === 'gone') return gone;
    if ('detail' in checked) return { action, ...checked };
    const { uid, resourceVersion } = checked;
    const removed = await clients.nodes.remove(name, uid, resourceVersion, options.finish);
    switch (removed) {
      case 'removed':
        return { action, result: 'done' };
      case 'leaving':
        return { action, result: 'done', detail: 'it waits for its finalizers' };
      case 'changed':
        return { action, result: 'refused', detail: 'it changed between the last check and the delete' };
      case 'gone':
        return gone;
    }
  } catch (error) {
    if (!options.begin.aborted || error !== options.begin.reason) throw error;
    if (error instanceof PassOver) throw error;
    throw new NotBegun();
  }
}

/** Whether the same request would be refused again: 400 and 422. 403 is not among them, because rights change. */
function isContentRefused(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 400 || error.status === 422);
}
