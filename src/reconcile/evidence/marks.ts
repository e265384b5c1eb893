/** The annotations and labels that kube-register writes to a node, and those by which an operator keeps a node. */
import type { NodeRecord } from '../../kubernetes/registry.ts';

/** The machine's ID. This annotation is the mark: a node without it is unmanaged and never deleted. */
export const MACHINE_ID = 'kube-register.io/machine-id';
/** The machine's address when the mark was written. Updated only where the node reports no address that is its own alone. */
export const ADDRESS = 'kube-register.io/address';
/** When the node was registered or adopted, ISO 8601. Never rewritten. */
export const SINCE = 'kube-register.io/since';
/** Where the node's name comes from: see Origin. */
export const ORIGIN = 'kube-register.io/origin';
/** OWNER_ID of the daemon that wrote the mark; missing means `default`. */
export const OWNER = 'kube-register.io/owner';
/** The label keys that we wrote, sorted and joined by commas. */
export const LABELS = 'kube-register.io/labels';
/** A label for selectors of people. Nothing depends on it. */
export const MANAGED = 'kube-register.io/managed';
/** An operator's veto: a node with it is never deregistered. */
const KEEP = 'kube-register.io/keep';

export const DEFAULT_OWNER = 'default';

/** `named`: NODE_NAME gave the name, or it is an address. `own-name`: the kubelet chose it. */
export type Origin = 'named' | 'own-name';

export interface Mark {
  readonly machineId: string;
  /** As written, which need not be an address. Empty where it is missing. */
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
 * Whether an operator keeps the node, by annotation or by label. Any value but `false` counts, so that `keep=yes` does.
 */
export function isKept(node: Pick<NodeRecord, 'labels' | 'annotations'>): boolean {
  return [node.annotations.get(KEEP), node.labels.get(KEEP)].some((value) => value !== undefined && value !== 'false');
}
