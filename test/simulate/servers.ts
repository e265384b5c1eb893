/** fleet, kubelets and the API server of a simulated world, behind the interfaces of the real clients, as one copy of the daemon meets them. */
import type { FleetClient, MachinePage } from '../../src/fleet/machine.ts';
import { RequestError, type Target } from '../../src/http/request-error.ts';
import type { KubeletProber } from '../../src/kubelet/kubelet.ts';
import { eraOf, type ServerEra } from '../../src/kubernetes/era.ts';
import type { NodeDraft, NodeListing, NodeRegistry } from '../../src/kubernetes/registry.ts';
import type { Chance } from './chance.ts';
import type { Timeline } from './timeline.ts';
import { type Host, recordOf, type StoredNode, type World } from './world.ts';

/** How an API server treats what our client relies on. */
export interface Release {
  readonly version: string;
  readonly era: ServerEra;
  readonly listsMetadata: boolean;
  readonly checksUidOnDelete: boolean;
  readonly checksVersionOnDelete: boolean;
}

/** `../lab/` holds each of them to its recording. */
export const RELEASES: readonly Release[] = [
  release('v1.20.2', { listsMetadata: true, checksUidOnDelete: true, checksVersionOnDelete: true }),
  release('v1.9.2', { listsMetadata: false, checksUidOnDelete: true, checksVersionOnDelete: false }),
  release('v1.0.7', { listsMetadata: false, checksUidOnDelete: false, checksVersionOnDelete: false }),
];

function release(version: string, traits: Omit<Release, 'version' | 'era'>): Release {
  return { version, era: eraOf({ version, apiVersion: 'v1' }), ...traits };
}

/** What an observer of the wire is told, at the moment when a server does it. */
export interface Wiretap {
  requested(copy: number): void;
  heardKubelet(copy: number, host: Host): void;
  listing(copy: number): void;
  sawNode(copy: number, node: StoredNode, isWhole: boolean): void;
  creating(copy: number, draft: NodeDraft): void;
  /** The node as it is before the change, and the labels that are to change. */
  updating(copy: number, node: StoredNode, keys: readonly string[]): void;
  removing(copy: number, node: StoredNode): void;
}

