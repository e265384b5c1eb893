/** Carries out a plan: each action by itself, so that one that fails never stops the others. */
import pLimit from 'p-limit';
import { RequestError } from '../http/request-error.ts';
import type { KubeletProber } from '../kubelet/kubelet.ts';
import type { NodeDraft, NodeRecord, NodeRegistry } from '../kubernetes/registry.ts';
import { type Action, type Deregister, fingerprint, labelFingerprint, type Register } from './action.ts';
import { isKept, LABELS, markOf } from './marks.ts';

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
  /** Once aborted, what is under way is given up; `begin` is aborted by then. */
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
          return await carryOut(action, hands, limits);
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

/** The pass ended while a node was still being looked at. */
class NotBegun extends Error {}

async function carryOut(action: Action, hands: Hands, limits: Limits): Promise<Outcome> {
  switch (action.kind) {
    case 'register':
      return register(action, hands.nodes, limits.finish);
    case 'adopt':
    case 'label': {
      const updated = await hands.nodes.update(action.node.name, action.node.uid, action.change, limits.finish);
      return updated === 'updated'
        ? { action, result: 'done' }
        : { action, result: 'unneeded', detail: 'the node is gone, or another one has its name' };
    }
    case 'deregister':
      return deregister(action, hands, limits);
  }
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

/** Asks the kubelet once more and reads the node again, and deletes it only if both still say what the plan rests on. */
async function deregister(action: Deregister, { nodes, kubelets }: Hands, limits: Limits): Promise<Outcome> {
  const { name } = action.node;
  const current = await lookAgain(action, nodes, kubelets, limits.begin);
  if (current === undefined) return { action, result: 'unneeded', detail: 'it was gone already' };
  if ('detail' in current) return { action, result: 'refused', ...current };

  const removed = await nodes.remove(name, current.uid, current.resourceVersion, limits.finish);
  if (removed === 'changed') {
    return { action, result: 'refused', detail: 'it, or the API server, changed between the last look and the delete' };
  }
  return removed === 'removed'
    ? { action, result: 'done' }
    : { action, result: 'unneeded', detail: 'it was gone already' };
}

/** A reason not to delete. `alive`: there is a sign of life. */
interface Objection {
  readonly detail: string;
  readonly alive?: boolean;
}

/** The node as it is now, undefined when it is gone, or what speaks against its deletion. Throws NotBegun when the pass has ended. */
async function lookAgain(
  action: Deregister,
  nodes: NodeRegistry,
  kubelets: KubeletProber,
  signal: AbortSignal,
): Promise<NodeRecord | Objection | undefined> {
  try {
    const answers = await Promise.all(action.addresses.map((address) => kubelets.check(address, signal)));
    const answer = answers.find(({ state }) => state !== 'silent');
    if (answer !== undefined) return { detail: `its kubelet answers after all: ${answer.detail}`, alive: true };
    const current = await nodes.read(action.node.name, signal);
    signal.throwIfAborted();
    return current === undefined ? undefined : (objectionTo(action, current) ?? current);
  } catch (error) {
    if (signal.aborted) throw new NotBegun();
    throw error;
  }
}

/** Why a node is not to be deleted as it is now, or undefined. */
function objectionTo({ node }: Deregister, current: NodeRecord): Objection | undefined {
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
