/** What a plan asks of the API server, and what it is carried out with. */

import type { KubeletProber } from '../../kubelet/kubelet.ts';
import type { Era, MetadataChange, NodeDraft, NodeRegistry } from '../../kubernetes/registry.ts';
import type { Clock } from '../../time/clock.ts';
import type { Place } from '../evidence/liveness.ts';
import type { Candidate } from '../evidence/machines.ts';
import { SINCE } from '../evidence/marks.ts';
import type { Node } from '../evidence/node.ts';
import type { WantedMetadata } from './labels.ts';
import type { Wanted } from './memory.ts';
import type { Reason } from './verdict.ts';

export interface Register {
  readonly kind: 'register';
  readonly machine: Candidate;
  readonly draft: NodeDraft;
}

/** Puts our mark on a node that has none, or that bears the mark of a machine that has not held it for a while. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly machine: Candidate;
  readonly node: Node;
  readonly wanted: WantedMetadata;
  readonly change: MetadataChange;
}

/** Brings our own annotations and labels on a marked node up to date. */
export interface Label {
  readonly kind: 'label';
  readonly machine: Candidate;
  readonly node: Node;
  readonly wanted: WantedMetadata;
  readonly change: MetadataChange;
}

export interface Deregister {
  readonly kind: 'deregister';
  readonly node: Node;
  readonly reason: Reason;
  /** The machine that its mark names. */
  readonly machineId: string;
  /** Where its kubelet is asked once more. */
  readonly places: readonly Place[];
  /** The server that it was planned for. */
  readonly era: Era;
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

/** Under what it is remembered that an action was done, and what it said, so that it is noticed when others undo it; undefined for a delete. */
export function undoable(action: Action): { readonly key: string; readonly wanted: Wanted } | undefined {
  switch (action.kind) {
    case 'register':
      return { key: `register ${action.machine.id}`, wanted: new Map([['name', action.draft.name]]) };
    case 'adopt':
    case 'label': {
      const { labels, annotations } = action.change;
      const written = [...annotations].filter(([key]) => key !== SINCE);
      return { key: `mark ${action.node.uid}`, wanted: new Map([...labels, ...written]) };
    }
    case 'deregister':
      return undefined;
  }
}

/** What actions are carried out with. */
export interface Clients {
  readonly nodes: NodeRegistry;
  readonly kubelets: KubeletProber;
  readonly clock: Clock;
}

export interface Limits {
  readonly dryRun: boolean;
  readonly ownerId: string;
  /** HEALTHZ_TIMEOUT, ms. */
  readonly checkTimeoutMs: number;
  /** Once aborted, no further action is begun. */
  readonly begin: AbortSignal;
  /** Once aborted, what is under way is given up; `begin` is aborted by then. */
  readonly finish: AbortSignal;
}
