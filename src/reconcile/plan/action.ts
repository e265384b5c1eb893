/** The actions of a plan, and what they are carried out with. */

import type { KubeletProber } from '../../kubelet/kubelet.ts';
import type { Era, MetadataChange, NodeDraft, NodeRegistry } from '../../kubernetes/registry.ts';
import type { Clock } from '../../time/clock.ts';
import type { KubeletEndpoint } from '../evidence/endpoints.ts';
import type { Candidate } from '../evidence/machines.ts';
import { SINCE } from '../evidence/marks.ts';
import type { Node } from '../evidence/node.ts';
import type { WantedMetadata } from './labels.ts';
import type { Values } from './memory/writes.ts';
import type { Reason } from './verdict.ts';

export interface Register {
  readonly kind: 'register';
  readonly machine: Candidate;
  readonly draft: NodeDraft;
}

/** Writes our annotations to an unmanaged node, or to one with the annotations of a machine that it no longer matches. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly machine: Candidate;
  readonly node: Node;
  readonly wanted: WantedMetadata;
  readonly change: MetadataChange;
}

/** Updates our annotations and labels on a managed node. */
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
  /** The machine that its annotations name. */
  readonly machineId: string;
  /** Where its kubelet is checked once more. */
  readonly endpoints: readonly KubeletEndpoint[];
  /** The API server that it was planned for. */
  readonly era: Era;
  /** The reason that the verdict gave. */
  readonly why: string;
}

export type Action = Register | Adopt | Label | Deregister;

/** For people: the participle of each action, as in `registered node a`. */
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

/** The ID of the machine that the action is about. */
export function machineIdOf(action: Action): string {
  return action.kind === 'deregister' ? action.machineId : action.machine.id;
}

/** A text that is equal for equal requests, so that a refused one is not repeated soon. The time of registration is not part of it. */
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

/** The fingerprint of the labels alone: labels refused at the registration are the change that the next pass would ask for. */
export function labelFingerprint(machine: Candidate, labels: ReadonlyMap<string, string | null>): string {
  return `label ${machine.id} ${JSON.stringify([...labels])}`;
}

/** The key and the values of what an action writes, by which it is noticed that others undo it; undefined for a delete. */
export function writeOf(action: Action): { readonly key: string; readonly values: Values } | undefined {
  switch (action.kind) {
    case 'register':
      return { key: `register ${action.machine.id}`, values: new Map([['name', action.draft.name]]) };
    case 'adopt':
    case 'label': {
      const { labels, annotations } = action.change;
      const written = [...annotations].filter(([key]) => key !== SINCE);
      return { key: `mark ${action.node.uid}`, values: new Map([...labels, ...written]) };
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

export interface ApplyOptions {
  readonly dryRun: boolean;
  readonly ownerId: string;
  /** HEALTHZ_TIMEOUT, ms. */
  readonly checkTimeoutMs: number;
  /** The addresses of kubelets that gave no reply in time. */
  readonly hungKubelets: readonly string[];
  /** Once aborted, no further action is begun. */
  readonly begin: AbortSignal;
  /** Once aborted, requests that are under way are given up; `begin` is aborted by then. */
  readonly finish: AbortSignal;
}
