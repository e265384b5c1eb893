/** fleet, kubelets and the API server behind the interfaces of the real clients, as one copy of the daemon meets them. */

import type { FleetClient, MachineRecord } from '../../src/fleet/machine.ts';
import { RequestError } from '../../src/http/request-error.ts';
import type { KubeletProber } from '../../src/kubelet/kubelet.ts';
import type { NodeListing, NodeRecord, NodeRegistry } from '../../src/kubernetes/registry.ts';
import { usableAddress } from '../../src/network/address.ts';
import { meddle } from './node-events.ts';
import type { StoredNode } from './node-store.ts';
import type { Release } from './release.ts';
import { MINUTE, SECOND } from './time.ts';
import { type Cluster, Wire } from './wire.ts';
import type { Line } from './wiretap.ts';

export const CHECK_TIMEOUT_MS = 2 * SECOND;
const PAGE = 3;
/** How often a host boots, and something happens to a node, at the moment when it is asked for. */
const REVIVALS = 0.01;
const MEDDLINGS = 0.1;
/** How often a copy is stopped while it looks at a node. */
const STOPS = 0.03;
/** How long the real client believes an answer to "which server are you". */
const ASK_AGAIN_MS = 10 * MINUTE;

/** The page as the list is when it is read: the next one may be of another list. */
export function machinePage({ world }: Cluster, { fleet }: Line, number: number): readonly MachineRecord[] {
  const page = world.fleets[fleet].list().slice(number * PAGE, (number + 1) * PAGE);
  return page.map(({ id, address = '', metadata }) => {
    const usable = usableAddress(address);
    const problem = usable === undefined ? `"${address}" is no address` : undefined;
    return { id, address: usable, problem, metadata: new Map(Object.entries(metadata)) };
  });
}

/** Whether a page is the last: fleet says so by a page that is not full. */
export function isLastPage(records: readonly MachineRecord[]): boolean {
  return records.length < PAGE;
}

