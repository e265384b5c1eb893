/** fleet, kubelets and the API server of a simulated world, behind the interfaces of the real clients, as one copy of the daemon meets them. */
import type { FleetClient, MachineRecord } from '../../src/fleet/machine.ts';
import type { KubeletProber, KubeletState } from '../../src/kubelet/kubelet.ts';
import type { MetadataChange, NodeDraft, NodeListing, NodeRegistry } from '../../src/kubernetes/registry.ts';
import type { Chance } from './chance.ts';
import { meddle } from './events.ts';
import type { Release } from './release.ts';
import type { Timeline } from './timeline.ts';
import { Wire } from './wire.ts';
import { type Host, recordOf, type StoredNode, type World } from './world.ts';

/** What an observer of the wire is told, at the moment when a server does it. */
export interface Wiretap {
  /** The request leaves the copy. */
  requested(copy: number, request: string): void;
  /** It came to nothing, or nothing was heard of what it came to. */
  failed(copy: number): void;
  listedMachine(copy: number, record: MachineRecord): void;
  heardKubelet(copy: number, address: string, state: KubeletState, host: Host | undefined): void;
  listing(copy: number): void;
  sawNode(copy: number, node: StoredNode, isWhole: boolean): void;
  creating(copy: number, draft: NodeDraft): void;
  /** The node as it is before the change. */
  updating(copy: number, node: StoredNode, change: MetadataChange): void;
  removing(copy: number, node: StoredNode): void;
}

/** One copy's way to the servers: it can be stopped (SIGSTOP) and cut off. */
export interface Line {
  readonly copy: number;
  /** Resolves when the process runs, never when it was killed. */
  running(): Promise<void>;
}

export interface Cluster {
  readonly world: World;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly tap: Wiretap;
  /** For the story. */
  tell(what: string): void;
}

const PROBE_TIMEOUT_MS = 2_000;
const PAGE = 3;
/** How often a host boots, and something happens to a node, at the moment when it is asked for. */
const REVIVALS = 0.015;
const MEDDLINGS = 0.1;
/** How long the real client believes an answer to "which server are you". */
const ASK_AGAIN_MS = 10 * 60_000;

/** The page as the list is when it is read: the next one may be of another list. */
export function machinePage({ world, chance }: Cluster, number: number): readonly MachineRecord[] {
  const { fleet } = world.weather;
  const listed = fleet === 'empty' ? [] : world.listed().filter(() => fleet !== 'partial' || chance.strikes(0.5));
  return listed.slice(number * PAGE, (number + 1) * PAGE).map(({ machineId: id, address, hasAddress, metadata }) => ({
    id,
    address: hasAddress ? address : undefined,
    problem: hasAddress ? undefined : 'no address',
    metadata: new Map(Object.entries(metadata)),
  }));
}

export function fleetOf(cluster: Cluster, line: Line): FleetClient {
  const wire = new Wire(cluster, line);
  return {
    async *machinePages(signal) {
      for (let number = 0; ; number++) {
        const records = await wire.askFleet(() => machinePage(cluster, number), signal);
        for (const record of records) cluster.tap.listedMachine(line.copy, record);
        yield { records, skipped: 0 };
        if (records.length < PAGE) return;
      }
    },
    close: () => {},
  };
}

export function kubeletsOf(cluster: Cluster, line: Line): KubeletProber {
  const { world, chance, tap } = cluster;
  const wire = new Wire(cluster, line);
  return {
    check: async (address, signal) => {
      await wire.takeABit(signal);
      if (!world.isCalm && chance.strikes(REVIVALS)) world.revive(address);
      const host = wire.isCut('kubelets') ? undefined : world.answering(address);
      if (host === undefined) await wire.take(PROBE_TIMEOUT_MS, signal);
      else await wire.takeABit(signal);
      const state = host === undefined ? 'silent' : host.kubelet === 'failing' ? 'answers' : 'healthy';
      tap.heardKubelet(line.copy, address, state, host);
      return { state, detail: `${address} is ${state}` };
    },
  };
}

