/** The observation of one pass: fleet, kubelets and Kubernetes, in parallel; complete, or an error. */
import type { FleetClient } from '../../fleet/machine.ts';
import type { Selector } from '../../fleet/selector.ts';
import type { Target } from '../../http/request-error.ts';
import type { KubeletAnswer, KubeletProber } from '../../kubelet/kubelet.ts';
import type { NodeRegistry } from '../../kubernetes/registry.ts';
import { forEach, type Steps } from '../../time/steps.ts';
import type { KubeletEndpoint } from '../evidence/endpoints.ts';
import { type Liveness, livenessInSteps, type Observation } from '../evidence/liveness.ts';
import { Inventory, isCandidate, type Machine } from '../evidence/machines.ts';
import { isReporting, type Node } from '../evidence/node.ts';
import { type IndexedLists, indexLists, type Lists, type Pairing, pairInSteps } from '../evidence/pair.ts';
import { nodeName } from '../plan/action.ts';
import { type Memory, memoryFor } from '../plan/memory/memory.ts';
import type { Plan } from '../plan/plan.ts';
import { KubeletChecks } from './kubelet-checks.ts';
import type { Namer } from './naming.ts';
import { NodeReader } from './node-reader.ts';
import { inTurnsIfLarge, turnIfLarge } from './turns.ts';

/** The clients that a pass observes with. */
export interface Sources {
  readonly fleet: FleetClient;
  readonly selector: Selector;
  readonly kubelets: KubeletProber;
  readonly nodes: NodeRegistry;
  readonly namer: Namer;
}

/** fleet, Kubernetes or both did not answer completely: there is no observation. */
export class ObservationError extends Error {
  override readonly name = 'ObservationError';
  readonly failures: ReadonlyMap<Target, Error>;

  constructor(failures: ReadonlyMap<Target, Error>) {
    super([...failures.values()].map(({ message }) => message).join('; '));
    this.failures = failures;
  }
}

/** What an observation needs beside the clients. */
export interface ObserveOptions {
  readonly memory: Memory;
  readonly ownerId: string;
  /** Monotonic ms. */
  readonly nowMs: number;
  plan(observation: Observation): Plan | Promise<Plan>;
}

/**
 * Lists fleet's machines and the API server's nodes in parallel, and checks the kubelets of candidates while fleet is still paging. Then
 * it reads the nodes of which a metadata-only list tells too little, until everything that the plan depends on was read in this pass.
 * Before a machine is registered the nodes are listed again: its kubelet may have registered itself meanwhile.
 *
 * Throws ObservationError; or the signal's reason when it was aborted.
 */
export async function observe(
  sources: Sources,
  { memory, ownerId, nowMs, plan: makePlan }: ObserveOptions,
  signal: AbortSignal,
): Promise<{ readonly observation: Observation; readonly plan: Plan }> {
  const checks = new KubeletChecks(sources.kubelets, signal);
  const { machines, skippedRecords, listing } = await listBoth(sources, checks, signal);
  await turnIfLarge({ machines, nodes: listing.nodes });
  const names = await sources.namer.namesOf([...machines.values()].filter(isCandidate), signal);
  const known = memoryFor(memory, listing.era);
  // Machines of deregistered nodes that return show that the deregistration was wrong.
  for (const id of known.deregistered.keys()) checkMachine(machines.get(id), checks);
  const reader = new NodeReader({ registry: sources.nodes, listing, memory: known, ownerId, nowMs, signal });

  await orKubernetesFailed(reader.readDue(), signal);
  for (let listedAgain = false; ; ) {
    await turnIfLarge({ machines, nodes: listing.nodes });
    const { nodes, era, unlistable } = reader;
    const { lists, pairing, liveness } = await inTurnsIfLarge(
      { machines, nodes },
      pairSteps({ machines, nodes, names, era }, known),
    );
    await turnIfLarge(lists);
    const kubelets = await checkKubelets(lists, pairing, liveness, checks);
    const observation: Observation = { ...lists, pairing, liveness, skippedRecords, unlistable, kubelets };
    const plan = await makePlan(observation);
    await turnIfLarge(lists);
    const registers = plan.actions.some(({ kind }) => kind === 'register');
    const unread = findUnread(observation, plan, registers);
    if (unread.length > 0) {
      await orKubernetesFailed(reader.read(unread), signal);
    } else if (registers && !listedAgain && unlistable === undefined) {
      await orKubernetesFailed(reader.listAgain(), signal);
      listedAgain = true;
    } else {
      return { observation, plan };
    }
  }
}

