/** Carries out a plan: each action by itself, so that one that fails never stops the others. */
import pLimit from 'p-limit';
import { RequestError } from '../http/request-error.ts';
import type { KubeletProber } from '../kubelet/kubelet.ts';
import type { NodeRecord, NodeRegistry } from '../kubernetes/registry.ts';
import { type Action, type Deregister, fingerprint, labelFingerprint } from './action.ts';
import { isKept, markOf } from './marks.ts';

/**
 * - `done`: the API server did it
 * - `unneeded`: it was so already: another copy of this daemon, or a person, was quicker
 * - `refused`: the last look before a delete found a reason not to
 * - `failed`: the API server did not do it
 * - `dry-run`: it was not asked to
 */
type Result = 'done' | 'unneeded' | 'refused' | 'failed' | 'dry-run';

export interface Outcome {
  readonly action: Action;
  readonly result: Result;
  /** What came of it, for people, where `result` does not say it all. */
  readonly detail?: string;
  /** The last look found the node alive. */
  readonly alive?: boolean;
  /** The fingerprint of what the server refused for what it says: to ask it again soon would be futile. */
  readonly futile?: string;
}

export interface Hands {
  readonly nodes: NodeRegistry;
  readonly kubelets: KubeletProber;
}

export interface Limits {
  readonly dryRun: boolean;
  /** Once aborted, no further action is begun. */
  readonly begin: AbortSignal;
  /** Once aborted, what is under way is given up. */
  readonly finish: AbortSignal;
}

const ACTIONS_AT_ONCE = 10;

/** The outcomes of the actions that were begun, in no particular order. Never rejects. */
export async function apply(actions: readonly Action[], hands: Hands, limits: Limits): Promise<readonly Outcome[]> {
  if (limits.dryRun) return actions.map((action) => ({ action, result: 'dry-run' }));
  const limit = pLimit(ACTIONS_AT_ONCE);
  const outcomes = await Promise.all(
    actions.map((action) =>
      limit(async (): Promise<Outcome | undefined> => {
        if (limits.begin.aborted) return undefined;
        try {
          return await carryOut(action, hands, limits.finish);
        } catch (error) {
          const detail = error instanceof Error ? error.message : String(error);
          const failed: Outcome = { action, result: 'failed', detail };
          return isRefusalOfContent(error) ? { ...failed, futile: fingerprint(action) } : failed;
        }
      }),
    ),
  );
  return outcomes.filter((outcome) => outcome !== undefined);
}

async function carryOut(action: Action, hands: Hands, signal: AbortSignal): Promise<Outcome> {
  switch (action.kind) {
    case 'register': {
      const created = await hands.nodes.create(action.draft, signal);
      if (created === 'exists') return { action, result: 'unneeded', detail: 'it was registered already' };
      if (created === 'created') return { action, result: 'done' };
      const futile = labelFingerprint(action.machine, action.draft.labels);
      return { action, result: 'done', detail: 'without its labels, which the API server refused', futile };
    }
    case 'adopt':
    case 'label': {
      const updated = await hands.nodes.update(action.node.name, action.node.uid, action.change, signal);
      return updated === 'updated'
        ? { action, result: 'done' }
        : { action, result: 'unneeded', detail: 'the node is gone, or another one has its name' };
    }
    case 'deregister':
      return deregister(action, hands, signal);
  }
}

/** Asks the kubelet once more and reads the node again, and deletes it only if both still say what the plan rests on. */
async function deregister(action: Deregister, { nodes, kubelets }: Hands, signal: AbortSignal): Promise<Outcome> {
  const { name } = action.node;
  const answer = action.address === undefined ? undefined : await kubelets.check(action.address, signal);
  if (answer !== undefined && answer.state !== 'silent') {
    return { action, result: 'refused', detail: `its kubelet answers after all: ${answer.detail}`, alive: true };
  }
  const current = await nodes.read(name, signal);
  if (current === undefined) return { action, result: 'unneeded', detail: 'it was gone already' };
  const objection = objectionTo(action, current);
  if (objection !== undefined) return { action, result: 'refused', ...objection };

  const removed = await nodes.remove(name, current.uid, current.resourceVersion, signal);
  if (removed === 'changed')
    return { action, result: 'refused', detail: 'it changed between the last look and the delete' };
  return removed === 'removed'
    ? { action, result: 'done' }
    : { action, result: 'unneeded', detail: 'it was gone already' };
}

/** Why a node is not to be deleted as it is now, or undefined. */
function objectionTo(
  { node }: Deregister,
  current: NodeRecord,
): { readonly detail: string; readonly alive?: boolean } | undefined {
  if (current.uid !== node.uid) return { detail: 'it is another node of the same name by now' };
  const mark = markOf(current);
  if (mark === undefined || mark !== markOf(node)) return { detail: 'its mark is not the one we saw' };
  if (current.facts === undefined) return { detail: 'it could not be read whole' };
  if (current.facts.ready === 'ready') return { detail: 'Kubernetes calls it Ready after all', alive: true };
  if (isKept(current)) return { detail: 'kube-register.io/keep is set on it' };
  if (current.facts.unschedulable) return { detail: 'it is cordoned: somebody is at work there' };
  return undefined;
}

/** 400 and 422: the same request would be refused again. 403 is not among them, for rights come back without our knowing. */
function isRefusalOfContent(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 400 || error.status === 422);
}
