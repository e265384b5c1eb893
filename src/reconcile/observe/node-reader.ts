/** The nodes that one pass knows: listed, and read whole where a list of metadata leaves a question open. */
import pLimit from 'p-limit';
import type { Era, NodeListing, NodeRecord, NodeRegistry } from '../../kubernetes/registry.ts';
import { type Node, toNode } from '../evidence/node.ts';
import { isUnsettled, type Memory, READ_STANDS_MS } from '../plan/memory.ts';

/** More nodes than this are read as one whole list. */
const READS_BEFORE_WHOLE_LIST = 100;
const READS_AT_ONCE = 20;

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

/** No node is read whole more than once. Its methods throw RequestError, or the signal's reason. */
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

  /** Reads the nodes that were never read, those of which what was read no longer stands, and those whose identity changed lately. */
  readDue(): Promise<void> {
    const { memory, nowMs } = this.#options;
    return this.read(
      this.#records.filter(({ uid, facts }) => {
        if (facts !== undefined) return false;
        const atMs = memory.reads.get(uid)?.atMs;
        return atMs === undefined || nowMs - atMs >= READ_STANDS_MS || isUnsettled(memory, uid, nowMs);
      }),
    );
  }

  /** Takes the list as it is by now, with what was read in this pass already. */
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

  /** A node that is gone by now leaves the list; one that took its name stands in for it. */
  async read(wanted: readonly { readonly name: string }[]): Promise<void> {
    const { registry, signal } = this.#options;
    if (wanted.length === 0) return;
    if (wanted.length > READS_BEFORE_WHOLE_LIST) {
      const { era, nodes } = await registry.listWhole(signal);
      this.#take(era, nodes);
      return;
    }
    const limit = pLimit(READS_AT_ONCE);
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
