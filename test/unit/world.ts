/** Builds small worlds for the tests of resolve and plan: machines, nodes and kubelets in, an observation out. */
import { matches, parseSelector } from '../../src/fleet/selector.ts';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import { eraOf } from '../../src/kubernetes/era.ts';
import type { Era } from '../../src/kubernetes/registry.ts';
import { isCandidate, type Machine } from '../../src/reconcile/machines.ts';
import { ADDRESS, MACHINE_ID, MANAGED, SINCE } from '../../src/reconcile/marks.ts';
import { EMPTY_MEMORY, type Memory } from '../../src/reconcile/memory.ts';
import { makePlan, type Plan } from '../../src/reconcile/plan.ts';
import type { Policy } from '../../src/reconcile/policy.ts';
import { type GivenName, type Node, resolve } from '../../src/reconcile/resolve.ts';
import { machinesByAddress, type Observation } from '../../src/reconcile/witnesses.ts';

const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const INTERVAL = 30 * SECOND;

const selector = parseSelector('role=kubernetes');

export function machine(id: string, address: string | undefined, metadata: Record<string, string> = {}): Machine {
  const all = new Map(Object.entries({ role: 'kubernetes', ...metadata }));
  return {
    id,
    address,
    metadata: all,
    matches: matches(selector, all),
    addresses: address === undefined ? [] : [address],
    problem: address === undefined ? 'no address' : undefined,
  };
}

const ERA = eraOf({ version: 'v1.20.2', apiVersion: 'v1' });

interface NodeTraits {
  uid?: string;
  mark?: string;
  machineId?: string;
  addresses?: readonly string[];
  ready?: 'ready' | 'not-ready' | 'none';
  cordoned?: boolean;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Not read in this pass. */
  unread?: boolean;
}

export function node(name: string, traits: NodeTraits = {}): Node {
  const { uid = `uid-${name}`, mark, machineId = '', ready = 'not-ready', cordoned = false } = traits;
  return {
    name,
    uid,
    resourceVersion: '1',
    labels: new Map(Object.entries(traits.labels ?? {})),
    annotations: new Map(
      Object.entries({ ...(mark === undefined ? {} : { [MACHINE_ID]: mark }), ...traits.annotations }),
    ),
    identity: { machineId, addresses: traits.addresses ?? [] },
    now: traits.unread === true ? undefined : { ready, unschedulable: cordoned },
  };
}

/** A node as this program registers it, of a machine at that address. */
export function ours(name: string, mark: string, address: string, traits: NodeTraits = {}): Node {
  return node(name, {
    mark,
    addresses: [address],
    ...traits,
    labels: { [MANAGED]: 'true', ...traits.labels },
    annotations: { [ADDRESS]: address, [SINCE]: '2026-01-01T00:00:00.000Z', ...traits.annotations },
  });
}

interface World {
  machines?: readonly Machine[];
  nodes?: readonly Node[];
  /** By address; a kubelet that is not here is silent. */
  kubelets?: Record<string, KubeletState>;
  names?: ReadonlyMap<string, GivenName>;
  skippedRecords?: number;
  era?: Era;
  unlistable?: string;
}

export function observed(world: World): Observation {
  const { machines = [], nodes = [], kubelets = {}, names, skippedRecords = 0, era = ERA, unlistable } = world;
  const candidates = machines.filter(isCandidate);
  const given = names ?? new Map(candidates.map(({ id, address }) => [id, { name: address }]));
  const addresses = new Set([
    ...candidates.map(({ address }) => address),
    ...machines.flatMap((each) => each.addresses),
    ...nodes.flatMap(({ identity }) => identity.addresses),
    ...nodes.flatMap(({ annotations }) => annotations.get(ADDRESS) ?? []),
  ]);
  return {
    machines: new Map(machines.map((each) => [each.id, each])),
    machinesAt: machinesByAddress(machines),
    skippedRecords,
    era,
    nodes,
    unlistable,
    names: given,
    resolution: resolve(candidates, nodes, given),
    kubelets: new Map(
      [...addresses].map((address) => {
        const state = kubelets[address] ?? 'silent';
        return [address, { state, detail: `${address} ${state}` }];
      }),
    ),
  };
}

/** The defaults of the settings. */
export const POLICY: Policy = {
  neverDeregister: undefined,
  adopt: true,
  missingGraceMs: 15 * MINUTE,
  unhealthyGraceMs: 30 * MINUTE,
  maxDeregisterPercent: 34,
  intervalMs: INTERVAL,
  nodeLabels: [],
};

/** A plan at a time, monotonic ms. */
export function planAt(ms: number, world: World, memory: Memory = EMPTY_MEMORY, policy: Partial<Policy> = {}): Plan {
  const now = { monotonicMs: ms, wall: new Date(Date.UTC(2026, 0, 2) + ms).toISOString() };
  return makePlan(observed(world), memory, { ...POLICY, ...policy }, now);
}

/** Passes over a world that does not change, one an interval, until one deregisters something or `forMs` are over. */
export function watchUntilDeregistered(
  world: World,
  { policy = {}, forMs = 2 * 60 * MINUTE }: { policy?: Partial<Policy>; forMs?: number } = {},
): { readonly plan: Plan; readonly ms: number } | undefined {
  let memory = EMPTY_MEMORY;
  for (let ms = 0; ms <= forMs; ms += INTERVAL) {
    const plan = planAt(ms, world, memory, policy);
    if (plan.actions.some(({ kind }) => kind === 'deregister')) return { plan, ms };
    memory = plan.memory;
  }
  return undefined;
}

/** `register 10.0.0.1`, sorted. */
export function told(plan: Plan): readonly string[] {
  return plan.actions
    .map((action) => `${action.kind} ${action.kind === 'register' ? action.draft.name : action.node.name}`)
    .sort();
}

/** Enough living nodes that the mass guard has nothing to say of one or two that are gone. */
export function bystanders(count: number): Required<Pick<World, 'machines' | 'nodes' | 'kubelets'>> {
  const addresses = Array.from({ length: count }, (_, index) => `10.9.${index >> 8}.${index & 255}`);
  return {
    machines: addresses.map((address) => machine(`by-${address}`, address)),
    nodes: addresses.map((address) => ours(address, `by-${address}`, address)),
    kubelets: Object.fromEntries(addresses.map((address) => [address, 'healthy'])),
  };
}
