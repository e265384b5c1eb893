/** Builds small worlds for the tests of the plan: machines, nodes and kubelets in, an observation out. */
import { matches, parseSelector } from '../../../src/fleet/selector.ts';
import type { KubeletState } from '../../../src/kubelet/kubelet.ts';
import { eraOf } from '../../../src/kubernetes/era.ts';
import type { Era, NodeRecord, ReadyCondition } from '../../../src/kubernetes/registry.ts';
import { livenessOf, type Observation } from '../../../src/reconcile/evidence/liveness.ts';
import { isCandidate, type Machine } from '../../../src/reconcile/evidence/machines.ts';
import {
  ADDRESS,
  DEFAULT_OWNER,
  MACHINE_ID,
  MANAGED,
  ORIGIN,
  type Origin,
  OWNER,
  SINCE,
} from '../../../src/reconcile/evidence/marks.ts';
import { type Node, toNode } from '../../../src/reconcile/evidence/node.ts';
import { type GivenName, indexLists, pair } from '../../../src/reconcile/evidence/pair.ts';
import { EMPTY_MEMORY, type Memory } from '../../../src/reconcile/plan/memory/memory.ts';
import { makePlan, type Plan } from '../../../src/reconcile/plan/plan.ts';
import type { Policy } from '../../../src/reconcile/plan/policy.ts';

const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const INTERVAL = 30 * SECOND;

export const SELECTOR = parseSelector('role=kubernetes');

export function machine(id: string, address: string | undefined, metadata: Record<string, string> = {}): Machine {
  const all = new Map(Object.entries({ role: 'kubernetes', ...metadata }));
  return {
    id,
    address,
    metadata: all,
    matches: matches(SELECTOR, all),
    addresses: address === undefined ? [] : [address],
    problem: address === undefined ? 'no address' : undefined,
  };
}

/** A machine whose id was cloned: fleet lists it with several addresses, so none of them is the one. */
export function clone(id: string, ...addresses: string[]): Machine {
  return { ...machine(id, undefined), addresses, problem: 'several addresses' };
}

export const ERAS = {
  'v0.8': eraOf({ version: 'v0.8.4', apiVersion: 'v1beta2' }),
  'v0.9': eraOf({ version: 'v0.9.3', apiVersion: 'v1beta2' }),
  'v0.12': eraOf({ version: 'v0.12.2', apiVersion: 'v1beta2' }),
  'v0.13': eraOf({ version: 'v0.13.2', apiVersion: 'v1beta2' }),
  'v0.17': eraOf({ version: 'v0.17.1', apiVersion: 'v1beta3' }),
  'v1.0': eraOf({ version: 'v1.0.7', apiVersion: 'v1' }),
  'v1.20': eraOf({ version: 'v1.20.2', apiVersion: 'v1' }),
} as const;

export interface NodeTraits {
  uid?: string;
  /** The machine id that the mark names. */
  mark?: string;
  owner?: string;
  origin?: Origin;
  /** What its kubelet reports. */
  machineId?: string;
  addresses?: readonly string[];
  /** `unknown` unless it is set: its kubelet posts nothing. */
  ready?: ReadyCondition;
  /** `cannot tell`: spec.unschedulable has an unknown shape. */
  cordoned?: boolean | 'cannot tell';
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** It was deleted and waits for these finalizers. */
  leaving?: readonly string[];
  /** `stale`: read in an earlier pass. `never`: only its metadata is known. */
  read?: 'fresh' | 'stale' | 'never';
}

/** A node as an API server keeps it. */
export function record(name: string, traits: NodeTraits = {}): NodeRecord {
  const { uid = `uid-${name}`, mark, owner, origin, cordoned = false, leaving } = traits;
  const marks = { [MACHINE_ID]: mark, [OWNER]: owner, [ORIGIN]: origin, ...traits.annotations };
  const annotations = Object.entries(marks).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return {
    name,
    uid,
    resourceVersion: '1',
    labels: new Map(Object.entries(traits.labels ?? {})),
    annotations: new Map(annotations as [string, string][]),
    leaving: leaving && { since: '2026-01-01T00:00:00Z', finalizers: leaving },
    facts: {
      machineId: traits.machineId ?? '',
      addresses: traits.addresses ?? [],
      ready: traits.ready ?? 'unknown',
      unschedulable: cordoned === 'cannot tell' ? undefined : cordoned,
    },
  };
}

export function node(name: string, traits: NodeTraits = {}): Node {
  const { read = 'fresh' } = traits;
  const whole = record(name, traits);
  if (read === 'fresh') return toNode(whole, DEFAULT_OWNER);
  const { facts, ...metadata } = whole;
  return toNode({ ...metadata, facts: undefined }, DEFAULT_OWNER, read === 'stale' ? facts : undefined);
}

