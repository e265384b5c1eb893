/** What kube-register writes on a node, and what others write there to tell it to keep off. */
import type { NodeRecord } from '../kubernetes/registry.ts';

/** The machine's id. This annotation is the mark: only a node that has it is ever deleted. */
export const MACHINE_ID = 'kube-register.io/machine-id';
/** The machine's address when it was last written. */
export const ADDRESS = 'kube-register.io/address';
/** When the node was registered or adopted, ISO 8601. Never rewritten. */
export const SINCE = 'kube-register.io/since';
/** The label keys that we wrote, sorted and joined by commas. */
export const LABELS = 'kube-register.io/labels';
/** A label for people's selectors; it decides nothing. */
export const MANAGED = 'kube-register.io/managed';
/** An operator's veto: a node with it is never deregistered. */
const KEEP = 'kube-register.io/keep';

/** The id of the machine that the mark names, or undefined where there is no mark. An empty mark is none. */
export function markOf(node: Pick<NodeRecord, 'annotations'>): string | undefined {
  return node.annotations.get(MACHINE_ID) || undefined;
}

/**
 * Whether the operator vetoed the node's deletion, by annotation or by label. Whoever wrote `keep=yes` meant it too, so any
 * value but `false` counts.
 */
export function isKept(node: Pick<NodeRecord, 'labels' | 'annotations'>): boolean {
  return [node.annotations.get(KEEP), node.labels.get(KEEP)].some((value) => value !== undefined && value !== 'false');
}
