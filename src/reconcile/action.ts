/** What a plan asks of the API server. */
import type { MetadataChange, NodeDraft } from '../kubernetes/registry.ts';
import type { Candidate } from './machines.ts';
import type { Node } from './resolve.ts';
import type { Reason } from './verdict.ts';

export interface Register {
  readonly kind: 'register';
  readonly machine: Candidate;
  readonly draft: NodeDraft;
}

/** Puts our marks on a node that has none, or that bears the mark of a machine fleet no longer lists. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly machine: Candidate;
  readonly node: Node;
  readonly change: MetadataChange;
}

/** Brings our own marks and labels on a marked node up to date. */
export interface Label {
  readonly kind: 'label';
  readonly machine: Candidate;
  readonly node: Node;
  readonly change: MetadataChange;
}

export interface Deregister {
  readonly kind: 'deregister';
  readonly node: Node;
  readonly reason: Reason;
  /** Where its kubelet is asked once more; empty when there is nobody to ask. */
  readonly addresses: readonly string[];
  /** The sentence that the verdict gave. */
  readonly why: string;
}

export type Action = Register | Adopt | Label | Deregister;

/** For people: what a node was, once the action is done. */
export const DONE = {
  register: 'registered',
  adopt: 'adopted',
  label: 'updated',
  deregister: 'deregistered',
} as const satisfies Readonly<Record<Action['kind'], string>>;

/** The name of the node that the action is about. */
export function nodeName(action: Action): string {
  return action.kind === 'register' ? action.draft.name : action.node.name;
}

/**
 * What the action asks, as a text that is equal for equal requests: one that the server refused for what it says is not repeated
 * soon. The time of registration does not make it another request.
 */
export function fingerprint(action: Action): string {
  switch (action.kind) {
    case 'register':
      return `register ${action.machine.id} as ${action.draft.name} ${labelFingerprint(action.machine, action.draft.labels)}`;
    case 'adopt':
    case 'label':
      return labelFingerprint(action.machine, action.change.labels);
    case 'deregister':
      return `deregister ${action.node.uid}`;
  }
}

/** The same for the labels alone: those refused at the registration are the change that the next pass would ask for. */
export function labelFingerprint(machine: Candidate, labels: ReadonlyMap<string, string | null>): string {
  return `label ${machine.id} ${JSON.stringify([...labels])}`;
}
