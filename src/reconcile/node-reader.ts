/** The nodes that one pass knows: listed, and read whole where a list of metadata leaves a question open. */
import pLimit from 'p-limit';
import type { Era, NodeListing, NodeRecord, NodeRegistry } from '../kubernetes/registry.ts';
import type { Node } from './resolve.ts';

/** More nodes than this are read as one whole list. */
const READS_BEFORE_WHOLE_LIST = 100;
const READS_AT_ONCE = 20;

/** No node is read whole more than once. Its methods throw RequestError, or the signal's reason. */
export class NodeReader {
  readonly #registry: NodeRegistry;
  readonly #known: ReadonlyMap<string, Node['identity']>;
  readonly #signal: AbortSignal;
  #records: readonly NodeRecord[];
  #era: Era;
  readonly unlistable: string | undefined;

  constructor(
    registry: NodeRegistry,
    listing: NodeListing,
    known: ReadonlyMap<string, Node['identity']>,
    signal: AbortSignal,
  ) {
    this.#registry = registry;
    this.#records = listing.nodes;
    this.#era = listing.era;
    this.unlistable = listing.unlistable;
    this.#known = known;
    this.#signal = signal;
  }

  get nodes(): readonly Node[] {
    return this.#records.map(({ facts, ...metadata }) => ({
      ...metadata,
      identity: facts ?? this.#known.get(metadata.uid) ?? { machineId: '', addresses: [] },
      now: facts,
    }));
  }

  get era(): Era {
    return this.#era;
  }

  /** Reads the nodes whose uid was never read. */
  readNewcomers(): Promise<void> {
    return this.read(this.#records.filter(({ uid, facts }) => facts === undefined && !this.#known.has(uid)));
  }

  /** Takes the list as it is by now, with what was read in this pass already. */
  async listAgain(): Promise<void> {
    const read = new Map(this.#records.map(({ uid, facts }) => [uid, facts]));
    const { era, nodes, unlistable } = await this.#registry.list(this.#signal);
    if (unlistable !== undefined) return;
    this.#era = era;
    this.#records = nodes.map((record) => ({ ...record, facts: record.facts ?? read.get(record.uid) }));
    await this.readNewcomers();
  }

  /** A node that is gone by now leaves the list; one that took its name stands in for it. */
  async read(wanted: readonly { readonly name: string }[]): Promise<void> {
    if (wanted.length === 0) return;
    if (wanted.length > READS_BEFORE_WHOLE_LIST) {
      const { era, nodes } = await this.#registry.listWhole(this.#signal);
      this.#era = era;
      this.#records = nodes;
      return;
    }
    const limit = pLimit(READS_AT_ONCE);
    const read = await Promise.all(
      wanted.map(({ name }) => limit(async () => [name, await this.#registry.read(name, this.#signal)] as const)),
    );
    const fresh = new Map(read);
    this.#records = this.#records.flatMap((record) =>
      fresh.has(record.name) ? (fresh.get(record.name) ?? []) : record,
    );
  }
}
