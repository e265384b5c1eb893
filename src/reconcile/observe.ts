/** The observation of one pass: three questions, asked side by side, and answered completely or not at all. */
import pLimit from 'p-limit';
import type { FleetClient } from '../fleet/machine.ts';
import type { Selector } from '../fleet/selector.ts';
import type { Target } from '../http/request-error.ts';
import type { KubeletAnswer, KubeletProber } from '../kubelet/kubelet.ts';
import type { NodeRecord, NodeRegistry } from '../kubernetes/registry.ts';
import { isCandidate, Roster } from './machines.ts';
import { markOf } from './marks.ts';
import type { Memory } from './memory.ts';
import type { Namer } from './naming.ts';
import { type Match, type Node, resolve } from './resolve.ts';
import { loudest, machinesByAddress, type Observation, placesToAsk, type Sight } from './witnesses.ts';

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

/** What the pass before left, and what the plan will want to do with what is seen. */
export interface Outlook {
  readonly memory: Memory;
  /** Whether nodes may be given marks. */
  readonly adopt: boolean;
  /** Whether the plan would register a machine. */
  registers(observation: Observation): boolean;
}

/**
 * Lists fleet's machines and the API server's nodes, side by side; asks the kubelets of candidates while fleet is still paging; then
 * reads whole what a metadata-only list left open, until all that the plan will act on was read in this pass. Before a machine is
 * registered the nodes are listed again: its kubelet may have registered itself since.
 *
 * Throws ObservationError; or the signal's reason when it was aborted.
 */
export async function observe(sources: Sources, outlook: Outlook, signal: AbortSignal): Promise<Observation> {
  const inquiry = new KubeletInquiry(sources.kubelets, signal);
  const { machines, skippedRecords, nodes: listed } = await listBoth(sources, inquiry, signal);
  const candidates = [...machines.values()].filter(isCandidate);
  const names = await sources.namer.namesOf(candidates, signal);
  const machinesAt = machinesByAddress(machines.values());
  const reader = new NodeReader(sources.nodes, listed, outlook.memory.identities, signal);

  await orKubernetesFailed(reader.readNewcomers(), signal);
  for (let listedAgain = false; ; ) {
    const nodes = reader.nodes;
    const resolution = resolve(candidates, nodes, names);
    const sight: Sight = { machines, resolution, machinesAt };
    const kubelets = await askAround(nodes, sight, inquiry);
    const observation: Observation = { machines, skippedRecords, nodes, names, resolution, kubelets };
    const registers = outlook.registers(observation);
    const open = leftOpen(observation, sight, registers, outlook.adopt);
    if (open.length > 0) {
      await orKubernetesFailed(reader.read(open), signal);
    } else if (registers && !listedAgain) {
      await orKubernetesFailed(reader.listAgain(), signal);
      listedAgain = true;
    } else {
      return observation;
    }
  }
}

/** Asks the kubelet of every marked node at its likeliest address, and of those that are silent there at the others. */
async function askAround(
  nodes: readonly Node[],
  sight: Sight,
  inquiry: KubeletInquiry,
): Promise<ReadonlyMap<string, KubeletAnswer>> {
  const places = nodes.filter((node) => markOf(node) !== undefined).map((node) => placesToAsk(node, sight).addresses);
  for (const [likeliest] of places) if (likeliest !== undefined) inquiry.ask(likeliest);
  const first = await inquiry.answers();
  const others = places.filter((addresses) => loudest(addresses, first)?.state === 'silent').flat();
  for (const address of others) inquiry.ask(address);
  return others.length === 0 ? first : inquiry.answers();
}

/** What the plan may act on, or decide by, and has not been read in this pass. */
function leftOpen(observation: Observation, sight: Sight, registers: boolean, adopt: boolean): readonly Node[] {
  const { machines, nodes, resolution, kubelets } = observation;
  const disputed = disputedNames(observation);
  return nodes.filter((node) => {
    if (node.now !== undefined) return false;
    if (resolution.contested.has(node) || disputed.has(node.name)) return true;
    const match = resolution.byNode.get(node.name);
    const mark = markOf(node);
    if (match === undefined && registers) return true;
    if (match !== undefined && isAtAnothersAddress(match, sight)) return true;
    if (match !== undefined && mark !== match.machine.id) {
      return adopt && (mark === undefined || !machines.has(mark));
    }
    if (mark === undefined) return false;
    const answer = loudest(placesToAsk(node, sight).addresses, kubelets);
    return answer === undefined || answer.state === 'silent';
  });
}

/** The names of nodes that a machine without a node wants, by its name or because another machine has it. */
function disputedNames({ machines, names, resolution }: Observation): ReadonlySet<string> {
  const disputed = new Set<string>();
  for (const conflict of resolution.conflicts.values()) {
    if (conflict.kind === 'taken') disputed.add(conflict.node.name);
  }
  for (const machine of machines.values()) {
    const given = resolution.byMachine.has(machine.id) ? undefined : names.get(machine.id);
    if (given !== undefined && 'name' in given) disputed.add(given.name);
  }
  return disputed;
}

/** What was read of the node may be out of date when fleet gives an address that it carries to another machine than its own. */
function isAtAnothersAddress({ machine, node }: Match, { machinesAt }: Sight): boolean {
  return node.identity.addresses.some((address) => machinesAt.get(address)?.some((tenant) => tenant !== machine));
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
  readNewcomers(): Promise<void> {
    return this.read(this.#records.filter(({ uid, facts }) => facts === undefined && !this.#known.has(uid)));
  }

  /** Takes the list as it is by now, with what was read in this pass already. */
  async listAgain(): Promise<void> {
    const read = new Map(this.#records.map(({ uid, facts }) => [uid, facts]));
    const listed = await this.#registry.list(this.#signal);
    this.#records = listed.map((record) => ({ ...record, facts: record.facts ?? read.get(record.uid) }));
    await this.readNewcomers();
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