/** The traits of a node that this program has registered or adopted: nothing on it has to be changed. */
export function marked(mark: string, address: string, traits: NodeTraits = {}): NodeTraits {
  return {
    mark,
    addresses: [address],
    origin: 'named',
    owner: DEFAULT_OWNER,
    ...traits,
    labels: { [MANAGED]: 'true', ...traits.labels },
    annotations: { [ADDRESS]: address, [SINCE]: '2026-01-01T00:00:00.000Z', ...traits.annotations },
  };
}

/** A node as this program registers it, of a machine at that address. */
export function ours(name: string, mark: string, address: string, traits: NodeTraits = {}): Node {
  return node(name, marked(mark, address, traits));
}

export interface World {
  machines?: readonly Machine[];
  nodes?: readonly Node[];
  /** By address; a kubelet that is not here is silent, as one is that refuses connections. */
  kubelets?: Record<string, KubeletState | 'hung'>;
  /** Addresses that nobody asked. */
  unasked?: readonly string[];
  names?: ReadonlyMap<string, GivenName>;
  skippedRecords?: number;
  era?: Era;
  unlistable?: string;
}

export function observed(world: World): Observation {
  const { machines = [], nodes = [], kubelets = {}, skippedRecords = 0, era = ERAS['v1.20'], unlistable } = world;
  const candidates = machines.filter(isCandidate);
  const names = world.names ?? new Map(candidates.map(({ id, address }) => [id, { name: address }]));
  const addresses = new Set([
    ...machines.flatMap((each) => each.addresses),
    ...nodes.flatMap(({ facts }) => facts?.addresses ?? []),
    ...nodes.flatMap(({ annotations }) => annotations.get(ADDRESS) ?? []),
  ]);
  for (const address of world.unasked ?? []) addresses.delete(address);
  const listed = indexLists({ machines: new Map(machines.map((each) => [each.id, each])), nodes, names, era });
  const pairing = pair(listed);
  return {
    ...listed,
    pairing,
    liveness: livenessOf(listed, pairing),
    skippedRecords,
    unlistable,
    kubelets: new Map(
      [...addresses].map((address) => {
        const given = kubelets[address] ?? 'silent';
        const state = given === 'hung' ? 'silent' : given;
        return [address, { state, detail: `${address} ${state}`, ...(given === 'hung' && { timedOut: true }) }];
      }),
    ),
  };
}

/** What NODE_NAME gives, by machine id. */
export function named(names: Record<string, string>): ReadonlyMap<string, GivenName> {
  return new Map(Object.entries(names).map(([id, name]) => [id, { name }]));
}

/** The defaults of the settings. */
export const POLICY: Policy = {
  neverDeregister: undefined,
  adopt: true,
  ownerId: DEFAULT_OWNER,
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

/** Good passes one after the other, an interval apart, each with the memory of the one before. Nothing is carried out. */
export class Watch {
  memory: Memory = EMPTY_MEMORY;
  /** Of the next pass. */
  ms = 0;
  readonly #policy: Partial<Policy>;

  constructor(policy: Partial<Policy> = {}) {
    this.#policy = policy;
  }

  pass(world: World): Plan {
    const plan = planAt(this.ms, world, this.memory, this.#policy);
    this.memory = plan.memory;
    this.ms += INTERVAL;
    return plan;
  }

  /** The last plan of so many passes over a world that does not change. */
  passes(count: number, world: World): Plan {
    for (let more = count; more > 1; more--) this.pass(world);
    return this.pass(world);
  }

  /** The last plan of passes for so long, watched time. */
  passFor(ms: number, world: World): Plan {
    return this.passes(ms / INTERVAL + 1, world);
  }
}

/** Passes over a world that does not change, one an interval, until one deregisters something or `forMs` are over. */
export function watchUntilDeregistered(
  world: World,
  {
    policy = {},
    forMs = HOUR,
    before,
  }: {
    policy?: Partial<Policy>;
    forMs?: number;
    /** What the pass before the first one saw: who answered then has been heard. */
    before?: World;
  } = {},
): { readonly plan: Plan; readonly ms: number } | undefined {
  let memory = before === undefined ? EMPTY_MEMORY : planAt(-INTERVAL, before, EMPTY_MEMORY, policy).memory;
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

/** Enough living nodes that the deletion guard has nothing to say of one or two that are gone. */
export function bystanders(count: number): Required<Pick<World, 'machines' | 'nodes' | 'kubelets'>> {
  const addresses = Array.from({ length: count }, (_, index) => `10.9.${index >> 8}.${index & 255}`);
  return {
    machines: addresses.map((address) => machine(`by-${address}`, address)),
    nodes: addresses.map((address) =>
      ours(address, `by-${address}`, address, { machineId: `by-${address}`, ready: 'true' }),
    ),
    kubelets: Object.fromEntries(addresses.map((address) => [address, 'healthy'])),
  };
}

/** Two worlds side by side; the kubelets of the second win. */
export function beside(one: World, other: World): World {
  return {
    ...one,
    ...other,
    machines: [...(one.machines ?? []), ...(other.machines ?? [])],
    nodes: [...(one.nodes ?? []), ...(other.nodes ?? [])],
    kubelets: { ...one.kubelets, ...other.kubelets },
  };
}