/** One copy's way to the servers: it can be stopped (SIGSTOP) and cut off. */
export interface Line {
  readonly copy: number;
  /** Resolves when the process runs, never when it was killed. */
  running(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 2_000;
const PAGE = 3;

export interface Cluster {
  readonly world: World;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly release: Release;
  readonly tap: Wiretap;
}

/** Every request takes its time, on the way there and on the way back; anything may happen meanwhile. */
class Wire {
  readonly #cluster: Cluster;
  readonly #line: Line;

  constructor(cluster: Cluster, line: Line) {
    this.#cluster = cluster;
    this.#line = line;
  }

  isCut(other: 'fleet' | 'kubelets' | 'api'): boolean {
    return this.#cluster.world.weather.cuts.has(`${this.#line.copy} ${other}`);
  }

  async take(ms: number): Promise<void> {
    await this.#cluster.timeline.sleep(ms);
    await this.#line.running();
  }

  takeABit(): Promise<void> {
    return this.take(this.#cluster.chance.between(1, 200));
  }

  async fail(target: Target, request: string, status?: number): Promise<never> {
    if (status === undefined) await this.take(REQUEST_TIMEOUT_MS);
    throw new RequestError({
      target,
      server: 'the simulation',
      request,
      problem: status === undefined ? 'no answer within 10 s' : `answered ${status}`,
      ...(status === undefined ? { code: 'ETIMEDOUT' } : { status }),
    });
  }
}

export function fleetOf(cluster: Cluster, line: Line): FleetClient {
  const { world, chance, tap } = cluster;
  const wire = new Wire(cluster, line);

  /** The list as it is when a page is read: the next page may be one of another list. */
  async function page(number: number): Promise<{ readonly page: MachinePage; readonly isLast: boolean }> {
    tap.requested(line.copy);
    await wire.takeABit();
    const { fleet } = world.weather;
    if (wire.isCut('fleet') || fleet === 'hangs') return wire.fail('fleet', 'GET /fleet/v1/machines');
    if (fleet === 'fails') return wire.fail('fleet', 'GET /fleet/v1/machines', chance.pick([500, 503]));
    const listed = fleet === 'empty' ? [] : world.listed().filter(() => fleet !== 'partial' || chance.strikes(0.5));
    const records = listed.slice(number * PAGE, (number + 1) * PAGE).map(({ machineId: id, address, metadata }) => ({
      id,
      address,
      problem: undefined,
      metadata: new Map(Object.entries(metadata)),
    }));
    await wire.takeABit();
    return { page: { records, skipped: 0 }, isLast: records.length < PAGE };
  }

  return {
    async *machinePages() {
      for (let number = 0; ; number++) {
        const answer = await page(number);
        yield answer.page;
        if (answer.isLast) return;
      }
    },
    close: () => {},
  };
}

export function kubeletsOf(cluster: Cluster, line: Line): KubeletProber {
  const { world, tap } = cluster;
  const wire = new Wire(cluster, line);
  return {
    check: async (address) => {
      await wire.takeABit();
      const host = wire.isCut('kubelets') ? undefined : world.answering(address);
      if (host === undefined) await wire.take(PROBE_TIMEOUT_MS);
      else await wire.takeABit();
      const state = host === undefined ? 'silent' : host.kubelet === 'healthy' ? 'healthy' : 'answers';
      if (host !== undefined) tap.heardKubelet(line.copy, host);
      return { state, detail: `${address} is ${state}` };
    },
  };
}

export function nodesOf(cluster: Cluster, line: Line): NodeRegistry {
  const { world, chance, release, tap } = cluster;
  const wire = new Wire(cluster, line);

  /** What the server does with a request, in one moment, between the way there and the way back. */
  async function send<T>(request: string, act: () => T): Promise<T> {
    tap.requested(line.copy);
    await wire.takeABit();
    const { api } = world.weather;
    if (wire.isCut('api')) return wire.fail('kubernetes', request);
    if (api === 'fails') return wire.fail('kubernetes', request, chance.pick([500, 503, 429]));
    if (api === 'flaky' && chance.strikes(0.3)) return wire.fail('kubernetes', request, chance.pick([500, 429, 409]));
    if (api === 'slow') await wire.take(chance.between(1_000, 8_000));
    const answer = act();
    if (api === 'fails after storing' && chance.strikes(0.3)) return wire.fail('kubernetes', request, 500);
    await wire.takeABit();
    return answer;
  }

  const listing = (isWhole: boolean): NodeListing => {
    tap.listing(line.copy);
    const nodes = [...world.nodes.values()];
    for (const node of nodes) tap.sawNode(line.copy, node, isWhole);
    return { era: release.era, nodes: nodes.map((node) => recordOf(node, isWhole)) };
  };

  const read: NodeRegistry['read'] = (name) =>
    send(`GET /api/v1/nodes/${name}`, () => {
      const node = world.nodes.get(name);
      if (node === undefined) return undefined;
      tap.sawNode(line.copy, node, true);
      return recordOf(node, true);
    });

  return {
    list: () => send('GET /api/v1/nodes', () => listing(!release.listsMetadata)),
    listWhole: () => send('GET /api/v1/nodes', () => listing(true)),
    read,
    create: (draft) =>
      send('POST /api/v1/nodes', () => {
        if (world.nodes.has(draft.name)) return 'exists';
        tap.creating(line.copy, draft);
        world.create(draft);
        return 'created';
      }),
    update: async (name, uid, change) => {
      // The plan rests on what was seen before: this look is for the uid alone.
      const isGone = () => world.nodes.get(name)?.uid !== uid;
      if (!release.era.checksUid && (await send(`GET /api/v1/nodes/${name}`, isGone))) return 'gone';
      return send(`PATCH /api/v1/nodes/${name}`, () => {
        const node = world.nodes.get(name);
        if (node === undefined || (release.era.checksUid && node.uid !== uid)) return 'gone';
        tap.updating(line.copy, node, [...change.labels.keys()]);
        merge(node.labels, change.labels);
        merge(node.annotations, change.annotations);
        world.change(node);
        return 'updated';
      });
    },
    remove: (name, uid, resourceVersion) =>
      send(`DELETE /api/v1/nodes/${name}`, () => {
        const node = world.nodes.get(name);
        if (node === undefined) return 'gone';
        if (release.checksUidOnDelete && node.uid !== uid) return 'changed';
        if (release.checksVersionOnDelete && String(node.resourceVersion) !== resourceVersion) return 'changed';
        tap.removing(line.copy, node);
        world.nodes.delete(name);
        return 'removed';
      }),
    close: () => {},
  };
}

function merge(into: Map<string, string>, change: ReadonlyMap<string, string | null>): void {
  for (const [key, value] of change) {
    if (value === null) into.delete(key);
    else into.set(key, value);
  }
}
