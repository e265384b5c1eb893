/** The observation of one pass: three questions, asked side by side, and answered completely or not at all. */
import type { FleetClient } from '../fleet/machine.ts';
import type { Selector } from '../fleet/selector.ts';
import type { Target } from '../http/request-error.ts';
import type { KubeletAnswer, KubeletProber } from '../kubelet/kubelet.ts';
import type { NodeRegistry } from '../kubernetes/registry.ts';
import { KubeletInquiry } from './kubelet-inquiry.ts';
import { isCandidate, Roster } from './machines.ts';
import { markOf } from './marks.ts';
import type { Memory } from './memory.ts';
import type { Namer } from './naming.ts';
import { NodeReader } from './node-reader.ts';
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
  const { machines, skippedRecords, listing } = await listBoth(sources, inquiry, signal);
  const candidates = [...machines.values()].filter(isCandidate);
  const names = await sources.namer.namesOf(candidates, signal);
  const machinesAt = machinesByAddress(machines.values());
  const reader = new NodeReader(sources.nodes, listing, outlook.memory.identities, signal);

  await orKubernetesFailed(reader.readNewcomers(), signal);
  for (let listedAgain = false; ; ) {
    const nodes = reader.nodes;
    const resolution = resolve(candidates, nodes, names);
    const sight: Sight = { machines, machinesAt, resolution };
    const kubelets = await askAround(nodes, sight, inquiry);
    const { era, unlistable } = reader;
    const observation: Observation = { ...sight, skippedRecords, era, nodes, unlistable, names, kubelets };
    const registers = outlook.registers(observation);
    const open = leftOpen(observation, registers, outlook.adopt);
    if (open.length > 0) {
      await orKubernetesFailed(reader.read(open), signal);
    } else if (registers && !listedAgain && unlistable === undefined) {
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
function leftOpen(observation: Observation, registers: boolean, adopt: boolean): readonly Node[] {
  const { machines, nodes, resolution, kubelets } = observation;
  const isClaimed = claims(observation);
  return nodes.filter((node) => {
    if (node.now !== undefined) return false;
    if (resolution.contested.has(node)) return true;
    const match = resolution.byNode.get(node.name);
    const mark = markOf(node);
    if (match === undefined && (registers || isClaimed(node))) return true;
    if (match !== undefined && isDoubtful(match, observation)) return true;
    const isToBeMarked = match !== undefined && mark !== match.machine.id && !machines.has(mark ?? '');
    if (isToBeMarked && adopt) return true;
    if (mark === undefined) return false;
    const answer = loudest(placesToAsk(node, observation).addresses, kubelets);
    return answer === undefined || answer.state === 'silent';
  });
}

/** Tells whether a node without a machine has the name or an address of one: it may have become that machine's since it was read. */
function claims({ machines, names }: Observation): (node: Node) => boolean {
  const claimed = new Set<string>();
  for (const machine of machines.values()) {
    if (!isCandidate(machine)) continue;
    const given = names.get(machine.id);
    if (given !== undefined && 'name' in given) claimed.add(given.name);
    claimed.add(machine.address);
  }
  return ({ name, identity }) => claimed.has(name) || identity.addresses.some((address) => claimed.has(address));
}

/** What was read of a node may be out of date when another machine comes to it too, or has an address that it carries. */
function isDoubtful({ machine, node }: Match, { machinesAt, resolution }: Sight): boolean {
  return (
    resolution.shared.has(node) ||
    node.identity.addresses.some((address) => machinesAt.get(address)?.some((tenant) => tenant !== machine))
  );
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
  return { ...fleet.value, listing: kubernetes.value };
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