export function fleetOf(cluster: Cluster, line: Line): FleetClient {
  const wire = new Wire(cluster, line);
  return {
    async *machinePages(signal) {
      for (let number = 0; ; number++) {
        const records = await wire.askFleet(() => machinePage(cluster, line, number), signal);
        const isLast = isLastPage(records);
        cluster.tap.listedMachines(line.copy, records, isLast);
        yield { records, skipped: 0 };
        if (isLast) return;
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
      tap.requested(line.copy, 'kubelet', address);
      await wire.takeABit(signal);
      if (!world.isCalm && !world.isQuiet && chance.strikes(REVIVALS)) {
        for (const host of world.hosts) if (host.address === address) world.powerOn(host);
      }
      const answer = wire.isCut('kubelets') ? undefined : world.answerAt(address);
      if (answer === undefined) await wire.take(CHECK_TIMEOUT_MS, signal);
      else await wire.takeABit(signal);
      const state = answer ?? 'silent';
      tap.checkedKubelet(line.copy, address, state);
      return { state, detail: `http://${address}:10255/healthz is ${state}` };
    },
  };
}

export function nodesOf(cluster: Cluster, line: Line): NodeRegistry {
  const { world, tap } = cluster;
  const { store } = world;
  const wire = new Wire(cluster, line);
  let known: { readonly release: Release; readonly atMs: number } | undefined;

  /** What this copy believes to speak to: it asks at start, every ten minutes, and before a delete. */
  async function identify(signal: AbortSignal): Promise<Release> {
    if (known === undefined || world.nowMs - known.atMs > ASK_AGAIN_MS) {
      const release = await wire.askKubernetes('GET version', ({ release }) => release, signal);
      known = { release, atMs: world.nowMs };
    }
    return known.release;
  }

  async function list(isWhole: boolean, signal: AbortSignal): Promise<NodeListing> {
    const { era } = await identify(signal);
    if (world.isHeldUp()) {
      const unlistable = await wire.waitInVain(signal);
      return { era, nodes: [], unlistable };
    }
    const list = ({ release }: { release: Release }) => {
      tap.listedNodes(line.copy);
      const shown = [...world.nodes.values()].filter((node) => world.isListed(node));
      const whole = isWhole || !release.listsMetadata;
      for (const node of shown) tap.sawNode(line.copy, node, whole);
      return { era, nodes: shown.map((node) => recordOf(node, whole, release)) };
    };
    return wire.askKubernetes('GET nodes', list, signal);
  }

  async function read(name: string, signal: AbortSignal): Promise<NodeRecord | undefined> {
    meddleNow(cluster, line.copy, name);
    const look = ({ release }: { release: Release }) => {
      const node = world.nodes.get(name);
      if (node === undefined) return undefined;
      tap.sawNode(line.copy, node, true);
      return recordOf(node, true, release);
    };
    const record = await wire.askKubernetes(`GET node ${name}`, look, signal);
    meddleNow(cluster, line.copy, name);
    return record;
  }

  return {
    list: (signal) => list(false, signal),
    listWhole: (signal) => list(true, signal),
    read,
    identify: async (signal) => {
      known = undefined;
      return (await identify(signal)).era;
    },
    create: (draft, signal) => {
      const create = ({ release }: { release: Release }) => {
        if (world.nodes.has(draft.name)) return 'exists';
        if (world.api === 'refuses labels' && draft.labels.size > 0) return 'labels-refused';
        tap.creating(line.copy, draft, release);
        store.create(draft);
        return 'created';
      };
      return wire.askKubernetes(`POST node ${draft.name}`, create, signal);
    },
    update: async (name, uid, resourceVersion, change, signal) => {
      const { checksUid } = (await identify(signal)).era;
      if (!checksUid) {
        const now = await read(name, signal);
        if (now?.uid !== uid) return 'gone';
        if (now.resourceVersion !== resourceVersion) return 'conflict';
      }
      const request = `PATCH node ${name}`;
      const patch = ({ release, sentAtMs }: { release: Release; sentAtMs: number }) => {
        const node = world.nodes.get(name);
        if (!release.era.canUpdate) return 'not served';
        if (node === undefined || (release.era.checksUid && checksUid && node.uid !== uid)) return 'gone';
        if (String(node.resourceVersion) !== resourceVersion) return 'conflict';
        tap.updating({ copy: line.copy, release, sentAtMs, node }, change);
        store.patch(node, change);
        return 'updated';
      };
      const result = await wire.askKubernetes(request, patch, signal);
      if (result !== 'not served') return result;
      throw new RequestError({ target: 'kubernetes', server: 'the simulation', request, problem: '405', status: 405 });
    },
    remove: (name, uid, resourceVersion, signal) => {
      const remove = ({ release, sentAtMs }: { release: Release; sentAtMs: number }) => {
        const node = world.nodes.get(name);
        if (node === undefined) return 'gone';
        if (release.checksUidOnDelete && node.uid !== uid) return 'changed';
        if (release.checksVersionOnDelete && String(node.resourceVersion) !== resourceVersion) return 'changed';
        tap.removing({ copy: line.copy, release, sentAtMs, node });
        return store.remove(node);
      };
      return wire.askKubernetes(`DELETE node ${name}`, remove, signal);
    },
    close: () => {},
  };
}

/** Now and then something happens to a node at the very moment when a copy looks at it, or to the copy. */
export function meddleNow({ world, chance, tell, stop }: Cluster, copy: number, name: string): void {
  if (world.isCalm || world.isQuiet) return;
  const node = world.nodes.get(name);
  if (chance.strikes(STOPS) && node !== undefined) {
    stop(copy, chance.between(1, 20) * MINUTE);
    // The kubelet comes to life meanwhile.
    const hosts = chance.strikes(0.5) ? world.hosts.filter((host) => world.isNodeOf(node, host)) : [];
    for (const host of hosts) world.revive(host, chance.strikes(0.5));
    return;
  }
  const what = chance.strikes(MEDDLINGS) ? meddle(world, chance, name) : undefined;
  if (what !== undefined) tell(what);
}

/** The node as a client reads it, whole or only its metadata. */
function recordOf(node: StoredNode, isWhole: boolean, { era, apiVersion }: Release): NodeRecord {
  const { name, uid, labels, annotations, machineId, unschedulable, deletedAtMs, finalizers } = node;
  const isMinion = apiVersion === 'v1beta1' || apiVersion === 'v1beta2';
  const said = (isMinion ? [...node.addresses, name] : node.addresses).map(usableAddress);
  const addresses = [...new Set(said.filter((address) => address !== undefined))];
  const ready = era.hidesMinions ? 'true' : node.ready;
  return {
    name,
    uid,
    resourceVersion: String(node.resourceVersion),
    labels: new Map(labels),
    annotations: new Map(annotations),
    leaving: deletedAtMs === undefined ? undefined : { since: new Date(deletedAtMs).toISOString(), finalizers },
    facts: isWhole ? { machineId, addresses, ready, unschedulable } : undefined,
  };
}
