/** A small cluster in memory, and the real reconciler over it: what passes do to it, one after the other, whatever the API server sends with its list. */

import type { MachineRecord } from '../../../src/fleet/machine.ts';
import type { KubeletState } from '../../../src/kubelet/kubelet.ts';
import type { Era, MetadataChange, NodeFacts, NodeRecord, NodeRegistry } from '../../../src/kubernetes/registry.ts';
import { createNamer, type NameRule } from '../../../src/reconcile/observe/naming.ts';
import type { Policy } from '../../../src/reconcile/plan/policy.ts';
import { type PassReport, Reconciler } from '../../../src/reconcile/reconciler.ts';
import type { Clock } from '../../../src/time/clock.ts';
import { ERAS, INTERVAL, MINUTE, marked, type NodeTraits, POLICY, record, SELECTOR } from './world.ts';

const NEVER = new AbortController().signal;

/** Two clocks that a test moves; the wall clock moves alone while the process is stopped. */
export class TestClock implements Clock {
  #wallMs = Date.UTC(2026, 0, 1);
  #monotonicMs = 0;

  wall(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  advance(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  jump(wallMs: number): void {
    this.#wallMs += wallMs;
  }
}

export interface ClusterOptions {
  policy?: Partial<Policy>;
  nodeName?: NameRule;
  /** Whose API server it shares; its own unless it is set. */
  beside?: Cluster;
}

let made = 0;

export class Cluster {
  readonly clock = new TestClock();
  /** What fleet lists, by id. */
  readonly fleet = new Map<string, MachineRecord>();
  /** Records that fleet lists besides. */
  more: readonly MachineRecord[] = [];
  /** What the API server keeps, by name. */
  readonly nodes: Map<string, NodeRecord>;
  /** By address; a kubelet that is not here is silent. */
  readonly kubelets = new Map<string, KubeletState>();
  /** Nodes that keep their finalizers, by name. */
  readonly finalizers = new Map<string, readonly string[]>();
  era: Era = ERAS['v1.20'];
  /** Whether a list has metadata only. */
  listsMetadata = true;
  /** `list`, `list whole`, `read NAME`, `probe ADDRESS`, `create NAME`, `update NAME`, `remove NAME`, `identify`: since the last pass began. */
  requests: string[] = [];
  /** Runs while a request is under way. */
  during: (request: string) => void = () => {};
  readonly #reconciler: Reconciler;

  constructor({ policy = {}, nodeName = { kind: 'ip' }, beside }: ClusterOptions = {}) {
    this.nodes = beside?.nodes ?? new Map();
    const noNames = () => Promise.reject(new Error('nobody has a name'));
    this.#reconciler = new Reconciler({
      sources: {
        fleet: { machinePages: () => this.#pages(), close: () => {} },
        selector: SELECTOR,
        kubelets: { check: (address) => this.#check(address) },
        nodes: this.#registry(),
        namer: createNamer(nodeName, noNames, this.clock),
      },
      policy: { ...POLICY, ...policy },
      clock: this.clock,
      passTimeoutMs: 60_000,
      checkTimeoutMs: 2_000,
      dryRun: false,
    });
  }

  /** fleet lists a machine, at that address from now on. */
  lists(id: string, address: string, metadata: Record<string, string> = {}): void {
    const all = new Map(Object.entries({ role: 'kubernetes', ...metadata }));
    this.fleet.set(id, { id, address, problem: undefined, metadata: all });
  }

  /** The API server has a node, made anew. */
  has(name: string, traits: NodeTraits = {}): void {
    made += 1;
    this.nodes.set(name, record(name, { uid: `uid-${name}-${made}`, ...traits }));
  }

  /** The API server has a node that this program has registered or adopted. */
  manages(name: string, mark: string, address: string, traits: NodeTraits = {}): void {
    this.has(name, marked(mark, address, traits));
  }

  /** A kubelet posts: it makes its node where there is none, and writes its status. */
  posts(name: string, facts: Partial<NodeFacts>): void {
    if (!this.nodes.has(name)) this.has(name);
    this.#edit(name, (node) => ({ ...node, facts: { ...factsOf(node), ready: 'true', ...facts } }));
  }

  /** The controller manager says that nothing is heard of it. */
  goesQuiet(...names: readonly string[]): void {
    for (const name of names) this.posts(name, { ready: 'unknown' });
  }

  cordons(name: string, unschedulable = true): void {
    this.#edit(name, (node) => ({ ...node, facts: { ...factsOf(node), unschedulable } }));
  }

  /** Somebody else changes labels or annotations. */
  changes(name: string, change: Partial<MetadataChange>): void {
    this.#edit(name, (node) => changed(node, { labels: new Map(), annotations: new Map(), ...change }));
  }

  /** A machine that runs: fleet lists it, its kubelet is healthy, and its node is managed and reporting. */
  runs(id: string, address: string, { name = address, ...traits }: NodeTraits & { name?: string } = {}): void {
    this.lists(id, address);
    this.kubelets.set(address, 'healthy');
    const own = name === address ? {} : { origin: 'own-name' as const };
    this.manages(name, id, address, { machineId: id, ready: 'true', ...own, ...traits });
  }

  /** A machine has another address from now on, where its kubelet answers. */
  moves(id: string, from: string, to: string): void {
    this.lists(id, to);
    this.kubelets.delete(from);
    this.kubelets.set(to, 'healthy');
  }

  /** The host is gone, and everybody has noticed. */
  dies(id: string, name: string, address: string): void {
    this.fleet.delete(id);
    this.kubelets.delete(address);
    this.goesQuiet(name);
  }

  /** One pass; then an interval goes by. */
  async pass(stop: AbortSignal = NEVER): Promise<PassReport> {
    this.requests = [];
    const report = await this.#reconciler.runOnce({ stop, abandon: NEVER });
    this.clock.advance(INTERVAL);
    return report;
  }

  /** The writes of so many passes, `register 10.0.0.1`, in order; a write that was not done says what became of it. */
  async passes(count: number): Promise<readonly string[]> {
    const done: string[] = [];
    for (let pass = 0; pass < count; pass++) done.push(...writesOf(await this.pass()));
    return done;
  }

  passFor(ms: number): Promise<readonly string[]> {
    return this.passes(Math.ceil(ms / INTERVAL));
  }

  get names(): readonly string[] {
    return [...this.nodes.keys()].sort();
  }

  async *#pages() {
    yield { records: [...this.fleet.values(), ...this.more], skipped: 0 };
  }

  async #check(address: string) {
    this.#ask(`probe ${address}`);
    const state = this.kubelets.get(address) ?? 'silent';
    return { state, detail: `${address} ${state}` };
  }

