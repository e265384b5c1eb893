/** How one API version writes nodes down: where they are, what is sent, and how the answers are read. */
import type { z } from 'zod';
import type { MetadataChange, NodeDraft, NodeRecord } from '../registry.ts';

/** One page of a listing. `kind` is what the server calls it. */
interface NodePage {
  readonly kind: string;
  readonly nodes: readonly NodeRecord[];
  /** Asks for the next page; empty on the last. */
  readonly continue: string;
}

/** Which node a patch was made for. */
interface PatchedNode {
  /** Undefined where the server does not look at it. */
  readonly uid: string | undefined;
  /** Empty where it is not known. */
  readonly resourceVersion: string;
}

export interface Dialect {
  /** Of all nodes; one node is below it. */
  readonly path: string;
  /** Goes with every write. */
  readonly writeQuery: Readonly<Record<string, string>>;
  /** Whether lists come in pages, and of metadata alone, where the server can do that. */
  readonly hasPartialLists: boolean;
  readonly page: z.ZodType<NodePage>;
  /** One node, read whole. */
  readonly node: z.ZodType<NodeRecord>;
  /** The body of a create. */
  draft(draft: NodeDraft): unknown;
  /** The body of a merge patch that the server refuses when the node is another one by now. */
  patch(change: MetadataChange, of: PatchedNode): unknown;
  /** The body of a delete; undefined where no precondition was ever looked at. */
  preconditions(uid: string, resourceVersion: string): unknown;
}

/** Labels and annotations as JSON has them; a map without entries is left out. */
export function objectsOf({ labels, annotations }: MetadataChange) {
  return {
    ...(labels.size > 0 && { labels: Object.fromEntries(labels) }),
    ...(annotations.size > 0 && { annotations: Object.fromEntries(annotations) }),
  };
}
