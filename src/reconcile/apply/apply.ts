/** Carries out a plan: each action by itself, so that one that fails never stops the others. */
import pLimit from 'p-limit';
import { RequestError } from '../../http/request-error.ts';
import type { NodeDraft, NodeRegistry } from '../../kubernetes/registry.ts';
import { LABELS } from '../evidence/marks.ts';
import { toNode } from '../evidence/node.ts';
import {
  type Action,
  type Adopt,
  type Clients,
  type Deregister,
  fingerprint,
  type Label,
  type Limits,
  labelFingerprint,
  type Register,
} from '../plan/action.ts';
import { changeFor } from '../plan/labels.ts';
import { checkBeforeDelete } from './last-check.ts';

/**
 * - `done`: the API server did it
 * - `unneeded`: it was so already: another copy of this daemon, or a person, was quicker
 * - `refused`: the last check before a delete found a reason not to
 * - `failed`: the API server did not do it
 * - `dry-run`: it was not asked to
 */
type Result = 'done' | 'unneeded' | 'refused' | 'failed' | 'dry-run';

export interface Outcome {
  readonly action: Action;
  readonly result: Result;
  /** What came of it, for people, where `result` does not say it all. */
  readonly detail?: string;
  /** The last check found the node alive. */
  readonly alive?: boolean;
  /** The fingerprint of what the server refused for what it says: to ask it again soon would be futile. */
  readonly futile?: string;
}

const ACTIONS_AT_ONCE = 10;

/** The outcomes of the actions that were begun, in no particular order. Never rejects. */
export async function apply(actions: readonly Action[], clients: Clients, limits: Limits): Promise<readonly Outcome[]> {
  if (limits.dryRun) return actions.map((action) => ({ action, result: 'dry-run' }));
  const limit = pLimit(ACTIONS_AT_ONCE);
  const outcomes = await Promise.all(
    actions.map((action) =>
      limit(async (): Promise<Outcome | undefined> => {
        if (limits.begin.aborted) return undefined;
        try {
          return await carryOut(action, clients, limits);
        } catch (error) {
          if (error instanceof NotBegun) return undefined;
          const detail = error instanceof Error ? error.message : String(error);
          const failed: Outcome = { action, result: 'failed', detail };
          return isRefusalOfContent(error) ? { ...failed, futile: fingerprint(action) } : failed;
        }
      }),
    ),
  );
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** The reason of a signal that ends a pass because it took too long. */
export class PassOver extends Error {
  override readonly name = 'PassOver';

  constructor() {
    super('the pass took too long');
  }
}

/** The daemon stops while a node is still being checked: nothing was begun. */
class NotBegun extends Error {}

async function carryOut(action: Action, clients: Clients, limits: Limits): Promise<Outcome> {
  switch (action.kind) {
    case 'register':
      return register(action, clients.nodes, limits.finish);
    case 'adopt':
    case 'label':
      return update(action, clients.nodes, limits);
    case 'deregister':
      return deregister(action, clients, limits);
  }
}

/** A node that was changed since it was read is read again, decided again and written once more; then it is left to the next pass. */
async function update(action: Adopt | Label, nodes: NodeRegistry, { ownerId, finish }: Limits): Promise<Outcome> {
  const { node, wanted, change } = action;
  const first = await nodes.update(node.name, node.uid, node.resourceVersion, change, finish);
  if (first === 'updated') return { action, result: 'done' };
  const gone: Outcome = { action, result: 'unneeded', detail: 'the node is gone, or another one has its name' };
  if (first === 'gone') return gone;

  const record = await nodes.read(node.name, finish);
  if (record === undefined || record.uid !== node.uid) return gone;
  const current = toNode(record, ownerId);
  const isOurs = current.otherOwner === undefined && current.mark?.machineId === node.mark?.machineId;
  const again = changeFor(current, wanted).change;
  if (record.leaving !== undefined || !isOurs || again === undefined) {
    return { action, result: 'unneeded', detail: 'it was changed meanwhile' };
  }
  const second = await nodes.update(node.name, current.uid, current.resourceVersion, again, finish);
  if (second === 'updated') return { action, result: 'done' };
  return second === 'gone'
    ? gone
    : { action, result: 'failed', detail: 'it changes faster than it can be written; the next pass decides again' };
}

async function register(action: Register, nodes: NodeRegistry, signal: AbortSignal): Promise<Outcome> {
  const { machine, draft } = action;
  const first = await nodes.create(draft, signal);
  const created = first === 'labels-refused' ? await nodes.create(withoutLabels(draft), signal) : first;
  switch (created) {
    case 'created': {
      if (first === created) return { action, result: 'done' };
      const futile = labelFingerprint(machine, draft.labels);
      return { action, result: 'done', detail: 'without its labels, which the API server refused', futile };
    }
    case 'exists':
      return { action, result: 'unneeded', detail: 'it was registered already' };
    case 'held-up': {
      const detail = 'the API server waits for a kubelet that hangs, of whatever minion, and creates none meanwhile';
      return { action, result: 'failed', detail };
    }
    case 'kubelet-unreached': {
      const detail = `the API server gets no answer from its kubelet at http://${draft.name}:10250/healthz, and takes no minion without`;
      return { action, result: 'failed', detail, futile: fingerprint(action) };
    }
    case 'labels-refused':
      return {
        action,
        result: 'failed',
        detail: 'the API server refused its labels, and refused it without labels too',
      };
  }
}

/** A list of labels that we wrote would be a lie, and later cost somebody a label of the same key. */
function withoutLabels(draft: NodeDraft): NodeDraft {
  const annotations = new Map([...draft.annotations].filter(([key]) => key !== LABELS));
  return { ...draft, labels: new Map(), annotations };
}

/** Checks once more, and deletes the node only if the check still says what the plan rests on. The delete follows at once. */
async function deregister(action: Deregister, clients: Clients, limits: Limits): Promise<Outcome> {
  const { name } = action.node;
  const gone: Outcome = { action, result: 'unneeded', detail: 'it was gone already' };
  try {
    const checked = await checkBeforeDelete(action, clients, limits);
    if (checked === 'gone') return gone;
    if ('detail' in checked) return { action, ...checked };
    const { uid, resourceVersion } = checked;
    const removed = await clients.nodes.remove(name, uid, resourceVersion, limits.finish);
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
    if (!limits.begin.aborted || error !== limits.begin.reason) throw error;
    if (error instanceof PassOver) throw error;
    throw new NotBegun();
  }
}

/** 400 and 422: the same request would be refused again. 403 is not among them, for rights come back without our knowing. */
function isRefusalOfContent(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 400 || error.status === 422);
}