export function nodesOf(cluster: Cluster, line: Line): NodeRegistry {
  const { world, timeline, tap } = cluster;
  const wire = new Wire(cluster, line);
  let known: { readonly release: Release; readonly atMs: number } | undefined;

  /** What this copy believes to speak to: it asks at start, every ten minutes, and before a delete. */
  function askVersion(): Release {
    if (known === undefined || timeline.nowMs - known.atMs > ASK_AGAIN_MS) {
      known = { release: world.release, atMs: timeline.nowMs };
    }
    return known.release;
  }

  async function list(isWhole: boolean, signal: AbortSignal): Promise<NodeListing> {
    const { era, listsMetadata } = askVersion();
    if (era.hidesMinions && world.isHeldUp()) {
      const why = await wire.waitInVain(signal);
      return { era, nodes: [], unlistable: why };
    }
    return wire.askKubernetes(
      'GET nodes',
      () => {
        tap.listing(line.copy);
        const shown = [...world.nodes.values()].filter(
          (node) => !era.hidesMinions || world.answering(world.addressOf(node.name)),
        );
        const whole = isWhole || !listsMetadata;
        for (const node of shown) tap.sawNode(line.copy, node, whole);
        const records = shown.map((node) => recordOf(node, whole));
        return { era, nodes: era.hidesMinions ? records.map(listedIsReady) : records };
      },
      signal,
    );
  }

  return {
    list: (signal) => list(false, signal),
    listWhole: (signal) => list(true, signal),
    read: async (name, signal) => {
      meddleNow(cluster, name);
      const record = await wire.askKubernetes(
        `GET node ${name}`,
        () => {
          const node = world.nodes.get(name);
          if (node === undefined) return undefined;
          tap.sawNode(line.copy, node, true);
          return recordOf(node, true);
        },
        signal,
      );
      meddleNow(cluster, name);
      return record;
    },
    create: (draft, signal) =>
      wire.askKubernetes(
        `POST node ${draft.name}`,
        () => {
          if (world.nodes.has(draft.name)) return 'exists';
          tap.creating(line.copy, draft);
          world.create(draft);
          return 'created';
        },
        signal,
      ),
    update: async (name, uid, change, signal) => {
      const { checksUid } = askVersion().era;
      // The plan rests on what was seen before: this look is for the uid alone.
      const isGone = () => world.nodes.get(name)?.uid !== uid;
      if (!checksUid && (await wire.askKubernetes(`GET node ${name}`, isGone, signal))) return 'gone';
      return wire.askKubernetes(
        `PATCH node ${name}`,
        () => {
          const node = world.nodes.get(name);
          if (node === undefined || (world.release.era.checksUid && checksUid && node.uid !== uid)) return 'gone';
          tap.updating(line.copy, node, change);
          world.patch(node, change);
          return 'updated';
        },
        signal,
      );
    },
    remove: async (name, uid, resourceVersion, signal) => {
      const before = known?.release;
      known = undefined;
      if (before !== askVersion()) return 'changed';
      return wire.askKubernetes(
        `DELETE node ${name}`,
        () => {
          const node = world.nodes.get(name);
          if (node === undefined) return 'gone';
          if (world.release.checksUidOnDelete && node.uid !== uid) return 'changed';
          if (world.release.checksVersionOnDelete && String(node.resourceVersion) !== resourceVersion) return 'changed';
          tap.removing(line.copy, node);
          world.nodes.delete(name);
          return 'removed';
        },
        signal,
      );
    },
    close: () => {},
  };
}

/** Now and then something happens to a node at the very moment when a copy looks at it. */
export function meddleNow({ world, chance, tell }: Cluster, name: string): void {
  if (world.isCalm || !chance.strikes(MEDDLINGS)) return;
  const what = meddle(world, chance, name);
  if (what !== undefined) tell(what);
}

/** A server that lists a minion only while its kubelet answers has no condition that would say so. */
function listedIsReady(record: ReturnType<typeof recordOf>): ReturnType<typeof recordOf> {
  return record.facts === undefined ? record : { ...record, facts: { ...record.facts, ready: 'ready' } };
}
