/** A node as one pass knows it: what is listed, what was read last, and who manages it. */
import { isIP } from 'node:net';
import type { Era, NodeFacts, NodeRecord } from '../../kubernetes/registry.ts';
import { type Mark, markOf, otherOwnerOf } from './marks.ts';

export interface Node extends NodeRecord {
  /** What was read last, at most ten minutes ago; undefined where it was never read. */
  readonly facts: NodeFacts | undefined;
  /** Whether `facts` was read in this pass. */
  readonly isFresh: boolean;
  /** Whether its kubelet has posted between the last pass and this one, although it is Unknown in both. */
  readonly hasPosted: boolean;
  readonly mark: Mark | undefined;
  /** The OWNER_ID of another kube-register that manages it. */
  readonly otherOwner: string | undefined;
}

/** The node of a record. `before` is what an earlier pass read of it. */
export function toNode(record: NodeRecord, ownerId: string, before?: NodeFacts): Node {
  // Field by field: a spread costs several times as much, and a pass makes one of these for every node.
  const { name, uid, resourceVersion, labels, annotations, leaving, facts } = record;
  const mark = markOf(record, ownerId);
  return {
    name,
    uid,
    resourceVersion,
    labels,
    annotations,
    leaving,
    facts: facts ?? before,
    isFresh: facts !== undefined,
    hasPosted: hasPosted(before, facts),
    mark,
    otherOwner: mark === undefined ? otherOwnerOf(record, ownerId) : undefined,
  };
}

/** Whether the kubelet has posted between two readings, which both say Unknown: it posts less often than the node controller waits for it. */
export function hasPosted(before: NodeFacts | undefined, now: NodeFacts | undefined): boolean {
  return before?.heardAt !== undefined && now?.heardAt !== undefined && now.heardAt !== before.heardAt;
}

/** Whether the node's kubelet writes its status. See Era: before v1.0 others write False for an unreachable kubelet. */
export function isReporting(
  { facts, hasPosted = false }: Pick<NodeRecord, 'facts'> & { readonly hasPosted?: boolean },
  era: Era,
): boolean {
  if (era.hidesMinions || facts?.ready === 'true') return true;
  return (facts?.ready === 'false' || hasPosted) && era.falseIsReporting;
}

/** The addresses that the node reports; empty where it reports none that can be used. */
export function addressesOf({ facts }: Pick<NodeRecord, 'facts'>): readonly string[] {
  return facts?.addresses ?? [];
}

export function reports(node: Pick<NodeRecord, 'facts'>, address: string): boolean {
  return addressesOf(node).includes(address);
}

/**
 * Whether the kubelet chose the node's name. Without the annotation, a name counts as chosen when NODE_NAME gives it to no machine now and it
 * is not an address.
 */
export function hasOwnName({ name, mark }: Node, givenNames: ReadonlySet<string>): boolean {
  if (mark?.origin !== undefined) return mark.origin === 'own-name';
  return !givenNames.has(name) && isIP(name) === 0;
}
