/** The truth of a simulated cluster: hosts, what fleet knows of them, and what the API server has stored. The daemon sees only parts of it. */
import type { MetadataChange, NodeDraft, NodeFacts, NodeRecord } from '../../src/kubernetes/registry.ts';
import type { Chance } from './chance.ts';
import type { Release } from './release.ts';
import type { Timeline } from './timeline.ts';

const SECOND = 1_000;
/** fleet's agents announce themselves every 15 s, for 30 s. */
const TTL_MS = 30 * SECOND;
const BEAT_MS = 15 * SECOND;
/** Kubernetes calls a node NotReady when it has not heard of its kubelet for so long. */
const NODE_GRACE_MS = 40 * SECOND;
const STATUS_EVERY_MS = 10 * SECOND;

export interface Host {
  /** Of the hostname; never changes. */
  readonly name: string;
  machineId: string;
  address: string;
  metadata: Record<string, string>;
  isOn: boolean;
  /** fleet's agent runs. */
  hasAgent: boolean;
  /** A flapping one answers every other time. */
  kubelet: 'healthy' | 'failing' | 'flapping' | 'hung' | 'stopped';
  /** fleet knows its address. */
  hasAddress: boolean;
  /** A kubelet of v0.18 or later: it registers itself when it starts, unless its node is there. */
  registersItself: boolean;
  /** The node that its kubelet believes to be. */
  nodeName: string;
  /** When fleet forgets it, once its agent is silent. */
  forgottenAtMs: number;
}

export interface StoredNode {
  readonly name: string;
  readonly uid: string;
  resourceVersion: number;
  readonly labels: Map<string, string>;
  readonly annotations: Map<string, string>;
  addresses: readonly string[];
  machineId: string;
  ready: NodeFacts['ready'];
  unschedulable: boolean;
  heardOfAtMs: number;
  /** Since when it has this machine id. */
  identifiedAtMs: number;
}

/** What goes wrong between the daemon and the servers, until something else happens. */
export interface Weather {
  fleet: 'fair' | 'fails' | 'hangs' | 'partial' | 'empty';
  api: 'fair' | 'fails' | 'slow' | 'flaky' | 'fails after storing' | 'refuses';
  /** Pairs that do not hear each other: `0 fleet`, `1 kubelets`, `kubelets api`. */
  readonly cuts: Set<string>;
}

export class World {
  readonly hosts: Host[] = [];
  readonly nodes = new Map<string, StoredNode>();
  readonly weather: Weather = { fleet: 'fair', api: 'fair', cuts: new Set() };
  readonly #chance: Chance;
  readonly #timeline: Timeline;
  isCalm = false;
  /** The release of the API server that runs. */
  release: Release;
  #backup: readonly StoredNode[] = [];
  #made = 0;
  #version = 0;

  constructor(chance: Chance, timeline: Timeline, release: Release) {
    this.#chance = chance;
    this.#timeline = timeline;
    this.release = release;
  }

  get nowMs(): number {
    return this.#timeline.nowMs;
  }

