/** T1: whether the kubelet of a node runs, and whether the copy of the daemon that deletes it could know. Knows the hosts and none of the rules. */
import { answerOf, type Host, runsKubelet } from './host.ts';
import { POST_STANDS_MS } from './kubelets.ts';
import type { StoredNode } from './node-store.ts';
import { markOf } from './promises.ts';
import type { Seen } from './seen.ts';
import { SECOND } from './time.ts';
import type { World } from './world.ts';

/**
 * Nobody can know of a life that begins while the last check before a delete is under way: HEALTHZ_TIMEOUT and 5 s more, by design. Servers that
 * compare the resourceVersion refuse the delete all the same.
 */
const CHECK_MS = 7 * SECOND;
const ADDRESS = 'kube-register.io/address';

/**
 * - `posts`: the kubelet keeps the node up
 * - `own False`: the same, but all that it says is that it is not ready, on a server before v1.0, where controllers say so of dead ones
 * - `reachable`: it answers at an address that the copy knows of
 * - `just begun`: one of these, since the last check before the delete began
 * - `same address`: it answers at an address at which another kubelet does too, and fleet does not say that it is there
 * - `unmentioned`: it answers at an address that neither the node says nor fleet told in this pass, or nothing tells that it is this node's:
 *   what the node says leads to none of fleet's records of that host
 * - `unseen`: it runs, and neither posts nor could be reached
 * - `none`: no kubelet runs that would keep this node
 */
export type Life =
  | 'posts'
  | 'own False'
  | 'reachable'
  | 'just begun'
  | 'same address'
  | 'unmentioned'
  | 'unseen'
  | 'none';

/** By what a copy, which was told what it has `seen`, could have known that a kubelet keeps the node, at that time. */
export function lifeOf(node: StoredNode, { copy, seen, atMs }: Witness, world: World): { life: Life; host?: Host } {
  let best: { life: Life; host?: Host } = { life: 'none' };
  for (const host of world.hosts) {
    if (!runsKubelet(host) || !world.isNodeOf(node, host)) continue;
    const life = lifeBy(host, node, { copy, seen, atMs }, world);
    if (RANK.indexOf(life) < RANK.indexOf(best.life)) best = { life, host };
  }
  return best;
}

export interface Witness {
  readonly copy: number;
  readonly seen: Seen;
  readonly atMs: number;
}

/** The surest first. */
const RANK: readonly Life[] = [
  'posts',
  'reachable',
  'own False',
  'just begun',
  'same address',
  'unmentioned',
  'unseen',
  'none',
];

function lifeBy(host: Host, node: StoredNode, { copy, seen, atMs }: Witness, world: World): Life {
  const sinceMs = atMs - CHECK_MS;
  const post = node.posts.get(host.name);
  const posts = post !== undefined && atMs - post.lastMs <= POST_STANDS_MS;
  const isSilentToCopy = host.isFirewalled || world.cuts.has(`${copy} kubelets`) || answerOf(host) === undefined;
  const isUnready = host.kubelet === 'unready' || host.kubelet === 'failing';
  if (posts && post.sinceMs <= sinceMs && (world.release.isAtLeastV1 || !isUnready)) return 'posts';
  const isSteady = host.changedAtMs <= sinceMs && world.cutAtMs <= sinceMs;
  if (!isSilentToCopy && mentions(host, node, seen, world)) {
    if (isContested(host, seen, world)) return 'same address';
    if (isSteady && isMentionedSince(host, node, seen, sinceMs)) return 'reachable';
    return 'just begun';
  }
  if (posts) return post.sinceMs <= sinceMs ? 'own False' : 'just begun';
  return isSilentToCopy ? 'unseen' : 'unmentioned';
}

/** An answer from there is as well the other's; but what fleet says of its machine stands against that. */
function isContested({ name, address, machineId }: Host, seen: Seen, { hosts }: World): boolean {
  const others = hosts.filter((other) => other.name !== name && other.address === address);
  const isTold = seen.machines.get(machineId)?.has(address) === true;
  return !isTold && others.some((other) => answerOf(other) !== undefined);
}

function mentions(host: Host, node: StoredNode, seen: Seen, { release }: World): boolean {
  const { address, machineId } = host;
  const isMinionAt = release.conditionsBy !== 'kubelet' && node.name === address;
  const isTold = seen.machines.get(machineId)?.has(address) === true && isLinked(host, node);
  return isTold || isMinionAt || node.addresses.includes(address) || node.annotations.get(ADDRESS) === address;
}

/**
 * Whether anything leads from the node to fleet's record of the host: its machine id in the status or in our annotation, now or when its kubelet last
 * posted. A post alone does not: it tells no address that the node does not report.
 */
function isLinked({ name, machineId }: Host, node: StoredNode): boolean {
  const marks = [markOf(node), node.posts.get(name)?.mark];
  return node.machineId === machineId || marks.includes(machineId);
}

/** What the node reports may be news. */
function isMentionedSince({ address, machineId }: Host, node: StoredNode, seen: Seen, sinceMs: number): boolean {
  const isTold = seen.machines.get(machineId)?.has(address) === true;
  return isTold || node.annotations.get(ADDRESS) === address || node.addressedAtMs <= sinceMs;
}