  #registry(): NodeRegistry {
    const ask = (request: string) => this.#ask(request);
    return {
      list: async () => {
        ask('list');
        const facts = (node: NodeRecord) => (this.listsMetadata ? undefined : node.facts);
        return { era: this.era, nodes: [...this.nodes.values()].map((node) => ({ ...node, facts: facts(node) })) };
      },
      listWhole: async () => {
        ask('list whole');
        return { era: this.era, nodes: [...this.nodes.values()] };
      },
      identify: async () => {
        ask('identify');
        return this.era;
      },
      read: async (name) => {
        ask(`read ${name}`);
        return this.nodes.get(name);
      },
      create: async ({ name, address, labels, annotations }) => {
        ask(`create ${name}`);
        if (this.nodes.has(name)) return 'exists';
        this.has(name, { addresses: [address], ready: 'none' });
        this.#edit(name, (node) => ({ ...node, labels, annotations }));
        return 'created';
      },
      update: async (name, uid, resourceVersion, change) => {
        ask(`update ${name}`);
        const current = this.nodes.get(name);
        if (current?.uid !== uid) return 'gone';
        if (current.resourceVersion !== resourceVersion) return 'conflict';
        this.#edit(name, (node) => changed(node, change));
        return 'updated';
      },
      remove: async (name, uid) => {
        ask(`remove ${name}`);
        const current = this.nodes.get(name);
        if (current === undefined) return 'gone';
        if (current.uid !== uid) return 'changed';
        const finalizers = this.finalizers.get(name);
        if (finalizers === undefined) {
          this.nodes.delete(name);
          return 'removed';
        }
        const since = new Date(this.clock.wall()).toISOString();
        this.#edit(name, (node) => ({ ...node, leaving: { since, finalizers } }));
        return 'leaving';
      },
      close: () => {},
    };
  }

  #ask(request: string): void {
    this.requests.push(request);
    this.during(request);
  }

  #edit(name: string, edit: (node: NodeRecord) => NodeRecord): void {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    this.nodes.set(name, { ...edit(node), resourceVersion: `${Number(node.resourceVersion) + 1}` });
  }
}

function factsOf({ facts }: NodeRecord): NodeFacts {
  return facts ?? { machineId: '', addresses: [], ready: 'none', unschedulable: false };
}

function changed(node: NodeRecord, { labels, annotations }: MetadataChange): NodeRecord {
  return { ...node, labels: merged(node.labels, labels), annotations: merged(node.annotations, annotations) };
}

function merged(map: ReadonlyMap<string, string>, change: ReadonlyMap<string, string | null>) {
  const all = new Map<string, string | null>([...map, ...change]);
  return new Map([...all].filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Machines m1, m2, ... at 10.0.0.1, 10.0.0.2, ..., all of which run. */
export function running(count: number, options: ClusterOptions = {}): Cluster {
  const cluster = new Cluster(options);
  for (let each = 1; each <= count; each++) cluster.runs(`m${each}`, `10.0.0.${each}`);
  return cluster;
}

/** `register 10.0.0.1`; with what became of it where it was not done. */
export function writesOf({ outcomes }: PassReport): readonly string[] {
  return outcomes.map(({ action, result }) => {
    const name = action.kind === 'register' ? action.draft.name : action.node.name;
    return result === 'done' ? `${action.kind} ${name}` : `${action.kind} ${name}: ${result}`;
  });
}

export function deletesIn(writes: readonly string[]): string[] {
  return writes.filter((write) => write.startsWith('deregister'));
}

/** The deletes of 45 minutes: longer than any grace period. */
export async function deletesOf(cluster: Cluster): Promise<string[]> {
  return deletesIn(await cluster.passFor(45 * MINUTE));
}

/** The word for a node, and whether it is a warning. */
export function verdictOf({ seen }: PassReport, name: string) {
  return seen?.plan.nodes.get(name);
}

export function machineVerdictOf({ seen }: PassReport, id: string) {
  return seen?.plan.machines.get(id);
}

export function notesOf({ seen }: PassReport): readonly string[] {
  return seen?.plan.notes.map(({ text }) => text) ?? [];
}