  /** A host that has just booted, with a kubelet of either kind. */
  join(): Host {
    this.#made += 1;
    const name = `host-${this.#made}`;
    const address = `10.0.0.${this.#made}`;
    const registersItself = this.#chance.strikes(0.5);
    const host: Host = {
      name,
      machineId: this.newMachineId(),
      address,
      metadata: { role: 'kubernetes', zone: this.#chance.strikes(0.5) ? 'a' : 'b', host: name },
      hasAddress: true,
      isOn: true,
      hasAgent: true,
      kubelet: 'healthy',
      registersItself,
      nodeName: registersItself && this.#chance.strikes(0.5) ? name : address,
      forgottenAtMs: Number.POSITIVE_INFINITY,
    };
    this.hosts.push(host);
    this.#kubeletStarts(host);
    return host;
  }

  newMachineId(): string {
    return Array.from({ length: 8 }, () => this.#chance.between(0, 0xffff).toString(16).padStart(4, '0')).join('');
  }

  powerOff(host: Host): void {
    if (host.isOn && host.hasAgent) host.forgottenAtMs = this.nowMs + TTL_MS - this.#chance.between(0, BEAT_MS);
    host.isOn = false;
  }

  powerOn(host: Host): void {
    if (host.isOn) return;
    host.isOn = true;
    host.hasAgent = true;
    host.forgottenAtMs = Number.POSITIVE_INFINITY;
    if (host.kubelet !== 'stopped') this.#kubeletStarts(host);
  }

  /** Whoever is off at that address boots. */
  revive(address: string): void {
    for (const host of this.hosts) if (host.address === address) this.powerOn(host);
  }

  /** A clean stop is announced; the kubelet is fleet's unit, but somebody else may run one. */
  stopAgent(host: Host): void {
    host.hasAgent = false;
    host.forgottenAtMs = this.nowMs;
  }

  startAgent(host: Host): void {
    host.hasAgent = true;
    if (host.isOn) host.forgottenAtMs = Number.POSITIVE_INFINITY;
  }

  setKubelet(host: Host, kubelet: Host['kubelet']): void {
    const starts = host.kubelet === 'stopped' && kubelet !== 'stopped' && host.isOn;
    host.kubelet = kubelet;
    if (starts) this.#kubeletStarts(host);
  }

  /** Hosts as fleet lists them, ordered by machine id. */
  listed(): readonly Host[] {
    return this.hosts
      .filter((host) => (host.isOn && host.hasAgent) || this.nowMs < host.forgottenAtMs)
      .sort((a, b) => (a.machineId < b.machineId ? -1 : 1));
  }

  /** The host whose kubelet answers at that address, well or not. */
  answering(address: string): Host | undefined {
    const host = this.hosts.find((each) => each.isOn && each.address === address);
    if (host?.kubelet === 'flapping') return this.#chance.strikes(0.5) ? host : undefined;
    return host?.kubelet === 'healthy' || host?.kubelet === 'failing' ? host : undefined;
  }

  /** The host whose kubelet keeps that node, as far as it runs. */
  #keeperOf(node: StoredNode): Host | undefined {
    return this.hosts.find((host) => host.isOn && host.kubelet !== 'stopped' && host.nodeName === node.name);
  }

  create({ name, labels, annotations, address }: NodeDraft): StoredNode {
    const node = this.#store(name, [address], '');
    for (const [key, value] of labels) node.labels.set(key, value);
    for (const [key, value] of annotations) node.annotations.set(key, value);
    return node;
  }

  patch(node: StoredNode, { labels, annotations }: MetadataChange): void {
    merge(node.labels, labels);
    merge(node.annotations, annotations);
    this.change(node);
  }

  /** What DNS says. */
  addressOf(name: string): string {
    return this.hosts.find(({ metadata }) => metadata['host'] === name)?.address ?? name;
  }

  /** v0.8 asks every kubelet before it lists its minion, without a time limit. */
  isHeldUp(): boolean {
    const asked = new Set([...this.nodes.keys()].map((name) => this.addressOf(name)));
    return this.hosts.some(({ isOn, kubelet, address }) => isOn && kubelet === 'hung' && asked.has(address));
  }

  /** No weather, and no kubelet that is neither dead nor alive. */
  calm(): void {
    this.isCalm = true;
    Object.assign(this.weather, { fleet: 'fair', api: 'fair' });
    this.weather.cuts.clear();
    for (const host of this.hosts) {
      if (host.kubelet === 'flapping') host.kubelet = 'healthy';
      // It would hold up every list of v0.8.
      if (host.kubelet === 'hung' && this.release.era.hidesMinions) host.kubelet = 'stopped';
    }
  }

  /** As etcd's snapshot has them. */
  backUp(): void {
    this.#backup = [...this.nodes.values()].map(copyOf);
  }

  /** Nodes that came since are gone, and those that went are back, with the uids that they had. */
  restore(): void {
    this.nodes.clear();
    for (const node of this.#backup) this.nodes.set(node.name, { ...copyOf(node), identifiedAtMs: this.nowMs });
  }

  change(node: StoredNode): void {
    this.#version += 1;
    node.resourceVersion = this.#version;
  }

  /** Kubelets report every 10 s, and the node controller notices those that have stopped. */
  async live(): Promise<never> {
    for (;;) {
      await this.#timeline.sleep(STATUS_EVERY_MS);
      this.#report();
    }
  }

  #report(): void {
    // Up to v0.13 the server asks the kubelets, and keeps nothing of what they say.
    if (this.release.era.hidesMinions) return;
    const areHeard = !this.weather.cuts.has('kubelets api');
    for (const host of areHeard ? this.hosts : []) {
      const node = this.nodes.get(host.nodeName);
      if (node === undefined || this.#keeperOf(node) !== host || host.kubelet === 'hung') continue;
      if (node.machineId !== host.machineId) node.identifiedAtMs = this.nowMs;
      node.machineId = host.machineId;
      node.addresses = [host.address];
      node.heardOfAtMs = this.nowMs;
      node.ready = host.kubelet === 'failing' ? 'not-ready' : 'ready';
      this.change(node);
    }
    for (const node of this.nodes.values()) {
      if (node.ready === 'ready' && this.nowMs - node.heardOfAtMs > NODE_GRACE_MS) {
        node.ready = 'not-ready';
        this.change(node);
      }
    }
  }

  #kubeletStarts(host: Host): void {
    const canRegister = host.registersItself && !this.release.era.hidesMinions;
    if (canRegister && !this.nodes.has(host.nodeName) && !this.weather.cuts.has('kubelets api')) {
      this.#store(host.nodeName, [host.address], host.machineId);
    }
  }

  #store(name: string, addresses: readonly string[], machineId: string): StoredNode {
    this.#version += 1;
    const node: StoredNode = {
      name,
      uid: `uid-${this.#version}`,
      resourceVersion: this.#version,
      labels: new Map(),
      annotations: new Map(),
      addresses,
      machineId,
      ready: machineId === '' ? 'none' : 'not-ready',
      unschedulable: false,
      heardOfAtMs: this.nowMs,
      identifiedAtMs: this.nowMs,
    };
    this.nodes.set(name, node);
    return node;
  }
}

function merge(into: Map<string, string>, change: ReadonlyMap<string, string | null>): void {
  for (const [key, value] of change) {
    if (value === null) into.delete(key);
    else into.set(key, value);
  }
}

function copyOf(node: StoredNode): StoredNode {
  return { ...node, labels: new Map(node.labels), annotations: new Map(node.annotations) };
}

/** The node as a client reads it, whole or only its metadata. */
export function recordOf(node: StoredNode, isWhole: boolean): NodeRecord {
  return {
    name: node.name,
    uid: node.uid,
    resourceVersion: String(node.resourceVersion),
    labels: new Map(node.labels),
    annotations: new Map(node.annotations),
    facts: isWhole
      ? {
          machineId: node.machineId,
          addresses: [...node.addresses],
          ready: node.ready,
          unschedulable: node.unschedulable,
        }
      : undefined,
  };
}
