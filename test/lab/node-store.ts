/** The nodes as etcd keeps them: a revision that grows with every change, and lists as of an earlier revision. */
import { randomUUID } from 'node:crypto';
import { itemJson, type Node, type NodeInput } from './node.ts';

export interface Snapshot {
  readonly revision: number;
  /** By name. */
  readonly nodes: readonly Node[];
}

/** How many snapshots of paged lists are kept. */
const SNAPSHOTS = 16;

export class NodeStore {
  readonly #nodes = new Map<string, Node>();
  readonly #snapshots = new Map<number, Snapshot>();
  #revision = 100;
  #latest: Snapshot | undefined;

  get(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  /** A node to be created: named and identified, not yet stored. */
  draft(input: NodeInput): Node {
    const { name, generateName } = input.metadata;
    return {
      ...input,
      metadata: {
        ...input.metadata,
        name: name === '' && generateName ? `${generateName}${randomUUID().slice(0, 5)}` : name,
        uid: randomUUID(),
        resourceVersion: undefined,
        deletionTimestamp: undefined,
        creationTimestamp: now(),
      },
    };
  }

  /** A node with new content, not yet stored. */
  revision(old: Node, input: NodeInput): Node {
    const { generateName, uid, resourceVersion, creationTimestamp, deletionTimestamp } = old.metadata;
    const kept = { generateName, uid, resourceVersion, creationTimestamp, deletionTimestamp };
    return { ...input, metadata: { ...input.metadata, ...kept } };
  }

  /** Marks a node as deleted: it stays until it has no finalizers any more. */
  leave(node: Node): Node {
    if (node.metadata.deletionTimestamp !== undefined) return node;
    const deletionTimestamp = now();
    return this.put({ ...node, metadata: { ...node.metadata, deletionTimestamp } });
  }

  /**
   * Stores a draft or a revision under a new resourceVersion; a revision that changes nothing keeps the old one, unless `always`. A
   * deleted node without finalizers is gone.
   */
  put(node: Node, { always = false } = {}): Node {
    const { name } = node.metadata;
    const old = this.#nodes.get(name);
    if (!always && old !== undefined && itemJson(old) === itemJson(node)) return old;
    this.#changed();
    const stored = { ...node, metadata: { ...node.metadata, resourceVersion: String(this.#revision) } };
    const { deletionTimestamp, finalizers } = node.metadata;
    if (deletionTimestamp !== undefined && finalizers === undefined) this.#nodes.delete(name);
    else this.#nodes.set(name, stored);
    return stored;
  }

  delete(name: string): void {
    if (this.#nodes.delete(name)) this.#changed();
  }

  list(): Snapshot {
    this.#latest ??= {
      revision: this.#revision,
      nodes: [...this.#nodes.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
    };
    return this.#latest;
  }

  /** Keeps a list for the pages to come; the oldest one kept is forgotten. */
  keep(snapshot: Snapshot): void {
    this.#snapshots.set(snapshot.revision, snapshot);
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > SNAPSHOTS && oldest !== undefined) this.#snapshots.delete(oldest);
  }

  kept(revision: number): Snapshot | undefined {
    return this.#snapshots.get(revision);
  }

  forgetSnapshots(): void {
    this.#snapshots.clear();
  }

  #changed(): void {
    this.#revision += 1;
    this.#latest = undefined;
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}