/** Pairs machines with nodes and finds out where each node's kubelet may be. */
function* pairSteps(
  listed: Lists,
  known: Memory,
): Steps<{ lists: IndexedLists; pairing: Pairing; liveness: Liveness }> {
  const lists = indexLists(listed);
  yield;
  const pairing = yield* pairInSteps(lists);
  yield;
  const liveness = yield* livenessInSteps(lists, pairing, known);
  yield;
  // It remembers them.
  yield* forEach(lists.nodes, (node) => isChecked(node, pairing) && liveness.endpointsOf(node));
  return { lists, pairing, liveness };
}

function checkMachine(machine: Machine | undefined, checks: KubeletChecks): void {
  if (machine?.address !== undefined) checks.start(machine.address);
}

/** Whether the node is managed or paired. */
function isChecked({ name, mark }: Node, pairing: Pairing): boolean {
  return mark !== undefined || pairing.byNode.has(name);
}

/** Checks the kubelet of every managed or paired node at its likeliest address, and at the others where no answer there is its own. */
async function checkKubelets(
  lists: IndexedLists,
  pairing: Pairing,
  liveness: Liveness,
  checks: KubeletChecks,
): Promise<ReadonlyMap<string, KubeletAnswer>> {
  const endpointsOfNodes = lists.nodes
    .filter((node) => isChecked(node, pairing))
    .map((node) => liveness.endpointsOf(node));
  for (const [likeliest] of endpointsOfNodes) if (likeliest !== undefined) checks.start(likeliest.address);
  const first = await checks.answers();
  const isAnswered = ({ address, otherNode }: KubeletEndpoint) =>
    otherNode === undefined && (first.get(address)?.state ?? 'silent') !== 'silent';
  const others = endpointsOfNodes.filter((endpoints) => !endpoints.some(isAnswered)).flat();
  for (const { address } of others) checks.start(address);
  return others.length === 0 ? first : checks.answers();
}

/** The nodes that the plan depends on and that were not read in this pass. */
function findUnread({ nodes, pairing, era }: Observation, plan: Plan, registers: boolean): readonly Node[] {
  const written = new Set(plan.actions.map(nodeName));
  return nodes.filter((node) => {
    if (node.isFresh) return false;
    if (pairing.claimedTwice.has(node.name) || written.has(node.name) || !isReporting(node, era)) return true;
    if (registers && !pairing.byNode.has(node.name)) return true;
    const known = plan.evidence.get(node.name);
    return known !== undefined && known.answeredAt.length === 0;
  });
}

/** fleet's machines and the API server's nodes. It waits for both, so that both are known to be reachable or not. */
async function listBoth(sources: Sources, checks: KubeletChecks, signal: AbortSignal) {
  const [fleet, kubernetes] = await Promise.allSettled([
    listMachines(sources, checks, signal),
    sources.nodes.list(signal),
  ]);
  signal.throwIfAborted();
  const failures = new Map<Target, Error>();
  if (fleet.status === 'rejected') failures.set('fleet', asError(fleet.reason));
  if (kubernetes.status === 'rejected') failures.set('kubernetes', asError(kubernetes.reason));
  if (fleet.status === 'rejected' || kubernetes.status === 'rejected') throw new ObservationError(failures);
  return { ...fleet.value, listing: kubernetes.value };
}

async function listMachines({ fleet, selector }: Sources, checks: KubeletChecks, signal: AbortSignal) {
  const inventory = new Inventory(selector);
  let skippedRecords = 0;
  for await (const page of fleet.machinePages(signal)) {
    skippedRecords += page.skipped;
    for (const record of page.records) {
      const machine = inventory.add(record);
      if (isCandidate(machine)) checks.start(machine.address);
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
