/** What kube-register writes on a node, and what others write there to tell it to keep off. */
import type { NodeRecord } from '../../kubernetes/registry.ts';

/** The machine's id. This annotation is the mark: only a node that has it is ever deleted. */
export const MACHINE_ID = 'kube-register.io/machine-id';
/** The machine's address when the mark was written; later only where the node reports none that is its own alone. */
export const ADDRESS = 'kube-register.io/address';
/** When the node was registered or adopted, ISO 8601. Never rewritten. */
export const SINCE = 'kube-register.io/since';
/** Where the node's name is from: see Origin. */
export const ORIGIN = 'kube-register.io/origin';
/** OWNER_ID of the daemon that wrote the mark; missing means `default`. */
export const OWNER = 'kube-register.io/owner';
/** The label keys that we wrote, sorted and joined by commas. */
export const LABELS = 'kube-register.io/labels';
/** A label for people's selectors; it decides nothing. */
export const MANAGED = 'kube-register.io/managed';
/** An operator's veto: a node with it is never deregistered. */
const KEEP = 'kube-register.io/keep';

export const DEFAULT_OWNER = 'default';

/** `named`: NODE_NAME gave the name, or it is an address. `own-name`: the kubelet chose it. */
export type Origin = 'named' | 'own-name';

export interface Mark {
  readonly machineId: string;
  /** As written; not necessarily an address. Empty where it is missing. */
  readonly address: string;
  /** Undefined on a node that was marked by a release that did not write it. */
  readonly origin: Origin | undefined;
}

type Marked = Pick<NodeRecord, 'annotations'>;

/** The mark that a daemon of this owner wrote, or undefined. An empty machine id is no mark. */
export function markOf({ annotations }: Marked, ownerId: string): Mark | undefined {
  const machineId = annotations.get(MACHINE_ID) ?? '';
  if (machineId === '' || (annotations.get(OWNER) || DEFAULT_OWNER) !== ownerId) return undefined;
  const origin = annotations.get(ORIGIN);
  return {
    machineId,
    address: annotations.get(ADDRESS) ?? '',
    origin: origin === 'named' || origin === 'own-name' ? origin : undefined,
  };
}

/** The other owner whose mark the node has, or undefined. */
export function otherOwnerOf({ annotations }: Marked, ownerId: string): string | undefined {
  if (!annotations.get(MACHINE_ID)) return undefined;
  const owner = annotations.get(OWNER) || DEFAULT_OWNER;
  return owner === ownerId ? undefined : owner;
}

/**
 * Whether the operator vetoed the node's deletion, by annotation or by label. Whoever wrote `keep=yes` meant it too, so any
 * value but `false` counts.
 */
export function isKept(node: Pick<NodeRecord, 'labels' | 'annotations'>): boolean {
  return [node.annotations.get(KEEP), node.labels.get(KEEP)].some((value) => value !== undefined && value !== 'false');
}
