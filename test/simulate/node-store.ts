/** What the API server has stored: nodes, with what stands on them, their finalizers and a backup. */
import type { MetadataChange, NodeDraft, ReadyCondition } from '../../src/kubernetes/registry.ts';

/** What a host's kubelet has posted to a node. */
interface Post {
  readonly sinceMs: number;
  readonly lastMs: number;
  /** The machine id in our annotation when it last posted. */
  readonly mark: string | undefined;
}

export interface StoredNode {
  readonly name: string;
  readonly uid: string;
  readonly createdAtMs: number;
  resourceVersion: number;
  readonly labels: Map<string, string>;
  readonly annotations: Map<string, string>;
  /** As reported, whether they can be used or not. */
  addresses: readonly string[];
  /** Since when these are its addresses. */
  addressedAtMs: number;
  machineId: string;
  ready: ReadyCondition;
  unschedulable: boolean;
  finalizers: readonly string[];
  /** Undefined unless it was deleted and waits for its finalizers. */
  deletedAtMs: number | undefined;
  /** By host name: since when its kubelet has posted without a gap, and when it did last. */
  readonly posts: Map<string, Post>;
  postedAtMs: number;
}

export class NodeStore {
  readonly nodes = new Map<string, StoredNode>();
  readonly #clock: { readonly nowMs: number };
  #backup: readonly StoredNode[] = [];
  #version = 0;

  constructor(clock: { readonly nowMs: number }) {
    this.#clock = clock;
  }

  create({ name, labels, annotations, address }: NodeDraft): StoredNode {
    const { nowMs } = this.#clock;
    const node: StoredNode = {
      name,
      uid: `uid-${this.#version + 1}`,
      createdAtMs: nowMs,
      resourceVersion: 0,
      labels: new Map(labels),
      annotations: new Map(annotations),
      addresses: [address],
      addressedAtMs: nowMs,
      machineId: '',
      ready: 'none',
      unschedulable: false,
      finalizers: [],
      deletedAtMs: undefined,
      posts: new Map(),
      postedAtMs: nowMs,
    };
    this.change(node);
    this.nodes.set(name, node);
    return node;
  }

  patch(node: StoredNode, { labels, annotations }: MetadataChange): void {
    merge(node.labels, labels);
    merge(node.annotations, annotations);
    this.change(node);
  }

  /** Whether it is gone: a node with finalizers stays until they are removed. */
  remove(node: StoredNode): 'removed' | 'leaving' {
    if (node.finalizers.length === 0) {
      this.nodes.delete(node.name);
      return 'removed';
    }
    node.deletedAtMs ??= this.#clock.nowMs;
    this.change(node);
    return 'leaving';
  }

  /** What a controller does to the nodes of which it holds a finalizer, once it runs. */
  finish(node: StoredNode): void {
    node.finalizers = [];
    this.change(node);
    if (node.deletedAtMs !== undefined) this.nodes.delete(node.name);
  }

  change(node: StoredNode): void {
    this.#version += 1;
    node.resourceVersion = this.#version;
  }

  /** As etcd's snapshot has them. */
  backUp(): void {
    this.#backup = [...this.nodes.values()].map(copyOf);
  }

  /** Nodes that came since are gone, and those that went are back, with the uids that they had. */
  restore(): void {
    this.nodes.clear();
    for (const node of this.#backup) this.nodes.set(node.name, { ...copyOf(node), addressedAtMs: this.#clock.nowMs });
  }
}

function merge(into: Map<string, string>, change: ReadonlyMap<string, string | null>): void {
  for (const [key, value] of change) {
    if (value === null) into.delete(key);
    else into.set(key, value);
  }
}

function copyOf(node: StoredNode): StoredNode {
  const { labels, annotations, posts } = node;
  return { ...node, labels: new Map(labels), annotations: new Map(annotations), posts: new Map(posts) };
}
