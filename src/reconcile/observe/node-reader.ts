/** The nodes that one pass knows: listed, and read whole where a metadata-only list tells too little. */
import pLimit from 'p-limit';
import type { Era, NodeListing, NodeRecord, NodeRegistry } from '../../kubernetes/registry.ts';
import { type Node, toNode } from '../evidence/node.ts';
import { isUnsettled } from '../plan/memory/changes.ts';
import { type Memory, READ_VALID_MS } from '../plan/memory/memory.ts';

/** With more nodes than this to read, all are read as one list. */
const MAX_SINGLE_READS = 100;
const CONCURRENT_READS = 20;

export interface NodeReaderOptions {
  readonly registry: NodeRegistry;
  readonly listing: NodeListing;
  /** What earlier passes read. */
  readonly memory: Pick<Memory, 'reads' | 'changes'>;
  readonly ownerId: string;
  /** Monotonic ms. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Lists and reads the nodes of one pass, each node whole at most once. Its methods throw RequestError, or the signal's reason. */
export class NodeReader {
  readonly #options: NodeReaderOptions;
  #records: readonly NodeRecord[];
  #era: Era;
  #nodes: readonly Node[] | undefined;
  readonly unlistable: string | undefined;

  constructor(options: NodeReaderOptions) {
    this.#options = options;
    this.#records = options.listing.nodes;
    this.#era = options.listing.era;
    this.unlistable = options.listing.unlistable;
  }

  get nodes(): readonly Node[] {
    const { memory, ownerId } = this.#options;
    this.#nodes ??= this.#records.map((record) => toNode(record, ownerId, memory.reads.get(record.uid)?.facts));
    return this.#nodes;
  }

  get era(): Era {
    return this.#era;
  }

  /** Reads the nodes that were never read or not for ten minutes, and those whose identity changed within ten minutes. */
  readDue(): Promise<void> {
    const { memory, nowMs } = this.#options;
    return this.read(
      this.#records.filter(({ uid, facts }) => {
        if (facts !== undefined) return false;
        const atMs = memory.reads.get(uid)?.atMs;
        return atMs === undefined || nowMs - atMs >= READ_VALID_MS || isUnsettled(memory.changes, uid, nowMs);
      }),
    );
  }

  /** Lists the nodes again, and keeps what this pass has read already. */
  async listAgain(): Promise<void> {
    const { registry, signal } = this.#options;
    const read = new Map(this.#records.map(({ uid, facts }) => [uid, facts]));
    const { era, nodes, unlistable } = await registry.list(signal);
    if (unlistable !== undefined) return;
    this.#take(
      era,
      nodes.map((record) => ({ ...record, facts: record.facts ?? read.get(record.uid) })),
    );
    await this.readDue();
  }

  /** Reads these nodes whole. A node that is gone by now is dropped; another node that has its name now replaces it. */
  async read(wanted: readonly { readonly name: string }[]): Promise<void> {
    const { registry, signal } = this.#options;
    if (wanted.length === 0) return;
    if (wanted.length > MAX_SINGLE_READS) {
      const { era, nodes } = await registry.listWhole(signal);
      this.#take(era, nodes);
      return;
    }
    const limit = pLimit(CONCURRENT_READS);
    const read = await Promise.all(
      wanted.map(({ name }) => limit(async () => [name, await registry.read(name, signal)] as const)),
    );
    const fresh = new Map(read);
    this.#take(
      this.#era,
      this.#records.flatMap((record) => (fresh.has(record.name) ? (fresh.get(record.name) ?? []) : record)),
    );
  }

  #take(era: Era, records: readonly NodeRecord[]): void {
    this.#era = era;
    this.#records = records;
    this.#nodes = undefined;
  }
}
