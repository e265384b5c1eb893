/** The observation of one pass: three questions, asked side by side, and answered completely or not at all. */
import type { FleetClient } from '../../fleet/machine.ts';
import type { Selector } from '../../fleet/selector.ts';
import type { Target } from '../../http/request-error.ts';
import type { KubeletAnswer, KubeletProber } from '../../kubelet/kubelet.ts';
import type { NodeRegistry } from '../../kubernetes/registry.ts';
import { type Liveness, livenessOf, type Observation, type Place } from '../evidence/liveness.ts';
import { Inventory, isCandidate, type Machine } from '../evidence/machines.ts';
import { isReporting, type Node } from '../evidence/node.ts';
import { type Listed, listedOf, type Pairing, pair } from '../evidence/pair.ts';
import { nodeName } from '../plan/action.ts';
import { type Memory, recall } from '../plan/memory.ts';
import type { Plan } from '../plan/plan.ts';
import { KubeletInquiry } from './kubelet-inquiry.ts';
import type { Namer } from './naming.ts';
import { NodeReader } from './node-reader.ts';

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

/** What the pass before left, and what is made of what is seen. */
export interface ObserveOptions {
  readonly memory: Memory;
  readonly ownerId: string;
  /** Monotonic ms. */
  readonly nowMs: number;
  plan(observation: Observation): Plan;
}

/**
 * Lists fleet's machines and the API server's nodes, side by side; asks the kubelets of candidates while fleet is still paging; then
 * reads whole what a metadata-only list left open, until all that the plan rests on was read in this pass. Before a machine is
 * registered the nodes are listed again: its kubelet may have registered itself since.
 *
 * Throws ObservationError; or the signal's reason when it was aborted.
 */
export async function observe(
  sources: Sources,
  { memory, ownerId, nowMs, plan: makePlan }: ObserveOptions,
  signal: AbortSignal,
): Promise<{ readonly observation: Observation; readonly plan: Plan }> {
  const inquiry = new KubeletInquiry(sources.kubelets, signal);
  const { machines, skippedRecords, listing } = await listBoth(sources, inquiry, signal);
  const names = await sources.namer.namesOf([...machines.values()].filter(isCandidate), signal);
  const known = recall(memory, listing.era);
  // Whether the machines of deregistered nodes come back tells whether they were rightly deregistered.
  for (const id of known.deregistered.keys()) askMachine(machines.get(id), inquiry);
  const reader = new NodeReader({ registry: sources.nodes, listing, memory: known, ownerId, nowMs, signal });

  await orKubernetesFailed(reader.readDue(), signal);
  for (let listedAgain = false; ; ) {
    const { nodes, era, unlistable } = reader;
    const listed = listedOf({ machines, nodes, names, era });
    const pairing = pair(listed);
    const liveness = livenessOf(listed, pairing, known.lastNodes);
    const kubelets = await askKubelets(listed, pairing, liveness, inquiry);
    const observation: Observation = { ...listed, pairing, liveness, skippedRecords, unlistable, kubelets };
    const plan = makePlan(observation);
    const registers = plan.actions.some(({ kind }) => kind === 'register');
    const open = leftOpen(observation, plan, registers);
    if (open.length > 0) {
      await orKubernetesFailed(reader.read(open), signal);
    } else if (registers && !listedAgain && unlistable === undefined) {
      await orKubernetesFailed(reader.listAgain(), signal);
      listedAgain = true;
    } else {
      return { observation, plan };
    }
  }
}

function askMachine(machine: Machine | undefined, inquiry: KubeletInquiry): void {
  if (machine?.address !== undefined) inquiry.ask(machine.address);
}

/** Asks the kubelet of every marked or paired node at its likeliest address, and at the others where no answer there is its own. */
async function askKubelets(
  listed: Listed,
  pairing: Pairing,
  liveness: Liveness,
  inquiry: KubeletInquiry,
): Promise<ReadonlyMap<string, KubeletAnswer>> {
  const asked = listed.nodes
    .filter(({ name, mark }) => mark !== undefined || pairing.byNode.has(name))
    .map((node) => liveness.placesOf(node));
  for (const [likeliest] of asked) if (likeliest !== undefined) inquiry.ask(likeliest.address);
  const first = await inquiry.answers();
  const isAnswered = ({ address, tenant }: Place) =>
    tenant === undefined && (first.get(address)?.state ?? 'silent') !== 'silent';
  const others = asked.filter((places) => !places.some(isAnswered)).flat();
  for (const { address } of others) inquiry.ask(address);
  return others.length === 0 ? first : inquiry.answers();
}

/** What the plan rests on, and has not been read in this pass. */
function leftOpen({ nodes, pairing, era }: Observation, plan: Plan, registers: boolean): readonly Node[] {
  const written = new Set(plan.actions.map(nodeName));
  return nodes.filter((node) => {
    if (node.isFresh) return false;
    if (pairing.met.has(node.name) || written.has(node.name) || !isReporting(node, era)) return true;
    if (registers && !pairing.byNode.has(node.name)) return true;
    const known = plan.evidence.get(node.name);
    return known !== undefined && known.answeredAt.length === 0;
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
  return { ...fleet.value, listing: kubernetes.value };
}

async function listMachines({ fleet, selector }: Sources, inquiry: KubeletInquiry, signal: AbortSignal) {
  const inventory = new Inventory(selector);
  let skippedRecords = 0;
  for await (const page of fleet.machinePages(signal)) {
    skippedRecords += page.skipped;
    for (const record of page.records) {
      const machine = inventory.add(record);
      if (isCandidate(machine)) inquiry.ask(machine.address);
    }
  }
  return { machines: inventory.machines, skippedRecords };
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
