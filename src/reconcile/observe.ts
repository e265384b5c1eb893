/** The observation of one pass: three questions, asked side by side, and answered completely or not at all. */
import pLimit from 'p-limit';
import type { FleetClient } from '../fleet/machine.ts';
import type { Selector } from '../fleet/selector.ts';
import type { Target } from '../http/request-error.ts';
import type { KubeletAnswer, KubeletProber } from '../kubelet/kubelet.ts';
import type { NodeRecord, NodeRegistry } from '../kubernetes/registry.ts';
import { isCandidate, type Machine, Roster } from './machines.ts';
import { markOf } from './marks.ts';
import type { Memory } from './memory.ts';
import type { Namer } from './naming.ts';
import { registersAny } from './registration.ts';
import { type Node, resolve } from './resolve.ts';
import { machinesByAddress, type Observation, whereToAsk } from './witnesses.ts';

/** Whom a pass asks. */
export interface Sources {
  readonly fleet: FleetClient;
  readonly selector: Selector;
  readonly kubelets: KubeletProber;
  readonly nodes: NodeRegistry;
  readonly namer: Namer;
}

/** fleet, Kubernetes or both did not answer completely, so nothing is known. */
export class ObservationError extends Error {
  override readonly name = 'ObservationError';
  readonly failures: ReadonlyMap<Target, Error>;

  constructor(failures: ReadonlyMap<Target, Error>) {
    super([...failures.values()].map(({ message }) => message).join('; '));
    this.failures = failures;
  }
}

/** More nodes than this are read as one whole list. */
const READS_BEFORE_WHOLE_LIST = 100;
const READS_AT_ONCE = 20;

/**
 * Lists fleet's machines and the API server's nodes, side by side; asks the kubelets of candidates while fleet is still paging; then
 * reads whole what a metadata-only list left open, until all that the plan will act on was read in this pass.
 *
 * Throws ObservationError; or the signal's reason when it was aborted.
 */
export async function observe(sources: Sources, memory: Memory, signal: AbortSignal): Promise<Observation> {
  const inquiry = new KubeletInquiry(sources.kubelets, signal);
  const { machines, skippedRecords, nodes: listed } = await listBoth(sources, inquiry, signal);
  const candidates = [...machines.values()].filter(isCandidate);
  const names = await sources.namer.namesOf(candidates, signal);
  const machinesAt = machinesByAddress(machines.values());
  const reader = new NodeReader(sources.nodes, listed, memory.identities, signal);

  await reader.readNewcomers();
  for (;;) {
    const nodes = reader.nodes;
    const resolution = resolve(candidates, nodes, names);
    for (const node of nodes) {
      if (markOf(node) === undefined) continue;
      const place = whereToAsk(node, { machines, resolution, machinesAt });
      if ('address' in place) inquiry.ask(place.address);
    }
    const kubelets = await inquiry.answers();
    const observation: Observation = { machines, skippedRecords, nodes, names, resolution, kubelets };
    const open = leftOpen(observation, machinesAt, memory);
    if (open.length === 0) return observation;
    await orKubernetesFailed(reader.read(open), signal);
  }
}

/** What the plan may act on, or decide by, and has not been read in this pass. */
function leftOpen(
  observation: Observation,
  machinesAt: ReadonlyMap<string, readonly Machine[]>,
  memory: Memory,
): readonly Node[] {
  const { machines, nodes, resolution, kubelets } = observation;
  const registers = registersAny(observation, memory);
  return nodes.filter((node) => {
    if (node.now !== undefined) return false;
    const match = resolution.byNode.get(node.name);
    if (resolution.contested.has(node)) return true;
    if (match === undefined && registers) return true;
    const mark = markOf(node);
    // To be adopted, or to be given another machine's mark.
    if (match !== undefined && mark !== match.machine.id) return true;
    if (mark === undefined) return false;
    const place = whereToAsk(node, { machines, resolution, machinesAt });
    const answer = 'address' in place ? kubelets.get(place.address) : undefined;
    return answer === undefined || answer.state === 'silent';
  });
}

/** fleet's machines and the API server's nodes. Both are waited for, so that each is known to be up or down. */
async function listBoth(sources: Sources, inquiry: KubeletInquiry, signal: AbortSignal) {
  const [fleet, kubernetes] = await Promise.allSettled([
    listMachines(sources, inquiry, signal),
    sources.nodes.list(signal),
  ]);
  signal.throwIfAborted();
  const failures = new Map<Target, Error>();
  if (fleet.status === 'rejected') failures.set('fleet', asError(fleet.reason));
  if (kubernetes.status === 'rejected') failures.set('kubernetes', asError(kubernetes.reason));
  if (fleet.status === 'rejected' || kubernetes.status === 'rejected') throw new ObservationError(failures);
  return { ...fleet.value, nodes: kubernetes.value };
}

async function listMachines({ fleet, selector }: Sources, inquiry: KubeletInquiry, signal: AbortSignal) {
  const roster = new Roster(selector);
  let skippedRecords = 0;
  for await (const page of fleet.machinePages(signal)) {
    skippedRecords += page.skipped;
    for (const record of page.records) {
      const machine = roster.add(record);
      if (isCandidate(machine)) inquiry.ask(machine.address);
    }
  }
  return { machines: roster.machines, skippedRecords };
}

/** Asks each kubelet once a pass, however many machines or nodes it is asked for. */
class KubeletInquiry {
  readonly #prober: KubeletProber;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<string, Promise<KubeletAnswer>>();

  constructor(prober: KubeletProber, signal: AbortSignal) {
    this.#prober = prober;
    this.#signal = signal;
  }

  ask(address: string): void {
    if (this.#asked.has(address)) return;
    const answer = this.#prober.check(address, this.#signal);
    // A pass that ends early leaves nobody to hear the rejection.
    answer.catch(() => {});
    this.#asked.set(address, answer);
  }

  async answers(): Promise<ReadonlyMap<string, KubeletAnswer>> {
    const entries = [...this.#asked].map(async ([address, answer]) => [address, await answer] as const);
    return new Map(await Promise.all(entries));
  }
}

/** The nodes of a pass, each of them read whole at most once. */
class NodeReader {
  readonly #registry: NodeRegistry;
  readonly #known: ReadonlyMap<string, Node['identity']>;
  readonly #signal: AbortSignal;
  #records: readonly NodeRecord[];

  constructor(
    registry: NodeRegistry,
    records: readonly NodeRecord[],
    known: ReadonlyMap<string, Node['identity']>,
    signal: AbortSignal,
  ) {
    this.#registry = registry;
    this.#records = records;
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

  /** Reads the nodes whose uid was never read. */
  async readNewcomers(): Promise<void> {
    const newcomers = this.#records.filter(({ uid, facts }) => facts === undefined && !this.#known.has(uid));
    await orKubernetesFailed(this.read(newcomers), this.#signal);
  }

  /** A node that is gone by now leaves the list; one that took its name stands in for it. */
  async read(wanted: readonly { readonly name: string }[]): Promise<void> {
    if (wanted.length === 0) return;
    if (wanted.length > READS_BEFORE_WHOLE_LIST) {
      this.#records = await this.#registry.listWhole(this.#signal);
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

async function orKubernetesFailed(reading: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await reading;
  } catch (error) {
    signal.throwIfAborted();
    throw new ObservationError(new Map([['kubernetes', asError(error)]]));
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
