/** What kubelets do by themselves: create their nodes, and report every ten seconds. */
import { canPost, type Host, reportedAddresses, reportedId } from './host.ts';
import type { StoredNode } from './node-store.ts';
import { markOf } from './promises.ts';
import { SECOND } from './time.ts';
import type { World } from './world.ts';

/** A node is called silent when its kubelet has not posted for so long. */
export const POST_STANDS_MS = 40 * SECOND;
/** How often a flapping kubelet crashes or is started again, at each tick. */
const FLAPS = 0.25;

export function runKubelets(world: World): void {
  for (const host of world.hosts) {
    if (host.kubelet === 'flapping' && world.chance.strikes(FLAPS)) {
      world.change(host, { isDown: !host.isDown });
      if (!host.isDown) world.startKubelet(host);
    }
  }
  if (world.release.conditionsBy !== 'kubelet' || world.cuts.has('kubelets api')) return;
  const posting = world.hosts.filter(canPost);
  // Of two kubelets of one name either may be the last.
  const hosts = world.chance.strikes(0.5) ? posting : posting.toReversed();
  for (const host of hosts) {
    if (host.isRegistering) register(host, world);
    const node = world.nodes.get(host.nodeName);
    if (node !== undefined) post(host, node, world);
  }
}

function register(host: Host, { store, nodes, release }: World): void {
  host.isRegistering = false;
  if (!release.kubeletsRegister || nodes.has(host.nodeName)) return;
  const labels = new Map([['kubernetes.io/hostname', host.nodeName]]);
  store.create({ name: host.nodeName, address: host.address, labels, annotations: new Map() });
}

/** Its kubelet reports to a node. */
export function post(host: Host, node: StoredNode, { nowMs, store }: World): void {
  const addresses = reportedAddresses(host);
  if (node.addresses.join() !== addresses.join()) node.addressedAtMs = nowMs;
  node.addresses = addresses;
  node.machineId = reportedId(host);
  const isUnready = host.kubelet === 'unready' || host.kubelet === 'failing';
  node.ready = isUnready ? 'false' : 'true';
  const before = node.posts.get(host.name);
  const isContinued = before !== undefined && nowMs - before.lastMs <= POST_STANDS_MS;
  const sinceMs = isContinued ? before.sinceMs : nowMs;
  node.posts.set(host.name, { sinceMs, lastMs: nowMs, mark: markOf(node) });
  node.postedAtMs = nowMs;
  store.change(node);
}
